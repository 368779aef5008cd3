//! In which order a walk looks at the inputs of a node.
//!
//! A value waits from when it is made until its consumer runs, so of two inputs the one whose graph
//! holds more values at once goes first: `add(load(i), sum)` wants `sum` before `load(i)`. How many a
//! graph holds is the number of Sethi and Ullman, "The generation of optimal code for arithmetic
//! expressions" (1970), which a node knows when it is made. It holds only for values without other
//! consumers, so a node whose inputs have some when a walk comes to it keeps the order of its arguments.

use super::{FLIPPED, HOLDS, HOLDS_ONE, MAY_FLIP, Node};
use crate::sync::atomic::Ordering;

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

    /// Finds out which order would hold fewer values, when the node has been made. The number of its edges is most
    /// often known at compile time, and in the node it is not.
    ///
    /// # Safety
    ///
    /// The caller made the node and has not shared it; it has as many `edges`, and they are written.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) unsafe fn weigh_inputs(self, edges: usize) {
        if edges == 0 {
            return;
        }
        let (mut forward, mut backward) = (edges, edges);
        if edges <= FEW {
            (forward, backward) = (0, 0);
            for index in 0..edges {
                // SAFETY: the caller's promise.
                let holds = unsafe { self.edge(index) }.holds();
                forward = forward.max(holds + index);
                backward = backward.max(holds + edges - 1 - index);
            }
        }
        let may_flip = if backward < forward { MAY_FLIP } else { 0 };
        let holds = forward.min(backward).min(MOST) as u8 * HOLDS_ONE;
        let marks = self.marks().load(Ordering::Relaxed);
        self.marks().store(marks | holds | may_flip, Ordering::Relaxed);
    }

    /// Decides the order for a walk, which then keeps it.
    ///
    /// # Safety
    ///
    /// The caller has the node's claim, and has not looked at an input yet.
    #[inline(always)]
    pub(super) unsafe fn choose_order(self) {
        if self.marks().load(Ordering::Relaxed) & MAY_FLIP != 0 {
            // SAFETY: the caller's promise; a claimed node's edges hold references.
            unsafe {
                let alone = (0..self.edges()).all(|index| self.edge(index).is_unique());
                self.mark(if alone { FLIPPED } else { 0 }, FLIPPED);
            }
        }
    }

    /// Whether a walk looks at the last input of a frame first. `backward`: the walk is one that goes
    /// the other way.
    #[inline(always)]
    pub(crate) fn is_reversed(self, backward: bool) -> bool {
        self.has(FLIPPED) != backward && !self.vtable().ordered
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
