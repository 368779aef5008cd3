//! Where the time of the threads went, by one pass over what began and ended.

use super::story::{Interval, NEVER, Story};
use crate::event::Runs;
use std::time::Duration;

/// What the threads of the client did while something was wanted; the parts sum up to all of it.
///
/// A thread that comes from one node to the next within 10 µs was busy in between; later it was idle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Spent {
    /// They ran functions.
    pub functions: Duration,
    /// They came from one node to the next: finding it, publishing values, freeing memory.
    pub scheduling: Duration,
    /// They wrote down what is reported here: an estimate from what an event costs.
    pub recording: Duration,
    /// They were idle although a node was ready: it was too short to be shared, or a thread was being woken.
    pub handing_over: Duration,
    /// They were idle, no node was ready, and others ran functions: the graph was not wide enough.
    pub imbalance: Duration,
    /// They were idle, no node was ready, and asynchronous or blocking functions had not ended.
    pub waiting: Duration,
}

impl Spent {
    /// All of it.
    pub fn total(&self) -> Duration {
        self.parts().iter().map(|(_, time)| *time).sum()
    }

    pub(super) fn parts(&self) -> [(&'static str, Duration); 6] {
        [
            ("functions", self.functions),
            ("scheduling", self.scheduling),
            ("recording", self.recording),
            ("handing over", self.handing_over),
            ("imbalance", self.imbalance),
            ("waiting", self.waiting),
        ]
    }
}

/// What is wanted, runs, and could run at a moment.
#[derive(Clone, Copy, Default)]
struct Now {
    wanted: i64,
    busy: i64,
    apart: i64,
    ready: i64,
}

#[derive(Clone, Copy)]
enum Count {
    Wanted,
    Busy,
    Apart,
    Ready,
}

/// What the pass finds.
#[derive(Debug, Default)]
pub(super) struct Passed {
    /// Nanoseconds of threads: see [`Spent`].
    pub(super) handing_over: u64,
    pub(super) imbalance: u64,
    pub(super) waiting: u64,
    /// When two threads were busy for the last time.
    pub(super) last_two: u64,
}

pub(super) fn pass(story: &Story, asked: &[Asked], threads: usize) -> Passed {
    let mut changes: Vec<(u64, Count, i8)> = Vec::new();
    let mut add = |count, begin, end| {
        if begin < end {
            changes.extend([(begin, count, 1), (end, count, -1)]);
        }
    };
    asked.iter().for_each(|asked| add(Count::Wanted, asked.begin, asked.end));
    story.lanes.iter().flat_map(|lane| &lane.spans).for_each(|&(begin, end)| add(Count::Busy, begin, end));
    story.apart.iter().for_each(|interval| add(Count::Apart, interval.begin, interval.end));
    for interval in story.lanes.iter().flat_map(|lane| &lane.intervals) {
        if story.nodes[interval.node as usize].runs == Runs::Blocking {
            add(Count::Apart, interval.begin, interval.end);
        }
    }
    for (node, since) in story.nodes.iter().zip(ready(story, asked)) {
        if node.has_started() {
            add(Count::Ready, since, node.start);
        }
    }
    changes.sort_unstable_by_key(|(time, ..)| *time);

    let mut passed = Passed::default();
    let (mut now, mut since) = (Now::default(), 0);
    for (time, count, by) in changes {
        if time > since {
            let idle = (threads as i64 - now.busy).max(0) as u64 * (time - since);
            if now.wanted > 0 {
                // Where nothing runs at all, a thread is about to.
                let to = if now.ready > 0 || now.apart + now.busy == 0 {
                    &mut passed.handing_over
                } else if now.apart > 0 {
                    &mut passed.waiting
                } else {
                    &mut passed.imbalance
                };
                *to += idle;
            }
            if now.busy > 1 {
                passed.last_two = time;
            }
            since = time;
        }
        let count = match count {
            Count::Wanted => &mut now.wanted,
            Count::Busy => &mut now.busy,
            Count::Apart => &mut now.apart,
            Count::Ready => &mut now.ready,
        };
        *count += i64::from(by);
    }
    passed
}

/// A time in which something was wanted or ran.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Asked {
    pub(super) begin: u64,
    pub(super) end: u64,
    /// It began with a wish, when nothing was wanted: what is wanted now comes after what was.
    pub(super) by_wish: bool,
}

