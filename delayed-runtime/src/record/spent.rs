//! Where the time of the threads went, by one pass over what began and ended.

use super::story::{NEVER, Story};
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
    /// When something was wanted or ran, in order.
    pub(super) asked: Vec<(u64, u64)>,
    /// Nanoseconds of threads: see [`Spent`].
    pub(super) handing_over: u64,
    pub(super) imbalance: u64,
    pub(super) waiting: u64,
    /// When two threads were busy for the last time.
    pub(super) last_two: u64,
}

impl Passed {
    pub(super) fn asked(&self) -> u64 {
        self.asked.iter().map(|(begin, end)| end - begin).sum()
    }
}

pub(super) fn pass(story: &Story, threads: usize) -> Passed {
    let asked = asked(story);
    let mut changes: Vec<(u64, Count, i8)> = Vec::new();
    let mut add = |count, begin, end| {
        if begin < end {
            changes.extend([(begin, count, 1), (end, count, -1)]);
        }
    };
    asked.iter().for_each(|&(begin, end)| add(Count::Wanted, begin, end));
    story.lanes.iter().flat_map(|lane| &lane.spans).for_each(|&(begin, end)| add(Count::Busy, begin, end));
    story.apart.iter().for_each(|interval| add(Count::Apart, interval.begin, interval.end));
    for interval in story.lanes.iter().flat_map(|lane| &lane.intervals) {
        if story.nodes[interval.node as usize].runs == Runs::Blocking {
            add(Count::Apart, interval.begin, interval.end);
        }
    }
    for (node, since) in story.nodes.iter().zip(ready(story, &asked)) {
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
    passed.asked = asked;
    passed
}

/// When something was wanted or ran. A wish that was given up ends with its node, or with all.
fn asked(story: &Story) -> Vec<(u64, u64)> {
    let runs = story.lanes.iter().flat_map(|lane| &lane.intervals).chain(&story.apart);
    let mut all: Vec<(u64, u64)> = runs.map(|interval| (interval.begin, interval.end)).collect();
    let last = all.iter().map(|(_, end)| *end).max().unwrap_or(0);
    for node in story.nodes.iter().filter(|node| node.demanded != NEVER) {
        all.push((node.demanded, node.end.min(node.released).min(last)));
    }
    all.retain(|(begin, end)| begin < end);
    all.sort_unstable();
    let mut asked: Vec<(u64, u64)> = Vec::new();
    for (begin, end) in all {
        match asked.last_mut() {
            Some((_, last)) if begin <= *last => *last = end.max(*last),
            _ => asked.push((begin, end)),
        }
    }
    asked
}

/// Since when each node could have started: since its last input, itself, and somebody's wish were there.
fn ready(story: &Story, asked: &[(u64, u64)]) -> Vec<u64> {
    let mut ready: Vec<u64> = story
        .nodes
        .iter()
        .map(|node| {
            let at = asked.partition_point(|(begin, _)| *begin <= node.start);
            let wished = at.checked_sub(1).map_or(0, |at| asked[at].0);
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
