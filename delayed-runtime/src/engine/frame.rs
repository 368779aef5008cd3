//! The frames of a walk: claimed nodes on the way from where it began to where it is.

use super::offers::from_the_far_end;
use crate::node::Node;

/// A node that this walker has claimed and that is on its path.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame(pub(super) Node);

// A walker makes frames only of nodes that it has claimed, and forgets them when it gives a claim
// away. So it alone uses the fields that belong to the claimer.
impl Frame {
    #[inline(always)]
    pub(super) fn begin(self, parent: Option<Frame>) {
        // SAFETY: a frame is claimed by this walker.
        unsafe { self.0.begin(parent.map(|frame| frame.0)) }
    }

    #[inline(always)]
    pub(super) fn parent(self) -> Option<Frame> {
        // SAFETY: as in `begin`.
        unsafe { self.0.parent() }.map(Frame)
    }

    pub(super) fn set_parent(self, parent: Option<Frame>) {
        // SAFETY: as in `begin`.
        unsafe { self.0.set_parent(parent.map(|frame| frame.0)) }
    }

    #[inline(always)]
    pub(super) fn at(self) -> usize {
        // SAFETY: as in `begin`.
        unsafe { self.0.at() }
    }

    #[inline(always)]
    pub(super) fn set_at(self, at: usize) {
        // SAFETY: as in `begin`.
        unsafe { self.0.set_at(at) }
    }

    /// The input that comes at a position of the order. A frame's edges hold references, so its
    /// inputs are there.
    #[inline(always)]
    pub(super) fn input(self, position: usize, reversed: bool) -> Node {
        // SAFETY: as in `begin`.
        unsafe { self.0.input(position, reversed) }
    }

    pub(super) fn has(self, flag: u8) -> bool {
        self.0.has(flag)
    }

    #[inline(always)]
    pub(super) fn mark(self, set: u8, clear: u8) {
        // SAFETY: as in `begin`.
        unsafe { self.0.mark(set, clear) }
    }

    /// Whether the walk has not come to a lazy input yet; with `large`, to one that has inputs itself.
    pub(super) fn has_unexplored(self, direction: Direction, large: bool) -> bool {
        let left = self.0.edges() - (self.at() + 1).min(self.0.edges());
        !self.0.vtable().ordered
            && from_the_far_end(self.0, direction == Direction::Backward)
                .take(left)
                .any(|input| input.is_lazy() && (!large || input.edges() > 0))
    }
}

/// The order in which a walk looks at the inputs of its nodes. Who walks from an offered input goes
/// the other way, so that the two meet as late as they can.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Forward,
    Backward,
}
