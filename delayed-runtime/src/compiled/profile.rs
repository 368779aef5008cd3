//! How long a graph function takes, which decides how its next call runs. Where nothing counts ticks, each
//! call is shared.

use crate::clock::TICKS;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

/// Ticks of [`clock::ticks`](crate::clock::ticks) that are worth a place on the board: 1 to 2 µs.
const LONG: u32 = if cfg!(target_arch = "x86_64") { 5_000 } else { 50 };
/// And a thread's wake: 15 to 20 µs.
pub(super) const WORTH_A_WAKE: u32 = if cfg!(target_arch = "x86_64") { 50_000 } else { 500 };
/// As much as this of short nodes is claimed at a time: each claim is a journey between two caches.
const BATCH: u32 = LONG / 3;
/// A run that is shorter than those before brings the estimate down by this part.
const SLOWNESS: u32 = 8;
/// The estimate is no more than this, so that it comes down in some twenty runs.
const MOST: u32 = 8 * LONG;

/// Tests share each call.
static ALWAYS: AtomicBool = AtomicBool::new(false);

/// Shares each call of a graph function from here on, and wakes a thread for it: for tests.
pub fn share_always(always: bool) {
    ALWAYS.store(always, Ordering::Relaxed);
}

#[inline(always)]
fn always() -> bool {
    !TICKS || ALWAYS.load(Ordering::Relaxed)
}

/// What is known of the runs of a graph function: one static for each.
#[derive(Debug)]
pub struct Profile([Times; 2]);

/// Of calls from outside, and of calls inside other graph functions: in ticks.
#[derive(Debug)]
struct Times {
    last: AtomicU32,
    /// The longest, with those long ago worth less. So a function that is long now and then is shared for a
    /// while after, at the price of a place on the board.
    recent: AtomicU32,
}

impl Profile {
    /// Nothing is known, so the first call is shared and others are woken for it.
    #[allow(clippy::new_without_default, reason = "it is made where a constant is needed")]
    pub const fn new() -> Profile {
        Profile([const { Times { last: AtomicU32::new(u32::MAX), recent: AtomicU32::new(2 * LONG) } }; 2])
    }

    #[inline(always)]
    fn times(&self, is_nested: bool) -> &Times {
        &self.0[usize::from(is_nested)]
    }

    #[inline(always)]
    pub(super) fn is_long(&self, is_nested: bool) -> bool {
        always() || self.times(is_nested).recent.load(Ordering::Relaxed) > LONG
    }

    /// Whether a thread is woken for the next run, and how many nodes are claimed at a time.
    pub(super) fn how(&self, is_nested: bool, nodes: usize) -> (bool, u32) {
        let last = self.times(is_nested).last.load(Ordering::Relaxed);
        let of_a_node = last / nodes.max(1) as u32;
        (always() || last > WORTH_A_WAKE, (BATCH / of_a_node.max(1)).max(1))
    }

    #[inline(always)]
    pub(super) fn took(&self, is_nested: bool, ticks: u64) {
        let took = u32::try_from(ticks).unwrap_or(u32::MAX);
        let times = self.times(is_nested);
        let recent = times.recent.load(Ordering::Relaxed);
        times.last.store(took, Ordering::Relaxed);
        times.recent.store(took.min(MOST).max(recent - recent / SLOWNESS), Ordering::Relaxed);
    }
}
