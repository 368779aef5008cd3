//! Bars on a terminal.
//!
//! What there is to do is known from the graph, and what is done from events. So nothing holds the nodes: their
//! values move and are freed as without bars.

use crate::collection::Collection;
use crate::event::{Events, Step, events};
use crate::graph;
use crate::handle::Status;
use crate::visible;
use indicatif::{HumanCount, MultiProgress, ProgressBar, ProgressFinish, ProgressState, ProgressStyle};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::fmt::{self, Write};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How often the bars are drawn anew.
const EACH: Duration = Duration::from_millis(50);
/// How often events are read at most, which is when threads write fast.
const OFTEN: Duration = Duration::from_micros(500);
/// The functions with the most nodes have bars of their own.
const FUNCTIONS: usize = 8;
/// The longest name, in characters.
const NAME: usize = 24;

/// Bars that show how far some graph is, until they are dropped: see [`progress()`].
#[must_use = "the bars go on only while this lives"]
pub struct ProgressBars {
    stop: Option<Sender<()>>,
    drawing: Option<JoinHandle<()>>,
}

/// Shows how far what some handles reach is, on the error stream: a bar for each of the functions with the
/// most nodes, and one for all, with the rate and the time that remains.
///
/// ```no_run
/// # use delayed_runtime as delayed;
/// # let handles: Vec<delayed::Delayed<u64>> = Vec::new();
/// let bars = delayed::progress(&handles);
/// let values = delayed::wait(handles)?;
/// drop(bars);
/// # Ok::<(), delayed::Error>(())
/// ```
///
/// Where the stream is no terminal nothing is shown. The bars count the nodes that the handles reach now, not
/// those that nodes make later. They hold no node. When they are dropped, the last state stays.
///
/// # Panics
///
/// If the operating system gives it no thread.
pub fn progress(handles: impl Collection) -> ProgressBars {
    progress_on(&MultiProgress::new(), handles)
}

/// Shows how far what some handles reach is, below other bars: see [`progress()`].
///
/// # Panics
///
/// If the operating system gives it no thread.
pub fn progress_on(bars: &MultiProgress, handles: impl Collection) -> ProgressBars {
    // Before the graph is looked at, so that nothing ends in between.
    let events = events();
    let bars = Bars::new(bars, &handles);
    drop(handles);
    let (stop, stopped) = mpsc::channel();
    let draw = move || {
        bars.draw(events, |pause| stopped.recv_timeout(pause) == Err(RecvTimeoutError::Timeout));
    };
    let drawing = thread::Builder::new().name("delayed-progress".to_owned()).spawn(draw);
    match drawing {
        Ok(drawing) => ProgressBars { stop: Some(stop), drawing: Some(drawing) },
        Err(error) => panic!("progress bars need a thread: {error}"),
    }
}

impl Drop for ProgressBars {
    fn drop(&mut self) {
        self.stop.take();
        if let Some(drawing) = self.drawing.take() {
            // If it panicked it has said so.
            let _ = drawing.join();
        }
    }
}

impl fmt::Debug for ProgressBars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProgressBars").finish_non_exhaustive()
    }
}

struct Bars {
    total: ProgressBar,
    /// Of functions, and the last for all others.
    functions: Vec<ProgressBar>,
    /// The bar of each node that has not ended.
    left: HashMap<u64, usize>,
    failed: u64,
    /// Some of them may have ended unseen.
    lost: bool,
}

impl Bars {
    fn new(bars: &MultiProgress, handles: &impl Collection) -> Bars {
        let (graph, ids) = graph::with_ids(handles);
        let has_ended = |node: usize| matches!(graph.nodes[node].status, Status::Done | Status::Failed);
        let mut counts: HashMap<&str, u64> = HashMap::new();
        let calls = graph.nodes.iter().filter(|node| !node.is_value());
        calls.for_each(|node| *counts.entry(&node.function).or_default() += 1);
        let mut names: Vec<(&str, u64)> = counts.into_iter().collect();
        names.sort_unstable_by_key(|(name, count)| (Reverse(*count), *name));
        let others: u64 = names.iter().skip(FUNCTIONS).map(|(_, count)| count).sum();
        names.truncate(FUNCTIONS);
        let place: HashMap<&str, usize> =
            names.iter().enumerate().map(|(at, (name, _))| (*name, at)).collect();
        if others > 0 {
            names.push(("others", others));
        }
        let all = names.iter().map(|(_, count)| count).sum();
        let functions = names.iter().map(|(name, count)| bars.add(bar(*count, name, ONE)));
        let functions = functions.collect::<Vec<_>>();
        let total = bars.add(bar(all, "all", ALL));
        let mut bars =
            Bars { total, functions, left: HashMap::with_capacity(ids.len()), failed: 0, lost: false };
        for (id, node) in ids {
            if graph.nodes[node].is_value() {
                continue;
            }
            let at = place.get(&*graph.nodes[node].function).copied().unwrap_or(bars.functions.len() - 1);
            bars.left.insert(id, at);
            if has_ended(node) {
                bars.ended(id, graph.nodes[node].status == Status::Failed);
            }
        }
        bars
    }

    fn ended(&mut self, id: u64, failed: bool) {
        let Some(at) = self.left.remove(&id) else { return };
        self.functions[at].inc(1);
        self.total.inc(1);
        self.failed += u64::from(failed);
    }

    /// Draws until `goes_on` says no, which waits for a while.
    fn draw(mut self, mut events: Events, mut goes_on: impl FnMut(Duration) -> bool) {
        let (mut drawn, mut pause) = (Instant::now(), OFTEN);
        loop {
            let is_last = !goes_on(pause);
            for (id, step) in events.take().iter().flat_map(|batch| batch.steps()).collect::<Vec<_>>() {
                if let Step::Finished | Step::Failed = step {
                    self.ended(id, step == Step::Failed);
                }
            }
            pause = if events.fullest() > 10 { OFTEN.max(pause / 4) } else { (pause * 2).min(EACH) };
            if !is_last && drawn.elapsed() < EACH {
                continue;
            }
            drawn = Instant::now();
            self.lost = events.lost() > 0;
            self.say();
            // Bars that changed between two drawings are drawn here.
            self.functions.iter().chain([&self.total]).for_each(ProgressBar::tick);
            if is_last {
                self.functions.iter().chain([&self.total]).for_each(ProgressBar::finish_using_style);
                return;
            }
        }
    }

    fn say(&self) {
        let failed = if self.failed > 0 { format!("{} failed", self.failed) } else { String::new() };
        let lost = if self.lost { "at least: events came too fast" } else { "" };
        self.total.set_message([&*failed, lost].join(if self.failed > 0 && self.lost { ", " } else { "" }));
    }
}

const ONE: &str = "{prefix:>24} {bar:30} {human_pos:>9} of {human_len}";
const ALL: &str = "{prefix:>24} {bar:30} {human_pos:>9} of {human_len}, {rate}/s, {eta} left {msg}";

fn bar(length: u64, name: &str, template: &str) -> ProgressBar {
    let rate = |state: &ProgressState, out: &mut dyn Write| {
        let _ = write!(out, "{}", HumanCount(state.per_sec() as u64));
    };
    let style = ProgressStyle::with_template(template).expect("the templates are constants");
    let style = style.with_key("rate", rate);
    ProgressBar::new(length)
        .with_style(style)
        .with_prefix(visible::cut(name, NAME))
        .with_finish(ProgressFinish::Abandon)
}
