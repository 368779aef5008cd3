//! How a graph is shown: constants, and the function's docs.

use super::plan::Plan;
use std::collections::BTreeMap;
use std::fmt::Write;

/// In the DOT language.
pub(super) fn dot(name: &str, plan: &Plan) -> String {
    let mut dot = format!("digraph {name:?} {{\n    node [shape=box, style=rounded];\n");
    for (number, node) in plan.nodes.iter().enumerate() {
        let _ = writeln!(
            dot,
            "    n{number} [label=\"{}\"];",
            node.label.replace('\\', "\\\\").replace('"', "\\\"")
        );
    }
    for (from, to) in arrows(plan) {
        let _ = writeln!(dot, "    n{from} -> n{to};");
    }
    dot + "}\n"
}

/// In Mermaid's language.
pub(super) fn mermaid(plan: &Plan) -> String {
    let mut mermaid = String::from("flowchart TD\n");
    for (number, node) in plan.nodes.iter().enumerate() {
        let label =
            node.label.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;");
        let _ = writeln!(mermaid, "    n{number}(\"{label}\")");
    }
    for (from, to) in arrows(plan) {
        let _ = writeln!(mermaid, "    n{from} --> n{to}");
    }
    mermaid
}

/// For the docs: what could run at the same time on one line, with what it needs.
pub(super) fn docs(plan: &Plan) -> String {
    let mut rows: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for (node, chain) in plan.nodes.iter().zip(plan.chains()) {
        let needs: Vec<&str> = node.arrows.iter().map(|need| plan.nodes[*need].label.as_str()).collect();
        let needs = if needs.is_empty() { String::new() } else { format!(" ← {}", needs.join(", ")) };
        rows.entry(chain).or_default().push(format!("{}{needs}", node.label));
    }
    let mut docs = String::from("\n# Graph\n\n");
    let _ = match (plan.nodes.len(), plan.span) {
        (1, _) => {
            write!(docs, "One node: the function is a chain, and nothing in it could run in parallel.\n\n")
        }
        (nodes, span) if nodes == span => {
            write!(docs, "{nodes} nodes in one chain: nothing in it could run in parallel.\n\n")
        }
        (nodes, span) => write!(
            docs,
            "{nodes} nodes, the longest chain has {span}. Those of a row can run in parallel.\n\n"
        ),
    };
    docs += "```text\n";
    for (row, nodes) in rows.values().enumerate() {
        let _ = writeln!(docs, "{}. {}", row + 1, nodes.join(" · ").replace("```", "'''"));
    }
    docs + "```\n"
}

fn arrows(plan: &Plan) -> impl Iterator<Item = (usize, usize)> {
    let nodes = plan.nodes.iter().enumerate();
    nodes.flat_map(|(to, node)| node.arrows.iter().map(move |from| (*from, to)))
}
