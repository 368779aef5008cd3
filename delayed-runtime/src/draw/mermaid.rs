//! Mermaid flowcharts.

use super::picture::Picture;
use std::fmt::Write;

pub(super) fn draw(picture: &Picture<'_>) -> String {
    let mut out = String::from("flowchart TD\n");
    if let Some(caption) = &picture.caption {
        let _ = writeln!(out, "    %% {caption}");
    }
    for (index, block) in picture.blocks.iter().enumerate() {
        let _ = writeln!(out, "    n{index}[\"{}\"]", escape(&block.label));
    }
    for edge in &picture.edges {
        let _ = writeln!(out, "    n{} --> n{}", edge.from, edge.to);
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
