//! How a walker knows, at little cost, how long its functions take.
//!
//! Reading a clock costs as much as a short function, so a walker looks at one only when the
//! functions since the last look should have taken [`BETWEEN_LOOKS`], by what is known of them. So
//! a function that does some work is watched at each call, and trivial ones eight at a time. If a
//! look shows that more time has passed, the next calls are timed one by one.

use super::cost;
use crate::clock;
use crate::event;
use crate::node::Vtable;
use std::time::Duration;

/// Nanoseconds of work that should be done between two looks.
const BETWEEN_LOOKS: u32 = 800;
/// What a node costs beside its function, in nanoseconds.
const BESIDE: u32 = 60;
/// One look of this many times the node that comes next.
const SAMPLE: u32 = 16;
/// And while somebody looks, so that each node is looked at: about as many nodes lie between two samples.
const SAMPLE_WATCHED: u32 = 8 * SAMPLE;
/// Short functions are shared if they take this long, as measured, and more for each input: what
/// two threads share costs a journey between their caches.
const WORTH_SHARING: u32 = 90;
const MORE_FOR_AN_INPUT: u32 = 10;
/// So many samples in a row have to say so.
const SAMPLES: u32 = 2;
/// How many calls are timed after a short function was long.
const CAREFUL: u32 = 16;

/// After a function of this length the walk looks up: much may have happened meanwhile.
const LOOKS_UP_AFTER: Duration = Duration::from_micros(2);

/// What a look at the clock said.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// As expected.
    Calm,
    /// As expected, and it is time to measure a node.
    Sample,
    /// Something was long.
    Late,
}

pub(super) struct Pace {
    /// Nanoseconds of expected work until the next look.
    budget: u32,
    /// Looks until the next sample.
    looks: u32,
    careful: u32,
    /// When the last look was.
    ticks: u64,
    /// The function that was called last, if it was not timed.
    last: Option<&'static Vtable>,
    /// The latest samples that were worth sharing.
    long_samples: u32,
}

impl Pace {
    pub(super) fn new() -> Self {
        Pace { budget: 0, looks: SAMPLE, careful: 0, ticks: 0, last: None, long_samples: 0 }
    }

    /// Begins anew at a walk. What is known of the functions' pace stays.
    pub(super) fn begin(&mut self) {
        self.renew();
        self.ticks = clock::ticks();
    }

    fn renew(&mut self) {
        // Somebody who looks wants to be told of each node: none runs without care.
        self.budget = if event::is_on() { 0 } else { BETWEEN_LOOKS };
    }

    /// Whether a function may be called without a look at anything else.
    #[inline(always)]
    pub(super) fn goes_on(&mut self, vtable: &'static Vtable) -> bool {
        match cost::light(vtable).and_then(|nanos| self.budget.checked_sub(nanos + BESIDE)) {
            Some(left) => {
                self.budget = left;
                self.last = Some(vtable);
                true
            }
            None => false,
        }
    }

    /// What [`clock::ticks`] said at the latest look.
    pub(super) fn looked(&self) -> u64 {
        self.ticks
    }

    /// Whether short nodes are worth sharing.
    pub(super) fn shares(&self) -> bool {
        self.long_samples >= SAMPLES
    }

    /// Looks at the clock, before a function is called that may not be looked at afterwards.
    pub(super) fn look(&mut self, next: &'static Vtable) -> Look {
        self.renew();
        self.look_back();
        self.last = Some(next);
        if self.careful > 0 {
            self.careful -= 1;
            self.budget = 0;
            return Look::Late;
        }
        self.looks = self.looks.saturating_sub(1);
        if self.looks == 0 { Look::Sample } else { Look::Calm }
    }

    /// Finds out whether one of the functions since the last look was long. It may have been any, so
    /// the last one is taken for long and the others are timed when they are called again.
    pub(super) fn look_back(&mut self) {
        let now = clock::ticks();
        let passed = now.wrapping_sub(self.ticks);
        self.ticks = now;
        if let Some(last) = self.last.take()
            && passed > clock::LONG
        {
            cost::was_long(last);
            self.careful = CAREFUL;
        }
    }

    /// A node was timed, so its time is no surprise at the next look.
    pub(super) fn timed(&mut self, look: Look, edges: usize, measured: Duration) {
        self.ticks = clock::ticks();
        self.last = None;
        if measured >= LOOKS_UP_AFTER {
            self.budget = 0;
        }
        if look == Look::Sample {
            self.looks = if event::is_on() { SAMPLE_WATCHED } else { SAMPLE };
            let worth_it = WORTH_SHARING + MORE_FOR_AN_INPUT * edges as u32;
            let is_long = measured > Duration::from_nanos(worth_it.into());
            self.long_samples = if is_long { self.long_samples + 1 } else { 0 };
        }
    }
}