/// The times in their order. A wish that was given up ends with its node, or with all.
pub(super) fn asked(story: &Story) -> Vec<Asked> {
    let runs = story.lanes.iter().flat_map(|lane| &lane.intervals).chain(&story.apart);
    let run = |interval: &Interval| Asked { begin: interval.begin, end: interval.end, by_wish: false };
    let mut all: Vec<Asked> = runs.map(run).collect();
    let last = all.iter().map(|asked| asked.end).max().unwrap_or(0);
    for node in story.nodes.iter().filter(|node| node.demanded != NEVER) {
        // The time of a release is an earlier one's.
        let end = if node.has_ended() { node.end } else { node.released.min(last) };
        all.push(Asked { begin: node.demanded, end, by_wish: true });
    }
    all.retain(|asked| asked.begin < asked.end);
    all.sort_unstable();
    let mut joined: Vec<Asked> = Vec::new();
    for asked in all {
        match joined.last_mut() {
            Some(last) if asked.begin <= last.end => last.end = asked.end.max(last.end),
            _ => joined.push(asked),
        }
    }
    joined
}

/// Since when each node could have started: since its last input, itself, and somebody's wish were there.
fn ready(story: &Story, asked: &[Asked]) -> Vec<u64> {
    let mut ready: Vec<u64> = story
        .nodes
        .iter()
        .map(|node| {
            let at = asked.partition_point(|asked| asked.begin <= node.start);
            let wished = at.checked_sub(1).map_or(0, |at| asked[at].begin);
            if node.built == NEVER { wished } else { node.built.max(wished) }
        })
        .collect();
    for flow in &story.flows {
        let input = &story.nodes[flow.from as usize];
        if input.has_ended() {
            let ready = &mut ready[flow.to as usize];
            *ready = input.end.max(*ready);
        }
    }
    ready
}

/// What was alive at a moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Live {
    /// Since the recording began.
    pub time: Duration,
    /// Values that were there.
    pub values: usize,
    /// Their bytes, as far as they are known: see [`What::Finished`](crate::What::Finished).
    pub bytes: u64,
}

/// Values that are alive, at most `points` moments of them, and the moment with the most bytes, or values.
pub(super) fn live(story: &Story, points: usize) -> (Vec<Live>, Live) {
    let mut changes: Vec<(u64, i64, i64)> = Vec::new();
    for node in story.nodes.iter().filter(|node| node.has_started() && node.has_ended() && !node.failed) {
        changes.push((node.end, 1, node.bytes as i64));
        if node.released != NEVER {
            changes.push((node.released.max(node.end), -1, -(node.bytes as i64)));
        }
    }
    changes.sort_unstable_by_key(|&(time, values, _)| (time, -values));
    let every = (story.end / points.max(1) as u64).max(1);
    let (mut values, mut bytes) = (0_i64, 0_i64);
    let mut curve: Vec<Live> = Vec::new();
    let mut peak = Live::default();
    for (time, more, size) in changes {
        values += more;
        bytes += size;
        let now = Live {
            time: Duration::from_nanos(time),
            values: values.max(0) as usize,
            bytes: bytes.max(0) as u64,
        };
        if (now.bytes, now.values) > (peak.bytes, peak.values) {
            peak = now;
        }
        match curve.last_mut() {
            Some(last) if last.time.as_nanos() as u64 / every == time / every => {
                (last.values, last.bytes) = (last.values.max(now.values), last.bytes.max(now.bytes));
            }
            _ => curve.push(now),
        }
    }
    (curve, peak)
}
