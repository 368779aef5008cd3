//! Pictures of graphs: one file for each format, and what they share.

mod dot;
mod layout;
mod mermaid;
mod picture;
mod svg;
mod text;

use crate::collection::Collection;
use crate::error::Error;
use crate::graph::{self, Graph, GraphNode};
use crate::handle::{Delayed, Status};
use crate::task::Place;
use picture::Picture;
use std::panic::Location;
use std::path::Path;

/// The longest label, in characters.
const LABEL: usize = 40;

/// Draws what handles reach into a file, in the format that its ending names: `.svg`, `.dot` or
/// `.gv` (Graphviz), `.mmd` or `.mermaid`, or `.txt` (a tree for terminals).
///
/// Values flow from top to bottom. A node lets go of its inputs when it is about to run, so draw a
/// graph before it is computed. Above 2,000 nodes all formats but Graphviz's show groups of nodes
/// with one name at one depth, and say so.
///
/// # Errors
///
/// If the file has another ending, or cannot be written.
#[track_caller]
pub fn visualize<C: Collection>(handles: C, path: impl AsRef<Path>) -> Result<(), Error> {
    let (path, place) = (path.as_ref(), Place::from(Location::caller()));
    let error = |what| Error::misuse("visualize", place, what);
    let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let draw: fn(&Graph) -> String = match &*ending {
        "svg" => |graph| svg::draw(&Picture::of(graph)),
        "dot" | "gv" => dot::draw,
        "mmd" | "mermaid" => |graph| mermaid::draw(&Picture::of(graph)),
        "txt" => |graph| text::draw(&Picture::of(graph)),
        _ => {
            return Err(error(format!(
                "`{}` has no ending that names a format; use .svg, .dot, .gv, .mmd, .mermaid or .txt",
                path.display()
            )));
        }
    };
    std::fs::write(path, draw(&graph::of(&handles))).map_err(|e| {
        error(format!(
            "cannot write `{}`: {e}; name a file in a folder that exists and is writable",
            path.display()
        ))
    })
}

impl<T: Send + Sync + 'static> Delayed<T> {
    /// Draws what this handle reaches into a file: see [`visualize`].
    ///
    /// # Errors
    ///
    /// If the file's ending names no format, or the file cannot be written.
    #[track_caller]
    pub fn visualize(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        visualize(self, path)
    }

    /// What this handle reaches, in Graphviz's language.
    pub fn dot(&self) -> String {
        dot::draw(&self.graph())
    }

    /// What this handle reaches, as a Mermaid flowchart.
    ///
    /// Mermaid draws at most 500 edges unless its `maxEdges` is raised.
    pub fn mermaid(&self) -> String {
        mermaid::draw(&Picture::of(&self.graph()))
    }
}

/// A name on one line, without characters that are invisible, reorder others or are no XML, and
/// cut where it is too long.
fn label(name: &str) -> String {
    let mut label: String = name.chars().take(LABEL).map(visible).collect();
    if name.chars().nth(LABEL).is_some() {
        label.pop();
        label.push('…');
    }
    if label.trim().is_empty() { "(no name)".to_owned() } else { label }
}

fn visible(c: char) -> char {
    match c {
        '\t' | '\n' | '\r' | '\u{2028}' | '\u{2029}' => ' ',
        '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' => '\u{FFFD}',
        '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}' => {
            '\u{FFFD}'
        }
        c if c.is_control() || u32::from(c) & 0xFFFE == 0xFFFE => '\u{FFFD}',
        c => c,
    }
}

/// The key, place and status of a node, each of which is cut and made visible.
fn tip(node: &GraphNode) -> [String; 3] {
    let number = node.key.rsplit_once('-').map_or("", |(_, number)| number);
    let file: String = node.file.chars().map(visible).collect();
    [
        format!("{}-{number}", label(&node.name)),
        format!("{file}:{}", node.line),
        status(node.status).to_owned(),
    ]
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Lazy => "lazy",
        Status::Waiting => "waiting",
        Status::Running => "running",
        Status::Done => "done",
        Status::Failed => "failed",
    }
}
