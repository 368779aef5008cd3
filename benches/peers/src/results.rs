//! Raw results: a JSON line for each process, under `target/results`.

use crate::child::Outcome;
use anyhow::{Context, Result};
use serde_json::json;
use std::fs::{self, File};
use std::io::Write;
use std::path::PathBuf;

/// The folder of this package.
pub fn home() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

#[derive(Debug)]
pub struct Results {
    file: File,
}

/// Starts a file of results anew.
pub fn create(name: &str) -> Result<Results> {
    let folder = home().join("target/results");
    fs::create_dir_all(&folder).with_context(|| format!("{} cannot be made", folder.display()))?;
    let path = folder.join(name).with_extension("jsonl");
    let file = File::create(&path).with_context(|| format!("{} cannot be written", path.display()))?;
    Ok(Results { file })
}

impl Results {
    pub fn add(&mut self, outcome: &Outcome) -> Result<()> {
        let line = match outcome {
            Ok(measurement) => json!(measurement),
            Err(reason) => json!({ "missing": reason }),
        };
        writeln!(self.file, "{line}").context("a result cannot be written")
    }
}
