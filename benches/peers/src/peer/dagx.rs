//! The crate `dagx`: a struct for each kind of task, typed dependencies, a tokio task for each node.

use super::Run;
use super::tokio_spawn::runtime;
use crate::clock::{Phases, timed};
use crate::kernel;
use crate::plan::Plan;
use dagx::{DagRunner, Task, TaskHandle, task};

struct Leaf {
    bias: u64,
}

#[task]
impl Leaf {
    async fn run(&self) -> u64 {
        kernel::value(self.bias, 0)
    }
}

macro_rules! sums {
    ($($name:ident: $($x:ident)*;)*) => {$(
        struct $name {
            bias: u64,
        }

        #[task]
        impl $name {
            async fn run(&self, $($x: &u64),*) -> u64 {
                kernel::value(self.bias, kernel::sum([$(*$x),*]))
            }
        }
    )*};
}

sums! {
    Sum1: a;
    Sum2: a b;
    Sum3: a b c;
    Sum4: a b c d;
    Sum5: a b c d e;
}

pub fn start(threads: usize) -> Run {
    let runtime = runtime(threads);
    Box::new(move |plan| {
        let ((dag, nodes), build) = timed(|| build(plan));
        let (ended, run) = timed(|| {
            runtime.block_on(dag.run(|future| {
                tokio::spawn(future);
            }))
        });
        ended.expect("no node fails");
        let checksum = plan.checksum(|sink| dag.get(nodes[sink as usize]).expect("the sink has run"));
        let ((), drop) = timed(|| drop(dag));
        Phases { build, run, drop, checksum }
    })
}

fn build(plan: &Plan) -> (DagRunner, Vec<TaskHandle<u64>>) {
    let dag = DagRunner::new();
    let mut nodes: Vec<TaskHandle<u64>> = Vec::with_capacity(plan.nodes());
    for (node, &bias) in plan.biases.iter().enumerate() {
        let input = |i: u32| &nodes[i as usize];
        let handle = match *plan.inputs(node) {
            [] => dag.add_task(Leaf { bias }).into(),
            [a] => dag.add_task(Sum1 { bias }).depends_on(input(a)),
            [a, b] => dag.add_task(Sum2 { bias }).depends_on((input(a), input(b))),
            [a, b, c] => dag.add_task(Sum3 { bias }).depends_on((input(a), input(b), input(c))),
            [a, b, c, d] => dag.add_task(Sum4 { bias }).depends_on((input(a), input(b), input(c), input(d))),
            [a, b, c, d, e] => {
                dag.add_task(Sum5 { bias }).depends_on((input(a), input(b), input(c), input(d), input(e)))
            }
            _ => unreachable!("no workload that it takes has nodes of 6 to 8 inputs"),
        };
        nodes.push(handle);
    }
    (dag, nodes)
}
