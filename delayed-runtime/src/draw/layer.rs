//! The layers of a graph.
//!
//! A node is one layer after its last input. A node with no more inputs than consumers then moves on
//! to its first consumer, which shortens its edges.
//!
//! An edge over several layers takes a lane in each layer between: a point without breadth, so that no
//! edge runs through a block. All edges of one node share its lanes.

use crate::graph::Edge;

/// The layer of each node, from 0. Edges are sorted by consumer and go from lower to higher nodes.
pub(super) fn layers(nodes: usize, edges: &[Edge]) -> Vec<usize> {
    let mut layers = vec![0; nodes];
    // Consumers less inputs.
    let mut surplus = vec![0_isize; nodes];
    for edge in edges {
        layers[edge.to] = layers[edge.to].max(layers[edge.from] + 1);
        surplus[edge.from] += 1;
        surplus[edge.to] -= 1;
    }
    let mut first = vec![usize::MAX; nodes];
    let mut inputs = edges.iter().rev().peekable();
    for node in (0..nodes).rev() {
        if surplus[node] >= 0 && first[node] != usize::MAX {
            layers[node] = first[node] - 1;
        }
        while let Some(edge) = inputs.next_if(|edge| edge.to == node) {
            first[edge.from] = first[edge.from].min(layers[node]);
        }
    }
    layers
}

/// The lanes of each node: one for each layer between it and its last consumer.
pub(super) fn lanes(layers: &[usize], edges: &[Edge]) -> Vec<usize> {
    let mut lanes = vec![0; layers.len()];
    for edge in edges {
        lanes[edge.from] = lanes[edge.from].max(layers[edge.to] - layers[edge.from] - 1);
    }
    lanes
}

/// How many points a layout would have.
pub(super) fn points(layers: &[usize], edges: &[Edge]) -> usize {
    layers.len() + lanes(layers, edges).iter().sum::<usize>()
}
