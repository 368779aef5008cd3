//! Frames of a walk whose inputs other loops may take.
//!
//! A loop inside a long function can give nothing away, so its walker publishes frames before: the
//! oldest that have large inputs left, for whoever wants much to do, and the newest, whose inputs
//! are needed next. Nobody takes from frames between, however idle, because values that are made
//! long before they are needed fill the memory.
//!
//! 1. The walker publishes a frame and marks it [`OFFERED`]. From then on it claims the frame's
//!    inputs as everybody does; before, it may have claimed them with plain stores.
//! 2. Another loop claims a lazy input of a published frame while it holds the lock. The frame's edges
//!    are references, so its inputs are there.
//! 3. The walker takes the frame back before the frame runs, waits, or is given up. It has the lock
//!    then, so nobody looks at the frame any more.

use super::demand::Demand;
use crate::node::{BACKWARD, CANCELLED, Node, OFFERED};
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Mutex, MutexGuard};
use std::sync::Arc;

/// How many of a walk's oldest frames are published at the same time.
pub(super) const OLDEST: usize = 8;

/// What one loop offers to others.
#[derive(Default)]
pub(super) struct Offers {
    /// Frames that may have a lazy input.
    open: AtomicUsize,
    frames: Mutex<Frames>,
}

#[derive(Default)]
struct Frames {
    /// In the order in which they were published.
    oldest: Vec<Offer>,
    newest: Vec<Offer>,
}

struct Offer {
    frame: Node,
    demand: Arc<Demand>,
    /// Whether the frame's walker begins with the last input.
    backward: bool,
    exhausted: bool,
}

/// The inputs of a frame in the order of a walk, last first.
pub(super) fn from_the_far_end(frame: Node, backward: bool) -> impl Iterator<Item = Node> {
    let reversed = frame.is_reversed(backward);
    // SAFETY: whoever calls this keeps the frame claimed, and its edges are written.
    (0..frame.edges()).rev().map(move |position| unsafe { frame.input(position, reversed) })
}

/// A lazy input of a published frame, claimed and with its demand, for a walk in the other direction.
/// The caller has the lock. Once this finds none there is none, or a walk would give it up at once.
pub(super) fn claim_input(frame: Node, backward: bool, demand: &Arc<Demand>) -> Option<Node> {
    if demand.is_stopped() || frame.word(Ordering::Relaxed).state() == CANCELLED {
        return None;
    }
    let input = from_the_far_end(frame, backward).find(|&input| input.is_lazy() && input.claim())?;
    // SAFETY: just claimed; the claim goes to the caller with its demand.
    unsafe {
        input.mark(if backward { 0 } else { BACKWARD }, 0);
        input.set_demand(Arc::into_raw(demand.clone()).cast());
    }
    Some(input)
}

impl Offers {
    /// Whether there may be something to take. A loop that finds nothing looks again before it ends,
    /// after a fence that pairs with the one of whoever published.
    pub(super) fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed) > 0
    }

    /// Whether a frame is published.
    pub(super) fn is_used(&self) -> bool {
        let frames = self.lock();
        !frames.oldest.is_empty() || !frames.newest.is_empty()
    }

    fn lock(&self) -> MutexGuard<'_, Frames> {
        self.frames.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Publishes a frame of this loop's walk, which has a claim on it.
    pub(super) fn publish(&self, frame: Node, demand: &Arc<Demand>, backward: bool, is_old: bool) {
        // SAFETY: the caller's claim.
        unsafe { frame.mark(OFFERED, 0) };
        let offer = Offer { frame, demand: demand.clone(), backward, exhausted: false };
        let mut frames = self.lock();
        let list = if is_old { &mut frames.oldest } else { &mut frames.newest };
        list.push(offer);
        self.open.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes a frame back. Whether it was published as an old one.
    pub(super) fn withdraw(&self, frame: Node) -> bool {
        let remove = |list: &mut Vec<Offer>| {
            let at = list.iter().rposition(|offer| offer.frame == frame)?;
            Some(list.remove(at))
        };
        let (offer, is_old) = {
            let mut frames = self.lock();
            match remove(&mut frames.newest) {
                Some(offer) => (Some(offer), false),
                None => (remove(&mut frames.oldest), true),
            }
        };
        if offer.as_ref().is_some_and(|offer| !offer.exhausted) {
            self.open.fetch_sub(1, Ordering::Relaxed);
        }
        // SAFETY: the caller's claim.
        unsafe { frame.mark(0, OFFERED) };
        is_old
    }

    /// An input of a published frame, claimed and with its demand, for a walk in the other direction.
    pub(super) fn take(&self) -> Option<Node> {
        if !self.is_open() {
            return None;
        }
        let mut frames = self.lock();
        let Frames { oldest, newest } = &mut *frames;
        for offer in oldest.iter_mut().chain(newest.iter_mut().rev()).filter(|offer| !offer.exhausted) {
            match claim_input(offer.frame, offer.backward, &offer.demand) {
                Some(input) => return Some(input),
                None => {
                    offer.exhausted = true;
                    self.open.fetch_sub(1, Ordering::Relaxed);
                }
            }
        }
        None
    }
}
