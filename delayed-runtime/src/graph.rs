//! The inspectable view of what handles reach.

#[cfg(feature = "serde")]
mod saved;

use crate::collection::{Collection, nodes};
use crate::error::NodeInfo;
use crate::handle::{Delayed, Status};
use crate::node::{Kind, Node, NodeRef};
use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

/// What a handle reaches, as plain data: a picture of one moment.
///
/// A node lets go of its inputs when it is about to run. So a node that is wanted or done is shown
/// without them.
///
/// With the feature `serde` a graph can be saved and read back, by another program too. In JSON:
///
/// ```json
/// {
///   "nodes": [
///     { "name": "inc", "key": "inc-5f3a09c2d41b", "file": "src/main.rs", "line": 4, "status": "lazy", "function": "inc" },
///     { "name": "dec", "key": "dec-90be44a1c07d", "file": "src/main.rs", "line": 8, "status": "done", "function": "dec" },
///     { "name": "add", "key": "add-c47711fe6a02", "file": "src/main.rs", "line": 12, "status": "lazy", "function": "add" }
///   ],
///   "edges": [
///     { "from": 0, "to": 2, "param": "x" },
///     { "from": 1, "to": 2, "param": "y" }
///   ]
/// }
/// ```
///
/// Fields that are added later are left out where a node has nothing for them. A graph whose edges go to
/// an earlier node, or to none, cannot be read.
///
/// With the feature `petgraph` a graph converts into a `petgraph::graph::DiGraph`, with the same indices and
/// the parameters' names on the edges, which go the way of the values.
#[derive(Clone, Debug, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(try_from = "saved::Saved"))]
#[non_exhaustive]
pub struct Graph {
    /// The nodes; each comes after those it needs.
    pub nodes: Vec<GraphNode>,
    /// The edges, in the order of the consumers' parameters.
    pub edges: Vec<Edge>,
}

/// A node of a [`Graph`].
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct GraphNode {
    /// The function's name, or the one that the node was given.
    pub name: String,
    /// The name and a number that no other node of this process has.
    pub key: String,
    /// Where the function was defined, or the call for what this crate's own operations made.
    pub file: Cow<'static, str>,
    /// The line in `file`, from 1.
    pub line: u32,
    /// What the node was doing.
    pub status: Status,
    /// What it has in common with others: the name of its function, whatever name the node was given. Operations
    /// of this crate have the node's name, because each may do something else; values that were given
    /// have none.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "str::is_empty"))]
    pub function: Cow<'static, str>,
    /// The place in which it ran, from 0, in graphs of what has run. Handles do not know it.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub order: Option<usize>,
    /// How long its function took, in graphs of what has run. Handles do not know it.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "Option::is_none"))]
    pub time: Option<Duration>,
}

impl GraphNode {
    /// Whether it is a value that was given, and not a call.
    pub(crate) fn is_value(&self) -> bool {
        self.function.is_empty()
    }
}

/// An edge of a [`Graph`]: a value that flows from one node to another.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Edge {
    /// The index of the node whose value it is.
    pub from: usize,
    /// The index of the node that takes it.
    pub to: usize,
    /// The parameter that takes it.
    pub param: Cow<'static, str>,
}

#[cfg(feature = "petgraph")]
impl From<Graph> for petgraph::graph::DiGraph<GraphNode, Cow<'static, str>> {
    /// # Panics
    ///
    /// If the graph was changed, and an edge names a node that is not there.
    fn from(graph: Graph) -> Self {
        use petgraph::graph::NodeIndex;
        let mut converted = Self::with_capacity(graph.nodes.len(), graph.edges.len());
        for node in graph.nodes {
            converted.add_node(node);
        }
        for Edge { from, to, param } in graph.edges {
            converted.add_edge(NodeIndex::new(from), NodeIndex::new(to), param);
        }
        converted
    }
}

/// The inputs of a lazy node with their parameters; groups are replaced by what is in them.
fn inputs(node: Node) -> Vec<(NodeRef, &'static str)> {
    let edges = node.inputs();
    let params = node.vtable().params(edges.len()).map(|param| param.copied().unwrap_or_default());
    let mut stack: Vec<_> = edges.into_iter().zip(params).collect();
    stack.reverse();
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

fn function(node: Node, info: &NodeInfo) -> Cow<'static, str> {
    match node.vtable().task {
        task if task.is_value() => "".into(),
        task if task.is_operation() && !info.name().is_empty() => info.name().to_owned().into(),
        task => task.name.into(),
    }
}

pub(crate) fn of(collection: &impl Collection) -> Graph {
    with_ids(collection).0
}

/// The graph, and the place of each node in it by the node's id.
pub(crate) fn with_ids(collection: &impl Collection) -> (Graph, HashMap<u64, usize>) {
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
                file: info.file().into(),
                line: info.line(),
                status: Status::of(node),
                order: None,
                time: None,
                function: function(node, &info),
            });
            let edges =
                done.found.into_iter().map(|(from, param)| Edge { from, to: index, param: param.into() });
            graph.edges.extend(edges);
            index_of.insert(node.id(), index);
            if let Some((consumer, _)) = stack.last_mut() {
                consumer.found.push((index, param));
            }
        }
    }
    (graph, index_of)
}

impl<T: Send + Sync + 'static> Delayed<T> {
    /// What this handle reaches now.
    pub fn graph(&self) -> Graph {
        of(&self)
    }
}
