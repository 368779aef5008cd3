//! Graphs for petgraph's algorithms, with the feature of that name.

use delayed::{GraphNode, delayed};
use petgraph::algo::toposort;
use petgraph::graph::{DiGraph, NodeIndex};
use petgraph::visit::EdgeRef;
use petgraph::{Incoming, Outgoing};
use std::borrow::Cow;

#[delayed]
fn load(x: u32) -> u32 {
    x
}

#[delayed]
fn step(x: u32) -> u32 {
    x + 1
}

#[delayed]
fn merge(left: u32, right: u32) -> u32 {
    left + right
}

/// `report` needs a short path and one of three steps.
fn graph() -> DiGraph<GraphNode, Cow<'static, str>> {
    let first = load(1).named("first");
    let long = step(step(step(&first)));
    merge(merge(&first, load(2).named("second")).named("short"), long).named("report").graph().into()
}

fn names(graph: &DiGraph<GraphNode, Cow<'static, str>>, nodes: &[NodeIndex]) -> Vec<String> {
    nodes.iter().map(|node| graph[*node].name.clone()).collect()
}

#[test]
fn edges_go_the_way_of_the_values() {
    let graph = graph();
    assert_eq!((graph.node_count(), graph.edge_count()), (7, 7));
    let sources: Vec<_> = graph.externals(Incoming).collect();
    assert_eq!(names(&graph, &sources), ["first", "second"]);
    let sinks: Vec<_> = graph.externals(Outgoing).collect();
    assert_eq!(names(&graph, &sinks), ["report"]);
    let mut params: Vec<_> = graph
        .edges_directed(sinks[0], Incoming)
        .map(|edge| (&*graph[edge.source()].name, &**edge.weight()))
        .collect();
    params.sort();
    assert_eq!(params, [("short", "left"), ("step", "right")]);
}

#[test]
fn a_topological_sort_and_a_longest_path() {
    let graph = graph();
    let sorted = toposort(&graph, None).unwrap();
    assert_eq!(sorted.len(), 7);
    assert_eq!(names(&graph, &sorted[6..]), ["report"]);
    let mut longest: Vec<(u32, Option<NodeIndex>)> = vec![(1, None); graph.node_count()];
    for node in sorted {
        for consumer in graph.neighbors_directed(node, Outgoing) {
            let through = (longest[node.index()].0 + 1, Some(node));
            longest[consumer.index()] = longest[consumer.index()].max(through);
        }
    }
    let mut path: Vec<_> = graph.externals(Outgoing).collect();
    while let (_, Some(before)) = longest[path[0].index()] {
        path.insert(0, before);
    }
    assert_eq!(names(&graph, &path), ["first", "step", "step", "step", "report"]);
}

#[test]
fn parallel_edges_stay() {
    let one = load(1);
    let graph: DiGraph<_, _> = merge(&one, &one).graph().into();
    assert_eq!((graph.node_count(), graph.edge_count()), (2, 2));
}
