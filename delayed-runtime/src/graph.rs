//! The inspectable view of what handles reach.

use crate::collection::{Collection, nodes};
use crate::handle::{Delayed, Status};
use crate::node::{Kind, Node, NodeRef};
use crate::task::Task;
use std::collections::HashMap;
use std::time::Duration;

/// What a handle reaches, as plain data: a picture of one moment.
///
/// A node lets go of its inputs when it is about to run. So a node that is wanted or done is shown
/// without them.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Graph {
    /// The nodes; each comes after those it needs.
    pub nodes: Vec<GraphNode>,
    /// The edges, in the order of the consumers' parameters.
    pub edges: Vec<Edge>,
}

/// A node of a [`Graph`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct GraphNode {
    /// The function's name, or the one that the node was given.
    pub name: String,
    /// The name and a number that no other node of this process has.
    pub key: String,
    /// Where the function was defined, or the call for what this crate's own operations made.
    pub file: &'static str,
    /// The line in `file`, from 1.
    pub line: u32,
    /// What the node was doing.
    pub status: Status,
    /// The place in which it ran, from 0, in graphs of what has run. Handles do not know it.
    pub order: Option<usize>,
    /// How long its function took, in graphs of what has run. Handles do not know it.
    pub time: Option<Duration>,
    /// What is known of its function.
    pub(crate) task: &'static Task,
}

impl GraphNode {
    /// What nodes of one function have in common, whatever names they were given: the function's
    /// name. Operations of this crate are as different as their names, and values have nothing.
    pub(crate) fn function(&self) -> &str {
        match self.task {
            task if task.is_value() => "",
            task if task.is_operation() => &self.name,
            task => task.name,
        }
    }
}

/// An edge of a [`Graph`]: a value that flows from one node to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Edge {
    /// The index of the node whose value it is.
    pub from: usize,
    /// The index of the node that takes it.
    pub to: usize,
    /// The parameter that takes it.
    pub param: &'static str,
}

/// The parameter of each edge of a node.
fn params(node: Node, edges: usize) -> Vec<&'static str> {
    let vtable = node.vtable();
    let others = |open: usize| vtable.shape.iter().map(|e| e.unwrap_or(1)).sum::<usize>() - open;
    let mut first_open = true;
    let mut params = Vec::with_capacity(edges);
    for (index, fixed) in vtable.shape.iter().enumerate() {
        let name = vtable.task.params.get(index).copied().unwrap_or("");
        let count = match fixed {
            Some(count) => *count,
            // Only the first such argument has more than one edge: see `Edges::push_many`.
            None if std::mem::take(&mut first_open) => edges.saturating_sub(others(1)),
            None => 1,
        };
        params.extend(std::iter::repeat_n(name, count));
    }
    params.resize(edges, "");
    params
}

/// The inputs of a lazy node with their parameters; groups are replaced by what is in them.
fn inputs(node: Node) -> Vec<(NodeRef, &'static str)> {
    let edges = node.inputs();
    let params = params(node, edges.len());
    let mut stack: Vec<_> = edges.into_iter().zip(params).rev().collect();
    let mut inputs = Vec::with_capacity(stack.len());
    while let Some((input, param)) = stack.pop() {
        if input.node().vtable().kind == Kind::Group {
            stack.extend(input.node().inputs().into_iter().map(|leaf| (leaf, param)).rev());
        } else {
            inputs.push((input, param));
        }
    }
    inputs
}

pub(crate) fn of(collection: &impl Collection) -> Graph {
    /// A node whose inputs are being looked at.
    struct Frame {
        node: NodeRef,
        inputs: std::vec::IntoIter<(NodeRef, &'static str)>,
        found: Vec<(usize, &'static str)>,
    }
    let mut graph = Graph::default();
    let mut index_of = HashMap::new();
    let frame = |node: NodeRef| Frame { inputs: inputs(node.node()).into_iter(), node, found: Vec::new() };
    let mut stack: Vec<(Frame, &'static str)> = Vec::new();
    for root in nodes(collection) {
        if index_of.contains_key(&root.node().id()) {
            continue;
        }
        stack.push((frame(root), ""));
        while let Some((top, param)) = stack.last_mut() {
            if let Some((input, param)) = top.inputs.next() {
                match index_of.get(&input.node().id()) {
                    Some(&index) => top.found.push((index, param)),
                    None => stack.push((frame(input), param)),
                }
                continue;
            }
            let param = *param;
            let Some((done, _)) = stack.pop() else { break };
            let node = done.node.node();
            let info = node.info();
            let index = graph.nodes.len();
            graph.nodes.push(GraphNode {
                name: info.name().to_owned(),
                key: info.key(),
                file: info.file(),
                line: info.line(),
                status: Status::of(node),
                order: None,
                time: None,
                task: node.vtable().task,
            });
            graph.edges.extend(done.found.into_iter().map(|(from, param)| Edge { from, to: index, param }));
            index_of.insert(node.id(), index);
            if let Some((consumer, _)) = stack.last_mut() {
                consumer.found.push((index, param));
            }
        }
    }
    graph
}

impl<T: Send + Sync + 'static> Delayed<T> {
    /// What this handle reaches now.
    pub fn graph(&self) -> Graph {
        of(&self)
    }
}
