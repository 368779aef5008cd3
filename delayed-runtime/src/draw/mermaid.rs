//! Mermaid flowcharts.

use super::colour::{Colours, Paint};
use super::label::label;
use super::picture::{Kind, Picture};
use super::style::{Colour, Style};
use std::fmt::Write;

pub(super) fn draw(picture: &Picture<'_>, style: &Style) -> String {
    let mut out = format!("flowchart {}\n", if style.left_to_right { "LR" } else { "TD" });
    if let Some(caption) = &picture.caption {
        let _ = writeln!(out, "    %% {caption}");
    }
    for (index, block) in picture.blocks.iter().enumerate() {
        let (open, close) = if block.kind == Kind::Call { ("((", "))") } else { ("[", "]") };
        // Mermaid refuses a text that is empty.
        let label = if block.is_result() { " ".to_owned() } else { escape(&block.label) };
        let _ = writeln!(out, "    n{index}{open}\"{label}\"{close}");
    }
    for edge in &picture.edges {
        let _ = write!(out, "    n{} -->", edge.from);
        if style.labels && !edge.param.is_empty() {
            let _ = write!(out, "|\"{}\"|", escape(&label(&edge.param)));
        }
        let _ = writeln!(out, " n{}", edge.to);
    }
    if style.colour != Colour::Function {
        let colours = Colours::of(&picture.blocks, style.colour);
        for (index, Paint { fill, line, ink }) in colours.paints.iter().enumerate() {
            let _ = writeln!(out, "    style n{index} fill:{fill},stroke:{line},color:{ink}");
        }
    }
    out
}

/// Writes all punctuation that Mermaid, its directives (`%%{…}%%`), Markdown or HTML may read as
/// an entity: `#34;`.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied().unwrap_or(' ');
        let plain = match c {
            // Before a space they would begin a Markdown list, and a dot after `www` a link.
            '.' | '-' => next != ' ' && !before.eq_ignore_ascii_case(&'w'),
            ')' => next != ' ' || !before.is_ascii_digit(),
            // Inside a word it is no emphasis.
            '_' => before.is_alphanumeric() && next.is_alphanumeric(),
            ',' | '/' | '(' | ' ' => true,
            c => !c.is_ascii_punctuation(),
        };
        if plain {
            out.push(c);
        } else {
            let _ = write!(out, "#{};", u32::from(c));
        }
        before = c;
    }
    out
}
