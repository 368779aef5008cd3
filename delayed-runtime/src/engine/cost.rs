//! What functions cost: whether a node is long enough to be worth another thread.
//!
//! One entry for each function, found by its number, or for a closure by the address of its vtable.
//! If two share an entry, each finds that it is the other's, and is taken for unknown.

use crate::node::Vtable;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

const ENTRIES: usize = 1 << 12;

/// Whose entry it is in the upper half; nanoseconds, not zero, in the lower.
static ENTRY: [AtomicU64; ENTRIES] = [const { AtomicU64::new(0) }; ENTRIES];

/// A function shorter than this runs at once, without a look at what else could run beside it.
const LIGHT: u32 = 2_000;

/// Giving work to a thread that sleeps costs about half of this.
pub(super) const WORTH_A_WAKE: u32 = 20_000;

/// What a function is taken for that has surprised: the mean comes down in some calls, and the first of
/// them are worth a wake whatever a late measurement says.
const AS_LONG: u32 = 50 * WORTH_A_WAKE;

/// The function's entry, and what stands in its upper half if it is this function's.
#[inline(always)]
fn entry(vtable: &'static Vtable) -> (&'static AtomicU64, u64) {
    let number = match vtable.number {
        // Vtables are aligned to 8 bytes and lie in one binary.
        0 => std::ptr::from_ref(vtable).addr() >> 3,
        number => number as usize,
    };
    let owner = (number as u64) << 32;
    (&ENTRY[(number.wrapping_mul(0x9E37_79B9) >> 12) % ENTRIES], owner)
}

/// The nanoseconds of a function that is known to be short.
#[inline(always)]
pub(super) fn light(vtable: &'static Vtable) -> Option<u32> {
    let (entry, owner) = entry(vtable);
    // A node that runs apart is started in its own way. With another owner the number is large,
    // and zero wraps round.
    let nanos = entry.load(Ordering::Relaxed) ^ owner;
    (!vtable.kind.is_apart() && nanos.wrapping_sub(1) < u64::from(LIGHT)).then_some(nanos as u32)
}

/// The latest measurements' mean, or `None` if there is none.
pub(super) fn nanos(vtable: &'static Vtable) -> Option<u32> {
    let (entry, owner) = entry(vtable);
    u32::try_from(entry.load(Ordering::Relaxed) ^ owner).ok().filter(|&nanos| nanos != 0)
}

fn set(vtable: &'static Vtable, nanos: u32) {
    let (entry, owner) = entry(vtable);
    entry.store(owner | u64::from(nanos.max(1)), Ordering::Relaxed);
}

/// Takes a measurement into account: a quarter of it, or all if it is the first.
pub(super) fn learn(vtable: &'static Vtable, measured: Duration) {
    let measured = u32::try_from(measured.as_nanos()).unwrap_or(u32::MAX);
    set(vtable, nanos(vtable).map_or(measured, |known| known - known / 4 + measured / 4));
}

/// A function that was taken for short may have been long, nobody knows how long: the next calls are
/// measured again, and until then others are woken for what is beside them.
#[cold]
pub(super) fn was_long(vtable: &'static Vtable) {
    set(vtable, AS_LONG);
}
