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
use crate::visible::{self, visible};
use picture::Picture;
use std::panic::Location;
use std::path::Path;
pub(crate) use svg::{colours, escape};

/// The longest label, in characters.
const LABEL: usize = 40;
/// The most accents of one character.
const MARKS: usize = 3;

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
        "svg" => svg,
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

/// A graph as SVG.
pub(crate) fn svg(graph: &Graph) -> String {
    svg::draw(&Picture::of(graph))
}

/// A name as pictures show it: one line without what cannot be seen, cut where it is too long.
fn label(name: &str) -> String {
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

/// The key, place and status of a node, each of which is cut and made visible.
fn tip(node: &GraphNode) -> [String; 3] {
    let number = node.key.rsplit_once('-').map_or("", |(_, number)| number);
    [
        format!("{}-{number}", label(&node.name)),
        format!("{}:{}", visible::line(node.file), node.line),
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
