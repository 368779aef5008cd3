//! Graphviz's language. The graph is never grouped, because other tools read this too.

use super::{label, tip};
use crate::graph::Graph;
use std::fmt::Write;

pub(super) fn draw(graph: &Graph) -> String {
    let mut out = String::from(
        "digraph delayed {\n  node [shape=box, style=\"rounded,filled\", fillcolor=\"#eef2f6\", fontname=\"monospace\"];\n  edge [fontname=\"monospace\", fontsize=10, color=\"#7b8794\"];\n",
    );
    for (index, node) in graph.nodes.iter().enumerate() {
        let tip = tip(node).map(|line| escape(&line)).join("\\n");
        let _ = writeln!(out, "  n{index} [label=\"{}\", tooltip=\"{tip}\"];", escape(&label(&node.name)));
    }
    for edge in &graph.edges {
        let _ = write!(out, "  n{} -> n{}", edge.from, edge.to);
        if !edge.param.is_empty() {
            let _ = write!(out, " [label=\"{0}\", tooltip=\"{0}\"]", escape(&label(&edge.param)));
        }
        out.push_str(";\n");
    }
    out.push_str("}\n");
    out
}

/// Graphviz reads backslashes and HTML's entities inside quotes.
fn escape(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('&', "&amp;")
}
