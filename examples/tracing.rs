//! Sends the spans of nodes to `tracing-subscriber`, which prints a line when each is closed and one for
//! each event in it. One of the files is missing.
//!
//! ```sh
//! cargo run --features tracing --example tracing
//! ```

use delayed::{Delayed, delayed};
use std::io;
use tracing::{Level, info, info_span};
use tracing_subscriber::fmt::format::FmtSpan;
use tracing_subscriber::fmt::time::uptime;

#[delayed]
async fn read(path: &str) -> io::Result<String> {
    tokio::fs::read_to_string(path).await
}

#[delayed]
fn words(text: &str) -> usize {
    let words = text.split_whitespace().count();
    info!(words, "counted");
    words
}

#[tokio::main]
async fn main() {
    tracing_subscriber::fmt()
        .with_max_level(Level::DEBUG)
        .with_span_events(FmtSpan::CLOSE)
        .with_timer(uptime())
        .with_target(false)
        .init();
    let files =
        |names: &[&'static str]| -> Delayed<usize> { names.iter().map(|name| words(read(*name))).sum() };
    let docs = info_span!("docs").in_scope(|| files(&["README.md", "ARCHITECTURE.md"]));
    let notes = info_span!("notes").in_scope(|| files(&["CHANGELOG.md", "NOTES.md"]));
    for (what, count) in ["docs", "notes"].into_iter().zip(delayed::settle([docs, notes]).await) {
        match count {
            Ok(words) => println!("{words} words in {what}"),
            Err(error) => println!("{what}: {error}"),
        }
    }
}
