//! The crate `dagrs`: a tokio task for each node, and a channel for each edge.

use super::Run;
use super::tokio_spawn::runtime;
use crate::clock::{Phases, timed};
use crate::kernel;
use crate::plan::Plan;
use dagrs::{
    Action, Content, DefaultNode, EnvVar, Graph, InChannels, Node, NodeId, NodeTable, OutChannels, Output,
};
use std::sync::Arc;

struct Sum {
    bias: u64,
}

#[async_trait::async_trait]
impl Action for Sum {
    async fn run(&self, inputs: &mut InChannels, outputs: &mut OutChannels, _: Arc<EnvVar>) -> Output {
        let inputs = inputs.map(|content| content.ok()?.into_inner::<u64>().map(|value| *value)).await;
        let inputs = inputs.into_iter().map(|value| value.expect("each input sends a number"));
        let value = kernel::value(self.bias, kernel::sum(inputs));
        outputs.broadcast(Content::new(value)).await;
        Output::Out(Some(Content::new(value)))
    }
}

pub fn start(threads: usize) -> Run {
    let runtime = runtime(threads);
    Box::new(move |plan| {
        let ((mut graph, nodes), build) = timed(|| build(plan));
        let (ended, run) = timed(|| runtime.block_on(graph.async_start()));
        ended.expect("no node fails");
        let results = graph.get_results::<u64>();
        let checksum = plan.checksum(|sink| {
            let value = results.get(&nodes[sink as usize]).and_then(Option::as_ref);
            **value.expect("the sink has run")
        });
        let ((), drop) = timed(|| drop(graph));
        Phases { build, run, drop, checksum }
    })
}

fn build(plan: &Plan) -> (Graph, Vec<NodeId>) {
    let mut graph = Graph::new();
    let mut table = NodeTable::default();
    let mut nodes: Vec<NodeId> = Vec::with_capacity(plan.nodes());
    for (i, &bias) in plan.biases.iter().enumerate() {
        let node = DefaultNode::with_action(i.to_string(), Sum { bias }, &mut table);
        nodes.push(node.id());
        graph.add_node(node).expect("its number is new");
    }
    let mut consumers: Vec<Vec<NodeId>> = vec![Vec::new(); plan.nodes()];
    for (i, &node) in nodes.iter().enumerate() {
        for &input in plan.inputs(i) {
            consumers[input as usize].push(node);
        }
    }
    for (&node, consumers) in nodes.iter().zip(consumers) {
        if !consumers.is_empty() {
            graph.add_edge(node, consumers).expect("both ends are in the graph");
        }
    }
    graph.set_env(EnvVar::new(table));
    (graph, nodes)
}
