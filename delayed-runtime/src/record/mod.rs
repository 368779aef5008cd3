//! Recordings: what happened, kept until somebody asks why it was not faster.
//!
//! A thread takes what threads have written, often enough that they do not overwrite it, and keeps it as it
//! is. Only in the end it becomes a story (`story.rs`, `intervals.rs`), of which the report is made: the
//! longest path (`path.rs`), where the time of threads went (`spent.rs`), figures (`report.rs`), advice
//! (`advice.rs`), and files (`save.rs`).

mod advice;
mod cost;
mod environment;
mod html;
mod intervals;
mod json;
mod path;
mod report;
mod save;
mod spent;
mod story;
mod terminal;
#[cfg(all(test, not(loom)))]
mod tests;
mod trace;

pub(crate) use environment::begin;
pub use report::{FunctionTimes, Report, Step, ThreadTimes};
pub use spent::{Live, Spent};

use crate::engine::{self, Engine};
use crate::event::{Batch, Events, decode};
use cost::Cost;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use story::Story;

/// The most slots that are kept: 256 MiB, some 1.5 million nodes.
const MOST: usize = 8 << 20;
/// How often rings are read, so that they are a tenth to a third full: each look takes a core from its program for
/// some ten microseconds. A thread that begins to run trivial nodes goes round its largest ring in some 10 ms.
const OFTEN: Duration = Duration::from_micros(500);
const SELDOM: Duration = Duration::from_millis(4);

/// Keeps what happens to nodes, until [`finish`](Recording::finish) makes a report of it or it is dropped.
///
/// It keeps the first eight million events, some 1.5 million nodes, in at most 256 MiB. [`Report::lost`]
/// counts what is missing.
///
/// ```
/// # use delayed_runtime as delayed;
/// let client = delayed::Client::builder().threads_per_worker(2).build()?;
/// let recording = client.record();
/// let _guard = client.enter();
/// let sum: delayed::Delayed<u64> = (0..64).map(|i| delayed::call(move || i * i, ())).sum();
/// sum.wait()?;
/// let report = recording.finish();
/// println!("{report}");
/// assert!(report.started > 64);
/// # Ok::<(), delayed::Error>(())
/// ```
#[must_use = "nothing is kept once it is dropped"]
pub struct Recording {
    stop: Arc<AtomicBool>,
    reader: Option<JoinHandle<Kept>>,
    /// `None` for all clients.
    client: Option<Arc<Engine>>,
}

/// Records the nodes of all clients, from now on: see [`Client::record`](crate::Client::record).
///
/// # Panics
///
/// If the operating system gives it no thread.
pub fn record() -> Recording {
    Recording::start(None)
}

impl Recording {
    pub(crate) fn start(client: Option<Arc<Engine>>) -> Recording {
        let number = client.as_ref().map_or(0, |engine| engine.number);
        let stop = Arc::new(AtomicBool::new(false));
        match spawn(number, stop.clone(), |kept| kept) {
            Ok(reader) => Recording { stop, reader: Some(reader), client },
            Err(error) => panic!("a recording needs a thread: {error}"),
        }
    }

    /// Stops, and says what happened. What still runs is counted until now.
    pub fn finish(mut self) -> Report {
        let reader = self.reader.take().map(|reader| end(&self.stop, reader));
        let threads = self.client.as_ref().map_or_else(engine::most_threads, |engine| engine.threads());
        match reader {
            Some(Ok(kept)) => kept.report(threads),
            _ => Kept::default().report(threads),
        }
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording").finish_non_exhaustive()
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Ends a reading thread, and waits for what it still does.
fn end<T>(stop: &AtomicBool, reader: JoinHandle<T>) -> thread::Result<T> {
    stop.store(true, Ordering::Relaxed);
    reader.thread().unpark();
    reader.join()
}

/// What the thread has read.
#[derive(Debug, Default)]
struct Kept {
    batches: Vec<Batch>,
    /// Slots that were overwritten, or are too many.
    lost: u64,
    begin: Duration,
    end: Duration,
    cost: Cost,
}

/// Reads on a thread of its own, from before this returns until `stop` is set, and does `then`.
fn spawn<T: Send + 'static>(
    client: u16,
    stop: Arc<AtomicBool>,
    then: impl FnOnce(Kept) -> T + Send + 'static,
) -> io::Result<JoinHandle<T>> {
    let cost = Cost::measure();
    let events = Events::new(client);
    let begin = events.now();
    let read = move || then(Kept::read(events, &stop, Kept { begin, cost, ..Kept::default() }));
    thread::Builder::new().name("delayed-record".to_owned()).spawn(read)
}

impl Kept {
    fn read(mut events: Events, stop: &AtomicBool, mut kept: Kept) -> Kept {
        let (mut slots, mut left_out) = (0, 0);
        let mut pause = OFTEN;
        loop {
            thread::park_timeout(pause);
            // Before the rings are read, so that nothing is missing that came before it was set.
            let is_last = stop.load(Ordering::Relaxed);
            let batches = events.take();
            // Afterwards, so that nothing that was read comes later.
            let now = events.now();
            pause = match events.fullest() {
                0..10 => SELDOM.min(pause * 2),
                10..30 => pause,
                _ => OFTEN.max(pause / 4),
            };
            for batch in batches {
                if slots + batch.len() > MOST {
                    left_out += batch.len() as u64;
                } else {
                    slots += batch.len();
                    kept.batches.push(batch);
                }
            }
            if is_last {
                (kept.end, kept.lost) = (now, events.lost() + left_out);
                return kept;
            }
        }
    }

    fn report(self, threads: usize) -> Report {
        let mut story = Story::new(self.begin.as_nanos() as u64);
        for batch in self.batches {
            decode(vec![batch]).into_iter().for_each(|event| story.add(event));
        }
        let story = story.ends(self.end.as_nanos() as u64, self.cost, self.lost == 0);
        Report::of(story, threads, self.lost)
    }
}
