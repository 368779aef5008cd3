//! How a graph is shown: constants, and the function's docs.

use super::plan::{Node, Plan};
use std::collections::BTreeMap;
use std::fmt::Write;

/// In columns; longer labels stand out of theirs.
const WIDEST: usize = 40;

/// In the DOT language.
pub(super) fn dot(name: &str, plan: &Plan) -> String {
    let mut dot = format!("digraph {name:?} {{\n    node [shape=box, style=rounded];\n");
    for (number, node) in plan.nodes.iter().enumerate() {
        let label = label(node).replace('\\', "\\\\").replace('"', "\\\"");
        let _ = writeln!(dot, "    n{number} [label=\"{label}\"];");
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
        let label = label(node)
            .replace('&', "&amp;")
            .replace('"', "&quot;")
            .replace('<', "&lt;")
            .replace('>', "&gt;");
        let _ = writeln!(mermaid, "    n{number}(\"{label}\")");
    }
    for (from, to) in arrows(plan) {
        let _ = writeln!(mermaid, "    n{from} --> n{to}");
    }
    mermaid
}

/// For the docs: a node on each line, with what it needs; those that could run at the same time stand together.
pub(super) fn docs(plan: &Plan) -> String {
    let labels: Vec<String> = plan.nodes.iter().map(label).collect();
    let mut rows: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for (node, chain) in plan.chains().into_iter().enumerate() {
        rows.entry(chain).or_default().push(node);
    }
    let says = match (plan.nodes.len(), plan.span) {
        (1, _) => "One node: the function is a chain, and nothing in it could run in parallel.".to_owned(),
        (nodes, span) if nodes == span => {
            format!("{nodes} nodes in one chain: nothing in it could run in parallel.")
        }
        (nodes, span) => format!(
            "{nodes} nodes, the longest chain has {span}. A node runs when those on its right have; what stands \
             under one number can run at the same time."
        ),
    };
    let widths = labels.iter().map(|label| label.chars().count()).filter(|width| *width <= WIDEST);
    let width = widths.max().unwrap_or(0);
    let mut docs = format!("\n# Graph\n\n{says}\n\n```text\n");
    for (row, nodes) in rows.values().enumerate() {
        for (at, &node) in nodes.iter().enumerate() {
            let number = if at == 0 { format!("{}.", row + 1) } else { String::new() };
            let needs = wrapped(plan.nodes[node].arrows.iter().map(|need| value(&labels[*need])));
            let needs = needs.replace('\n', &format!("\n{:1$}", "", width + 8));
            let needs = if needs.is_empty() { needs } else { format!("  ← {needs}") };
            let line = format!("{number:3} {:width$}{needs}", labels[node]);
            let _ = writeln!(docs, "{}", line.trim_end().replace("```", "'''"));
        }
    }
    docs + "```\n"
}

/// On one line: tokens may be printed on several.
fn label(node: &Node) -> String {
    node.label.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What others use of a node: the last of its bindings.
fn value(label: &str) -> &str {
    let is_name = |text: &str| text.chars().all(|c| c.is_alphanumeric() || "_, ".contains(c));
    label.rsplit_once("; ").map(|(_, last)| last).filter(|last| is_name(last)).unwrap_or(label)
}

/// A list in lines that are not much longer than [`WIDEST`].
fn wrapped<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let (mut list, mut columns) = (String::new(), 0);
    for name in names {
        match columns {
            0 => {}
            1..WIDEST => list += ", ",
            _ => {
                list += ",\n";
                columns = 0;
            }
        }
        list += name;
        columns += name.chars().count() + 2;
    }
    list
}

fn arrows(plan: &Plan) -> impl Iterator<Item = (usize, usize)> {
    let nodes = plan.nodes.iter().enumerate();
    nodes.flat_map(|(to, node)| node.arrows.iter().map(move |from| (*from, to)))
}
