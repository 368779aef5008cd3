//! A report as a file.

use super::report::Report;
use super::{html, json, trace};
use crate::error::Error;
use crate::task::Place;
use std::io;
use std::panic::Location;
use std::path::Path;

pub(super) const ENDINGS: &str = ".html, .json, .trace.json or .txt";

/// What can be written.
#[derive(Clone, Copy)]
pub(super) enum Format {
    Html,
    Json,
    Trace,
    Text,
}

impl Format {
    /// The format that the ending of a path names.
    pub(super) fn of(path: &Path) -> Option<Format> {
        let name = path.file_name()?.to_string_lossy().to_ascii_lowercase();
        let endings = [
            (".html", Format::Html),
            (".trace.json", Format::Trace),
            (".json", Format::Json),
            (".txt", Format::Text),
        ];
        endings.into_iter().find(|(ending, _)| name.ends_with(ending)).map(|(_, format)| format)
    }

    pub(super) fn write(self, report: &Report, path: &Path) -> io::Result<()> {
        let text = match self {
            Format::Html => html::page(report),
            Format::Json => json::report(report),
            Format::Trace => trace::trace(report),
            Format::Text => report.to_string(),
        };
        std::fs::write(path, text)
    }
}

impl Report {
    /// Writes the report in the format that the file's ending names: `.html`, a page that needs nothing
    /// else; `.json`, the figures; `.trace.json`, each node in Chrome's trace format, for
    /// [Perfetto](https://ui.perfetto.dev); `.txt`, what `Display` shows. In JSON times are nanoseconds, sizes
    /// bytes, and shares go from 0 to 1.
    ///
    /// # Errors
    ///
    /// If the file has another ending, or cannot be written.
    #[track_caller]
    pub fn save(&self, path: impl AsRef<Path>) -> Result<(), Error> {
        let (path, place) = (path.as_ref(), Place::from(Location::caller()));
        let error = |what| Error::misuse("save", place, what);
        let Some(format) = Format::of(path) else {
            let path = path.display();
            return Err(error(format!("`{path}` has no ending that names a format; use {ENDINGS}")));
        };
        format.write(self, path).map_err(|e| {
            let path = path.display();
            error(format!("cannot write `{path}`: {e}; name a file in a folder that exists and is writable"))
        })
    }
}
