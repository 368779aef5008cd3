//! In which order a walk looks at the inputs of a node.
//!
//! A value waits from when it is made until its consumer runs, so of two inputs the one whose graph
//! holds more values at once goes first: `add(load(i), sum)` wants `sum` before `load(i)`. How many a
//! graph holds is the number of Sethi and Ullman, "The generation of optimal code for arithmetic
//! expressions" (1970), which a node knows when it is made. It counts only while a value has no other
//! consumer, so nodes with inputs that others refer to keep the order of their arguments.

use super::{FLIPPED, HOLDS, HOLDS_ONE, Node};
use std::sync::atomic::Ordering;

/// Nodes with more inputs than this keep the order of their arguments.
const FEW: usize = 4;
/// The largest number that is told apart.
const MOST: usize = (HOLDS / HOLDS_ONE) as usize;

impl Node {
    /// How many values the graph of this node holds at once.
    #[inline(always)]
    fn holds(self) -> usize {
        usize::from((self.marks().load(Ordering::Relaxed) & HOLDS) / HOLDS_ONE).max(1)
    }

    /// Decides the order, when the node has been made.
    ///
    /// # Safety
    ///
    /// The caller made the node and has not shared it; its edges are written.
    #[inline(always)]
    pub(crate) unsafe fn settle_order(self) {
        let edges = self.edges();
        if edges == 0 {
            return;
        }
        // SAFETY: the caller's promise.
        let input = |index| unsafe { self.edge(index) };
        let (holds, flipped) = if edges > FEW {
            (edges, 0)
        } else {
            let (mut forward, mut backward, mut alone) = (0, 0, true);
            for index in 0..edges {
                let holds = input(index).holds();
                forward = forward.max(holds + index);
                backward = backward.max(holds + edges - 1 - index);
                alone &= input(index).is_unique();
            }
            if alone && backward < forward { (backward, FLIPPED) } else { (forward, 0) }
        };
        let marks = self.marks().load(Ordering::Relaxed);
        let holds = holds.min(MOST) as u8 * HOLDS_ONE;
        self.marks().store(marks | holds | flipped, Ordering::Relaxed);
    }

    /// Whether a walk looks at the last input first. `backward`: the walk is one that goes the other
    /// way.
    #[inline(always)]
    pub(crate) fn is_reversed(self, backward: bool) -> bool {
        let flipped = self.marks().load(Ordering::Relaxed) & FLIPPED != 0;
        flipped != backward && !self.vtable().ordered
    }

    /// The input that comes at a position of the order.
    ///
    /// # Safety
    ///
    /// As for [`edge`](Node::edge).
    #[inline(always)]
    pub(crate) unsafe fn input(self, position: usize, reversed: bool) -> Node {
        let index = if reversed { self.edges() - 1 - position } else { position };
        // SAFETY: the caller's promise.
        unsafe { self.edge(index) }
    }
}
