//! Graphviz's language. The graph is never grouped, because other tools read this too.

use super::colour::Colours;
use super::label::label;
use super::picture::{Kind, Picture};
use super::style::{Colour, Style};
use std::fmt::Write;

pub(super) fn draw(picture: &Picture<'_>, style: &Style) -> String {
    let mut out = String::from("digraph delayed {\n");
    if style.left_to_right {
        out.push_str("  rankdir=LR;\n");
    }
    out.push_str(
        "  node [shape=box, style=\"rounded,filled\", fillcolor=\"#eef2f6\", fontname=\"monospace\"];\n  edge [fontname=\"monospace\", fontsize=10, color=\"#7b8794\"];\n",
    );
    let colours = Colours::of(&picture.blocks, style.colour);
    for (index, (block, paint)) in picture.blocks.iter().zip(&colours.paints).enumerate() {
        let tip: Vec<String> = block.tip.iter().map(|line| escape(line)).collect();
        let _ =
            write!(out, "  n{index} [label=\"{}\", tooltip=\"{}\"", escape(&block.label), tip.join("\\n"));
        out.push_str(match block.kind {
            Kind::Node => "",
            Kind::Call => ", shape=circle, style=filled",
            Kind::Value => ", style=filled, height=\"0.3\"",
        });
        if style.colour != Colour::Function {
            let _ = write!(
                out,
                ", fillcolor=\"{}\", color=\"{}\", fontcolor=\"{}\"",
                paint.fill, paint.line, paint.ink
            );
        }
        out.push_str("];\n");
    }
    for edge in &picture.edges {
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
