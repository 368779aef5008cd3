//! Futures by hand: each node a boxed `Shared` future that awaits those of its inputs.
//!
//! One thread polls them from the sinks on.

use super::Run;
use crate::clock::{Phases, timed};
use crate::kernel;
use crate::plan::Plan;
use futures::executor::block_on;
use futures::future::{BoxFuture, FutureExt, Shared};
use std::thread;

type Node = Shared<BoxFuture<'static, u64>>;

/// Polling and dropping recurse as deep as the graph is. Pages that are not touched cost nothing.
const STACK: usize = 8 << 30;

pub fn start(_threads: usize) -> Run {
    Box::new(|plan| {
        let thread = thread::Builder::new().stack_size(STACK).spawn(move || run(plan));
        thread.expect("the thread starts").join().expect("no node fails")
    })
}

fn run(plan: &'static Plan) -> Phases {
    let (nodes, build) = timed(|| build(plan));
    let (values, run) = timed(|| {
        block_on(async {
            let mut values = Vec::with_capacity(plan.sinks.len());
            for &sink in &plan.sinks {
                values.push(nodes[sink as usize].clone().await);
            }
            values
        })
    });
    let ((), drop) = timed(|| drop(nodes));
    let mut left = values.into_iter();
    let checksum = plan.checksum(|_| left.next().expect("a value for each sink"));
    Phases { build, run, drop, checksum }
}

fn build(plan: &'static Plan) -> Vec<Node> {
    let mut nodes: Vec<Node> = Vec::with_capacity(plan.nodes());
    for (node, &bias) in plan.biases.iter().enumerate() {
        let inputs: Vec<Node> =
            plan.inputs(node).iter().map(|&input| nodes[input as usize].clone()).collect();
        let future = async move {
            let mut sum: u64 = 0;
            for input in inputs {
                sum = sum.wrapping_add(input.await);
            }
            kernel::value(bias, sum)
        };
        nodes.push(future.boxed().shared());
    }
    nodes
}
