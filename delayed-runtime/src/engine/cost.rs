//! What functions cost: whether a node is long enough to be worth another thread.
//!
//! One entry for each function and combination of argument types, found by its vtable's address.
//! Two functions may share an entry; then both are taken for what was measured last. The entries
//! are hints: any value is safe.

use crate::node::{Kind, Vtable};
use std::sync::atomic::{AtomicU32, Ordering};

const ENTRIES: usize = 1 << 10;

/// Nanoseconds; zero means that the function has not been measured.
static NANOS: [AtomicU32; ENTRIES] = [const { AtomicU32::new(0) }; ENTRIES];

/// A function shorter than this runs at once, without a look at what else could run beside it.
const LIGHT: u32 = 2_000;

/// Giving work to a thread that sleeps costs about half of this.
pub(super) const WORTH_A_WAKE: u32 = 20_000;

#[inline(always)]
fn entry(vtable: &'static Vtable) -> &'static AtomicU32 {
    let hash = (std::ptr::from_ref(vtable).addr() >> 3).wrapping_mul(0x9E37_79B9);
    &NANOS[(hash >> 12) % ENTRIES]
}

/// Whether the function is known to be short.
#[inline(always)]
pub(super) fn is_light(vtable: &'static Vtable) -> bool {
    // A node that runs later is started in its own way. Zero wraps round, so an unknown function is
    // not light.
    vtable.kind != Kind::Later && entry(vtable).load(Ordering::Relaxed).wrapping_sub(1) < LIGHT
}

/// The latest measurements' mean, or `None` if there is none.
pub(super) fn nanos(vtable: &'static Vtable) -> Option<u32> {
    match entry(vtable).load(Ordering::Relaxed) {
        0 => None,
        nanos => Some(nanos),
    }
}

/// Takes a measurement into account: a quarter of it, or all if it is the first.
pub(super) fn learn(vtable: &'static Vtable, measured: std::time::Duration) {
    let measured = u32::try_from(measured.as_nanos()).unwrap_or(u32::MAX).max(1);
    let entry = entry(vtable);
    let known = entry.load(Ordering::Relaxed);
    let mean = if known == 0 { measured } else { known - known / 4 + measured / 4 };
    entry.store(mean.max(1), Ordering::Relaxed);
}

/// A function that was taken for short was long, nobody knows how long: the next calls are measured
/// again, and until then others are woken for what is beside them.
#[cold]
pub(super) fn was_long(vtable: &'static Vtable) {
    entry(vtable).fetch_max(WORTH_A_WAKE + 1, Ordering::Relaxed);
}
