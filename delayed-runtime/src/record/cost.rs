//! What it costs to tell of a node, measured with nodes that nobody is told of.

use crate::call;
use crate::event::{Event, What, unseen};
use crate::handle::Delayed;

/// Nodes of a measurement.
const ROUNDS: usize = 500;

/// Nanoseconds of a thread that recording takes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cost {
    /// Between a node's start and its end, beside its inputs; and for each of these.
    pub(super) inside: u64,
    pub(super) input: u64,
    /// Between an end and the next start.
    pub(super) between: u64,
}

impl Cost {
    pub(super) fn measure() -> Cost {
        let input = || call::value(0_u64);
        let none = lengths(|| call::call(|| 0_u64, ()));
        let two = lengths(|| call::call(|a: u64, b: u64| a ^ b, (input(), input())));
        Cost { inside: none[0], input: two[0].saturating_sub(none[0]) / 2, between: none[1] }
    }
}

/// How long telling of the node takes from start to end, and from there to the next start: in the middle,
/// because others may have the core meanwhile.
fn lengths(make: impl FnOnce() -> Delayed<u64>) -> [u64; 2] {
    let events = unseen(|| {
        let (lazy, done) = (make(), call::value(0_u64));
        for _ in 0..ROUNDS {
            // SAFETY: nobody else has this handle, so the node is as it was made.
            unsafe { lazy.node().tell_started(0, false, None) };
            done.node().tell_finished(0);
        }
    });
    let is_mark = |event: &&Event| matches!(event.what, What::Started { .. } | What::Finished { .. });
    let times: Vec<u64> = events.iter().filter(is_mark).map(|event| event.time.as_nanos() as u64).collect();
    [0, 1].map(|first| {
        let pairs = times.get(first..).unwrap_or_default().chunks_exact(2);
        let mut lengths: Vec<u64> = pairs.map(|pair| pair[1].saturating_sub(pair[0])).collect();
        lengths.sort_unstable();
        lengths.get(lengths.len() / 2).copied().unwrap_or(0)
    })
}
