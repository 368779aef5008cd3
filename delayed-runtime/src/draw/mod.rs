//! Pictures of graphs: one file for each format, and what they share.
//!
//! `picture` (or `group`) says what is drawn, `colour` in which colours, `shape` how large each
//! block is, `layer`, `order` and `layout` where it stands; `svg`, `dot`, `mermaid` and `text` write it, and
//! `png` paints what `svg` has written.

mod colour;
mod dot;
mod group;
mod label;
mod layer;
mod layout;
mod mermaid;
mod order;
mod picture;
#[cfg(feature = "png")]
mod png;
mod shape;
mod style;
mod svg;
mod text;

pub(crate) use colour::{Paint, of_functions};
pub use style::{Colour, Style};
pub(crate) use svg::escape;

use crate::collection::Collection;
use crate::error::Error;
use crate::graph::{self, Graph};
use crate::handle::Delayed;
use crate::task::Place;
use group::readable;
use picture::Picture;
use std::panic::Location;
use std::path::Path;

/// Draws what handles reach into a file, in the format that its ending names: `.svg`, `.png` (with
/// the feature `png`), `.dot` or `.gv` (Graphviz), `.mmd` or `.mermaid`, or `.txt` (a tree for
/// terminals).
///
/// Values flow from top to bottom. A node lets go of its inputs when it is about to run, so draw a
/// graph before it is computed. Above 2,000 nodes all formats but Graphviz's show groups of calls
/// of one function at one depth, and say so. PNG has Latin, Greek and Cyrillic letters and common
/// signs; `�` stands for others. [`visualize_with`] draws in another [`Style`].
///
/// # Errors
///
/// If the file has another ending, or cannot be written.
#[track_caller]
pub fn visualize<C: Collection>(handles: C, path: impl AsRef<Path>) -> Result<(), Error> {
    visualize_with(handles, Style::new(), path)
}

/// Draws what handles reach into a file, in a style of one's own: see [`visualize`].
///
/// ```
/// # use delayed_runtime as delayed;
/// use delayed::{Style, value, visualize_with};
///
/// let (x, y) = (value(1), value(2));
/// # let path = std::env::temp_dir().join("delayed-doc-visualize-with.svg");
/// visualize_with((&x + &y, x - y), Style::new().left_to_right().values(), &path)?;
/// # std::fs::remove_file(path).ok();
/// # Ok::<(), delayed::Error>(())
/// ```
///
/// # Errors
///
/// If the file's ending names no format, or the file cannot be written.
#[track_caller]
pub fn visualize_with<C: Collection>(handles: C, style: Style, path: impl AsRef<Path>) -> Result<(), Error> {
    graph::of(&handles).visualize(style, path)
}

impl Graph {
    /// Draws the graph into a file, in the format that its ending names: see [`visualize`].
    ///
    /// # Errors
    ///
    /// If the file's ending names no format, or the file cannot be written.
    ///
    /// # Panics
    ///
    /// If an edge names no node, or one that is not after the other.
    #[track_caller]
    pub fn visualize(&self, style: Style, path: impl AsRef<Path>) -> Result<(), Error> {
        let (path, place) = (path.as_ref(), Place::from(Location::caller()));
        let error = |what| Error::misuse("visualize", place, what);
        let shown = path.display();
        let ending = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
        let drawing = match &*ending {
            "svg" => self.svg(&style).into_bytes(),
            "png" => self.png(&style).map_err(|what| error(format!("cannot paint `{shown}`: {what}")))?,
            "dot" | "gv" => self.dot(&style).into_bytes(),
            "mmd" | "mermaid" => self.mermaid(&style).into_bytes(),
            "txt" => self.text(&style).into_bytes(),
            _ => {
                return Err(error(format!(
                    "`{shown}` has no ending that names a format; \
                     use .svg, .png, .dot, .gv, .mmd, .mermaid or .txt"
                )));
            }
        };
        std::fs::write(path, drawing).map_err(|e| {
            error(format!("cannot write `{shown}`: {e}; name a file in a folder that exists and is writable"))
        })
    }

    /// The graph as an SVG picture, which may stand in a page beside others. It holds no scripts,
    /// styles or ids; the `<g>` of a node has its key as `data-key`, cut like its label.
    ///
    /// # Panics
    ///
    /// If an edge names no node, or one that is not after the other; so do the other formats.
    pub fn svg(&self, style: &Style) -> String {
        svg::draw(&readable(self, style), style)
    }

    #[cfg(feature = "png")]
    fn png(&self, style: &Style) -> Result<Vec<u8>, String> {
        png::draw(&self.svg(style))
    }

    #[cfg(not(feature = "png"))]
    fn png(&self, _: &Style) -> Result<Vec<u8>, String> {
        Err("PNG needs the feature `png` of the crate `delayed`; turn it on, or use .svg".to_owned())
    }

    /// The graph in Graphviz's language.
    pub fn dot(&self, style: &Style) -> String {
        dot::draw(&Picture::of(self, style), style)
    }

    /// The graph as a Mermaid flowchart.
    pub fn mermaid(&self, style: &Style) -> String {
        mermaid::draw(&readable(self, style), style)
    }

    /// The graph as a tree for terminals, in which each node stands above its inputs.
    pub fn text(&self, style: &Style) -> String {
        let style = Style { values: false, ..style.clone() };
        text::draw(&readable(self, &style), &style)
    }
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

    /// Draws what this handle reaches into a file, in a style of one's own: see [`visualize`].
    ///
    /// # Errors
    ///
    /// If the file's ending names no format, or the file cannot be written.
    #[track_caller]
    pub fn visualize_with(&self, style: Style, path: impl AsRef<Path>) -> Result<(), Error> {
        visualize_with(self, style, path)
    }

    /// What this handle reaches, in Graphviz's language.
    pub fn dot(&self) -> String {
        self.graph().dot(&Style::new())
    }

    /// What this handle reaches, as a Mermaid flowchart.
    ///
    /// Mermaid draws at most 500 edges unless its `maxEdges` is raised.
    pub fn mermaid(&self) -> String {
        self.graph().mermaid(&Style::new())
    }

    /// Shows the picture of what this handle reaches in the cell of a notebook. The Rust kernel of
    /// Jupyter, [evcxr](https://github.com/evcxr/evcxr), calls it for a cell that ends with a handle.
    pub fn evcxr_display(&self) {
        let svg = self.graph().svg(&Style::new());
        println!(
            "EVCXR_BEGIN_CONTENT text/html\n<div style=\"overflow:auto\">\n{svg}</div>\nEVCXR_END_CONTENT"
        );
    }
}
