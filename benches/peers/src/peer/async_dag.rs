//! The crate `async_dag`: typed closures in a graph that one task polls.

use super::Run;
use super::tokio_spawn::runtime;
use crate::clock::{Phases, timed};
use crate::kernel;
use crate::plan::Plan;
use async_dag::{Graph, NodeIndex};

pub fn start(threads: usize) -> Run {
    let runtime = runtime(threads);
    Box::new(move |plan| {
        let ((mut graph, nodes), build) = timed(|| build(plan));
        let ((), run) = timed(|| runtime.block_on(graph.run()));
        let checksum = plan.checksum(|sink| graph.get_value(nodes[sink as usize]).expect("the sink has run"));
        let ((), drop) = timed(|| drop(graph));
        Phases { build, run, drop, checksum }
    })
}

/// Adds a node of as many inputs as there are names, and its edge from the first of them.
macro_rules! sum {
    ($graph:ident, $bias:ident, $first:expr, $($x:ident)*) => {{
        let sum = move |$($x: u64),*| async move { kernel::value($bias, kernel::sum([$($x),*])) };
        $graph.add_child_task($first, sum, 0).expect("the types fit")
    }};
}

fn build(plan: &Plan) -> (Graph<'static>, Vec<NodeIndex>) {
    let mut graph = Graph::new();
    let mut nodes: Vec<NodeIndex> = Vec::with_capacity(plan.nodes());
    for (node, &bias) in plan.biases.iter().enumerate() {
        let inputs = plan.inputs(node);
        let first = inputs.first().map(|&input| nodes[input as usize]);
        let index = match (first, inputs.len()) {
            (None, _) => graph.add_task(move || async move { kernel::value(bias, 0) }),
            (Some(first), 1) => sum!(graph, bias, first, a),
            (Some(first), 2) => sum!(graph, bias, first, a b),
            (Some(first), 3) => sum!(graph, bias, first, a b c),
            (Some(first), 4) => sum!(graph, bias, first, a b c d),
            (Some(first), 5) => sum!(graph, bias, first, a b c d e),
            _ => unreachable!("no workload that it takes has nodes of 6 to 12 inputs"),
        };
        for (i, &input) in inputs.iter().enumerate().skip(1) {
            graph.update_dependency(nodes[input as usize], index, i as u8).expect("the types fit");
        }
        nodes.push(index);
    }
    (graph, nodes)
}
