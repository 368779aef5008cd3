//! A tree for terminals: each node above its inputs.

use super::label::{label, shown, status};
use super::picture::{Block, Picture};
use super::style::{Colour, Style};
use crate::handle::Status;
use std::fmt::Write;

/// How deep a tree is indented. What is deeper begins a tree of its own.
const DEPTH: usize = 24;

/// Draws all nodes without consumers with what is below them. A node that comes again is numbered,
/// and what is below it is drawn once: further up (↑) or further down (↓).
pub(super) fn draw(picture: &Picture<'_>, style: &Style) -> String {
    let count = picture.blocks.len();
    let mut inputs: Vec<Vec<(usize, &str)>> = vec![Vec::new(); count];
    let mut consumers = vec![0; count];
    for edge in &picture.edges {
        inputs[edge.to].push((edge.from, &*edge.param));
        consumers[edge.from] += 1;
    }
    let mut out = picture.caption.as_ref().map_or_else(String::new, |caption| format!("{caption}\n"));
    let mut drawn = vec![false; count];
    let mut numbers = vec![0; count];
    let mut last = 0;
    let mut roots: Vec<usize> = (0..count).filter(|&node| consumers[node] == 0).rev().collect();
    while let Some(root) = roots.pop() {
        if drawn[root] {
            continue;
        }
        let mut stack = vec![Line { node: root, param: "", indent: String::new(), branch: "", below: "" }];
        let mut deeper = Vec::new();
        while let Some(line) = stack.pop() {
            let node = line.node;
            let inner = &inputs[node];
            let again = drawn[node];
            let cut = !again && !inner.is_empty() && line.indent.chars().count() == 3 * DEPTH;
            if numbers[node] == 0 && (consumers[node] > 1 || cut) {
                last += 1;
                numbers[node] = last;
            }
            let elsewhere = if again {
                " ↑"
            } else if cut {
                " ↓"
            } else {
                ""
            };
            line.write(&picture.blocks[node], numbers[node], elsewhere, &mut out);
            let block = &picture.blocks[node];
            match style.colour {
                Colour::Order => out.extend(block.order.map(|order| format!(" #{order}"))),
                Colour::Time => out.extend(block.time.map(|time| format!(" {}", shown(time)))),
                Colour::Function | Colour::State => {}
            }
            out.push('\n');
            if cut {
                deeper.push(node);
            }
            if again || cut {
                continue;
            }
            drawn[node] = true;
            let indent = line.indent + line.below;
            stack.extend(inner.iter().enumerate().rev().map(|(at, &(node, param))| {
                let (branch, below) =
                    if at + 1 == inner.len() { ("└─ ", "   ") } else { ("├─ ", "│  ") };
                Line { node, param, indent: indent.clone(), branch, below }
            }));
        }
        roots.extend(deeper.into_iter().rev());
    }
    out
}

/// A line that is to be written.
struct Line<'g> {
    node: usize,
    param: &'g str,
    indent: String,
    branch: &'static str,
    /// What lines below this one have in place of `branch`.
    below: &'static str,
}

impl Line<'_> {
    fn write(&self, block: &Block<'_>, number: usize, elsewhere: &str, out: &mut String) {
        let Line { indent, branch, param, .. } = self;
        let _ = write!(out, "{indent}{branch}");
        if !param.is_empty() {
            let _ = write!(out, "{}: ", label(param));
        }
        out.push_str(&block.label);
        if number > 0 {
            let _ = write!(out, " ({number}){elsewhere}");
        }
        if let Some(of @ (Status::Waiting | Status::Running | Status::Failed)) = block.status {
            let _ = write!(out, " {}", status(of));
        }
    }
}
