//! What is drawn: blocks, which stand for nodes and perhaps values, and edges.

use super::label::{key, label, tip};
use super::layer::layers;
use super::style::Style;
use crate::graph::{Edge, Graph, GraphNode};
use crate::handle::Status;
use std::time::Duration;

pub(super) struct Picture<'g> {
    /// Each comes after those it needs.
    pub(super) blocks: Vec<Block<'g>>,
    /// Sorted by consumer.
    pub(super) edges: Vec<Edge>,
    /// The layer of each block; edges go from lower to higher ones.
    pub(super) layers: Vec<usize>,
    /// What the picture leaves out.
    pub(super) caption: Option<String>,
}

/// A node, a group of them, or a value.
pub(super) struct Block<'g> {
    pub(super) kind: Kind,
    /// Gives the colour; empty for values.
    pub(super) function: &'g str,
    /// Empty for the value of a call.
    pub(super) label: String,
    /// `None` for a group.
    pub(super) key: Option<String>,
    pub(super) tip: Vec<String>,
    /// `None` if the nodes of a group differ, and for the value of a call.
    pub(super) status: Option<Status>,
    pub(super) order: Option<usize>,
    pub(super) time: Option<Duration>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A node, in pictures that show nothing else.
    Node,
    /// A call among values.
    Call,
    /// A value among calls.
    Value,
}

impl<'g> Picture<'g> {
    /// The whole graph, however large it is.
    ///
    /// # Panics
    ///
    /// If an edge names no node, or one that is not after the other.
    pub(super) fn of(graph: &'g Graph, style: &Style) -> Picture<'g> {
        let mut given = graph.edges.clone();
        given.sort_by_key(|edge| edge.to);
        let (blocks, edges) = if style.values {
            with_values(graph, &given)
        } else {
            (graph.nodes.iter().map(|node| Block::of(node, Kind::Node)).collect(), given)
        };
        Picture {
            layers: layers(blocks.len(), &edges),
            blocks,
            edges,
            caption: graph.nodes.is_empty().then(|| "no nodes".to_owned()),
        }
    }
}

/// Each call is followed by its value, from which the edges of its consumers come.
fn with_values<'g>(graph: &'g Graph, edges: &[Edge]) -> (Vec<Block<'g>>, Vec<Edge>) {
    let mut blocks = Vec::with_capacity(2 * graph.nodes.len());
    let mut found = Vec::with_capacity(graph.nodes.len() + edges.len());
    let mut values = Vec::with_capacity(graph.nodes.len());
    let mut inputs = edges.iter().peekable();
    for (index, node) in graph.nodes.iter().enumerate() {
        let to = blocks.len();
        while let Some(edge) = inputs.next_if(|edge| edge.to == index) {
            found.push(Edge { from: values[edge.from], to, param: edge.param.clone() });
        }
        let is_value = node.is_value();
        if !is_value {
            blocks.push(Block::of(node, Kind::Call));
            found.push(Edge { from: to, to: to + 1, param: "".into() });
        }
        values.push(blocks.len());
        let value = Block::of(node, Kind::Value);
        blocks.push(if is_value { value } else { Block { label: String::new(), status: None, ..value } });
    }
    (blocks, found)
}

impl<'g> Block<'g> {
    pub(super) fn of(node: &'g GraphNode, kind: Kind) -> Block<'g> {
        Block {
            kind,
            function: &node.function,
            label: label(&node.name),
            key: Some(key(node)),
            tip: tip(node),
            status: Some(node.status),
            order: node.order,
            time: node.time,
        }
    }

    /// Whether it is the value of a call that is drawn beside it.
    pub(super) fn is_result(&self) -> bool {
        self.kind == Kind::Value && self.label.is_empty()
    }
}
