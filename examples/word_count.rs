//! Counts the words of all files of a directory: asynchronous nodes read, others count, and a tree
//! of merges makes one map of all. A file that is no text is reported and left out.
//!
//! ```sh
//! cargo run --release --example word_count            # the *.md and *.rs files of this repository
//! cargo run --release --example word_count -- DIR     # all files in DIR
//! ```

use anyhow::bail;
use delayed::{Delayed, delayed};
use futures::StreamExt;
use std::collections::{HashMap, VecDeque};
use std::fmt::Display;
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use tokio::signal::ctrl_c;
use tokio::sync::Semaphore;

/// Not `Clone`, so that the compiler knows that no map is copied on its way through the tree.
pub(crate) struct Words(HashMap<String, u64>);

/// All asynchronous nodes wait at the same time, but a process may not open all files at once.
static OPEN_FILES: Semaphore = Semaphore::const_new(200);

#[delayed]
async fn read(path: PathBuf) -> io::Result<String> {
    let _permit = OPEN_FILES.acquire().await;
    tokio::fs::read_to_string(path).await
}

#[delayed]
fn count(text: &str) -> Words {
    let mut words = HashMap::new();
    for word in text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()) {
        *words.entry(word.to_lowercase()).or_default() += 1;
    }
    Words(words)
}

#[delayed]
fn merge(a: Words, b: Words) -> Words {
    let (mut all, fewer) = if a.0.len() > b.0.len() { (a.0, b.0) } else { (b.0, a.0) };
    for (word, count) in fewer {
        *all.entry(word).or_default() += count;
    }
    Words(all)
}

/// The graph of one file. Nothing is read yet.
pub(crate) fn words(path: &Path) -> Delayed<Words> {
    // The error of a node says its name, and an `io::Error` no path.
    count(read(path).named(path.to_string_lossy()))
}

/// A tree, so that merges run at the same time. `sole` moves a value that cannot be cloned.
pub(crate) fn merge_all(words: Vec<Delayed<Words>>) -> Option<Delayed<Words>> {
    let mut queue = VecDeque::from(words);
    loop {
        let a = queue.pop_front()?;
        let Some(b) = queue.pop_front() else { return Some(a) };
        queue.push_back(merge(a.sole(), b.sole()));
    }
}

#[tokio::main]
async fn main() -> ExitCode {
    tokio::select! {
        result = run() => result.unwrap_or_else(|error| {
            complain(error);
            ExitCode::FAILURE
        }),
        // The future of `run` is dropped, which withdraws its wishes: no other file is begun.
        _ = ctrl_c() => {
            complain("interrupted");
            ExitCode::from(130)
        }
    }
}

async fn run() -> anyhow::Result<ExitCode> {
    let begin = Instant::now();
    let (dir, extensions): (PathBuf, &[&str]) = match std::env::args_os().nth(1) {
        Some(dir) => (dir.into(), &[]),
        None => (env!("CARGO_MANIFEST_DIR").into(), &["md", "rs"]),
    };
    let (paths, mut bad) = files(&dir, extensions);
    let words: Vec<Delayed<Words>> = paths.iter().map(|path| words(path)).collect();

    let mut good = Vec::with_capacity(words.len());
    let mut counted = delayed::as_completed(words);
    while let Some(words) = counted.next().await {
        match words.try_get() {
            Some(Err(error)) => {
                bad += 1;
                complain(error);
            }
            _ => good.push(words),
        }
    }
    let files = good.len();
    let Some(all) = merge_all(good) else {
        bail!("no text files in {}", dir.display());
    };
    let all = all.compute_ref().await?;
    match print(&all.0, files, begin) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(if bad == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }),
    }
}

/// The files below `dir` that have one of the extensions, or all if there are none, and how many
/// directories could not be read.
fn files(dir: &Path, extensions: &[&str]) -> (Vec<PathBuf>, usize) {
    let wanted = |path: &Path| {
        let extension = path.extension().and_then(|extension| extension.to_str());
        extensions.is_empty() || extension.is_some_and(|extension| extensions.contains(&extension))
    };
    let (mut files, mut bad) = (Vec::new(), 0);
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        let entries = dir.read_dir().and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
        match entries {
            Err(error) => {
                bad += 1;
                complain(format_args!("{}: {error}", dir.display()));
            }
            Ok(entries) => {
                for entry in entries {
                    let path = entry.path();
                    // A link to a directory is not followed: it may lead back here.
                    if entry.file_type().is_ok_and(|t| t.is_dir()) {
                        if entry.file_name() != "target" && entry.file_name() != ".git" {
                            dirs.push(path);
                        }
                    } else if path.is_file() && wanted(&path) {
                        files.push(path);
                    }
                }
            }
        }
    }
    files.sort();
    (files, bad)
}

fn print(words: &HashMap<String, u64>, files: usize, begin: Instant) -> io::Result<()> {
    let mut top: Vec<_> = words.iter().collect();
    top.sort_by(|(a, m), (b, n)| n.cmp(m).then(a.cmp(b)));
    let mut out = io::stdout().lock();
    for (word, count) in top.iter().take(20) {
        let bar = "█".repeat((40 * *count / top[0].1) as usize);
        writeln!(out, "{word:>16} {count:7} {bar}")?;
    }
    let all: u64 = words.values().sum();
    let seconds = begin.elapsed().as_secs_f64();
    writeln!(out, "\n{all} words, {} different, in {files} files in {seconds:.2} s", words.len())
}

/// Unlike `eprintln!`, does not panic if nobody listens any more.
fn complain(what: impl Display) {
    let _ = writeln!(io::stderr(), "{what}");
}
