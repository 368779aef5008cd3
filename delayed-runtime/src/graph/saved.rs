//! Graphs that are read back.

use super::{Edge, Graph, GraphNode};

/// A graph that nobody has looked at yet.
#[derive(serde::Deserialize)]
pub(super) struct Saved {
    nodes: Vec<GraphNode>,
    edges: Vec<Edge>,
}

impl TryFrom<Saved> for Graph {
    type Error = String;

    /// What goes over a graph relies on its edges going from earlier to later nodes.
    fn try_from(Saved { nodes, edges }: Saved) -> Result<Self, String> {
        let wrong = edges.iter().enumerate().find(|(_, edge)| edge.from >= edge.to || edge.to >= nodes.len());
        match wrong {
            None => Ok(Graph { nodes, edges }),
            Some((index, edge)) => Err(format!(
                "edge {index} goes from node {} to node {} of {}; edges go to later nodes",
                edge.from,
                edge.to,
                nodes.len()
            )),
        }
    }
}
