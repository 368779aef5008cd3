//! What it costs to tell of a node, measured with nodes that nobody is told of.

use crate::call;
use crate::event::{Event, What, unseen};
use crate::handle::Delayed;
use crate::slot::Owned;
use crate::task::{Function, Task};

/// Nodes of a measurement.
const ROUNDS: usize = 500;

/// Nanoseconds of a thread that recording takes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Cost {
    /// Between a node's start and its end, beside its inputs; for the first of these, which a start has room for;
    /// and for each other.
    inside: u64,
    first: u64,
    input: u64,
    /// Between an end and the next start.
    pub(super) between: u64,
}

/// A function of the user's, as far as telling of it goes.
enum Measured {}

impl Function for Measured {
    const TASK: Task = Task::new("function", file!(), 1, 1, &["a", "b", "c"]);
}

impl Cost {
    pub(super) fn measure() -> Cost {
        let input = || Owned(call::value(0_u64));
        let none = lengths(|| call::call_function::<Measured, _, _, _>((), |()| 0_u64));
        let one = lengths(|| call::call_function::<Measured, _, _, _>((input(),), |(a,)| a));
        let three = lengths(|| {
            call::call_function::<Measured, _, _, _>((input(), input(), input()), |(a, b, c)| a ^ b ^ c)
        });
        Cost {
            inside: none[0],
            first: one[0].saturating_sub(none[0]),
            input: three[0].saturating_sub(one[0]) / 2,
            between: none[1],
        }
    }

    #[cfg(all(test, not(loom)))]
    pub(super) fn of(inside: u64, input: u64, between: u64) -> Cost {
        Cost { inside, first: input, input, between }
    }

    /// What a node with so many inputs takes between its start and its end.
    pub(super) fn of_node(&self, inputs: u32) -> u64 {
        match inputs.checked_sub(1) {
            Some(others) => self.inside + self.first + self.input * u64::from(others),
            None => self.inside,
        }
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
