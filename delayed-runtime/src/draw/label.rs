//! What pictures say of a node, on lines that nothing in a name breaks.

use crate::graph::GraphNode;
use crate::handle::Status;
use crate::visible::{self, visible};
use std::time::Duration;

/// The longest label, in characters.
const LABEL: usize = 40;
/// The most accents of one character.
const MARKS: usize = 3;

/// A name as pictures show it: one line without what cannot be seen, cut where it is too long.
pub(super) fn label(name: &str) -> String {
    let mut label: Vec<char> = Vec::with_capacity(LABEL + 2);
    let mut marks = 0;
    for c in name.chars().map(visible) {
        let c = if c.is_whitespace() { ' ' } else { c };
        let is_first = label.last().is_none_or(|last| *last == ' ');
        if c == ' ' && is_first {
            continue;
        }
        marks = if is_mark(c) { marks + 1 } else { 0 };
        if marks > MARKS {
            continue;
        }
        if marks > 0 && is_first {
            label.push('◌');
        }
        label.push(c);
        if label.len() > LABEL {
            label.truncate(LABEL - 1);
            label.push('…');
            break;
        }
    }
    let label: String = label.into_iter().collect();
    if label.is_empty() { "(no name)".to_owned() } else { label.trim_end().to_owned() }
}

/// Accents and the like, which are drawn on the character before them and pile up.
fn is_mark(c: char) -> bool {
    let blocks =
        ['\u{300}'..='\u{36F}', '\u{483}'..='\u{489}', '\u{1AB0}'..='\u{1AFF}', '\u{1DC0}'..='\u{1DFF}'];
    let more = ['\u{20D0}'..='\u{20FF}', '\u{FE20}'..='\u{FE2F}'];
    blocks.iter().chain(&more).any(|block| block.contains(&c))
}

/// A node's key with its name as pictures show it: its `data-key` in SVG.
pub(crate) fn key(node: &GraphNode) -> String {
    let number = node.key.rsplit_once('-').map_or("", |(_, number)| number);
    format!("{}-{}", label(&node.name), visible::cut(number, LABEL))
}

/// All that is known of a node, a line each.
pub(super) fn tip(node: &GraphNode) -> Vec<String> {
    let mut tip = vec![
        key(node),
        format!("{}:{}", visible::line(&node.file), node.line),
        status(node.status).to_owned(),
    ];
    tip.extend(node.order.map(|order| format!("order {order}")));
    tip.extend(node.time.map(|time| format!("took {}", shown(time))));
    tip
}

/// A time in few digits.
pub(super) fn shown(time: Duration) -> String {
    if time.is_zero() { "0".to_owned() } else { format!("{time:.1?}") }
}

pub(super) fn status(status: Status) -> &'static str {
    match status {
        Status::Lazy => "lazy",
        Status::Waiting => "waiting",
        Status::Running => "running",
        Status::Done => "done",
        Status::Failed => "failed",
    }
}
