//! What only the claimer of a node may do, or who made it, before it is shared.

use super::{BACKWARD, CLAIMED, DONE, Node, NodeRef, PAUSED};
use crate::sync::atomic::Ordering;
use std::ptr::{self, NonNull};

impl Node {
    /// # Safety
    ///
    /// The edge is written, and the caller has the node's claim or its only reference.
    #[inline(always)]
    pub(crate) unsafe fn edge(self, index: usize) -> Node {
        // SAFETY: the caller's promise.
        unsafe {
            self.header().edges_track.read();
            self.edge_slot(index).read()
        }
    }

    /// # Safety
    ///
    /// The caller made or claimed the node; what the edge held is given up.
    #[inline(always)]
    pub(crate) unsafe fn set_edge(self, index: usize, input: NodeRef) {
        // SAFETY: the caller's promise.
        unsafe {
            self.header().edges_track.write();
            self.edge_slot(index).write(input.into_raw());
        }
    }

    /// # Safety
    ///
    /// The caller has the node's claim, and the edge holds a reference that nobody uses afterwards.
    #[inline(always)]
    pub(crate) unsafe fn take_edge(self, index: usize) -> NodeRef {
        self.header().edges_track.write();
        // SAFETY: the caller's promise.
        NodeRef(unsafe { self.edge(index) })
    }

    /// # Safety
    ///
    /// As for [`take_edge`](Node::take_edge), for each edge from `from` on.
    pub(crate) unsafe fn release_edges(self, from: usize) {
        for index in from..self.edges() {
            // SAFETY: the caller's promise.
            drop(unsafe { self.take_edge(index) });
        }
    }

    /// Makes the newest frame of a walk a claim that can lie in a queue, and from which the walk can go
    /// on: the frames behind it are linked as before.
    ///
    /// # Safety
    ///
    /// The caller has the claims of the frames.
    pub(crate) unsafe fn pause(self, backward: bool) {
        // SAFETY: the caller's promise.
        unsafe {
            self.begin(self.parent());
            self.mark(PAUSED | if backward { BACKWARD } else { 0 }, BACKWARD);
        }
    }

    pub(crate) fn is_paused(self) -> bool {
        self.flags().load(Ordering::Relaxed) & PAUSED == PAUSED
    }

    /// Makes the node a frame of a walk.
    ///
    /// # Safety
    ///
    /// The caller has the node's claim.
    #[inline(always)]
    pub(crate) unsafe fn begin(self, parent: Option<Node>) {
        // SAFETY: the caller's promise.
        unsafe {
            let header = self.header();
            header.next.set(parent.map_or(ptr::null_mut(), Node::pointer));
            header.at.set(0);
            self.choose_order();
        }
    }

    /// # Safety
    ///
    /// The caller has the node's claim.
    #[inline(always)]
    pub(crate) unsafe fn parent(self) -> Option<Node> {
        // SAFETY: the caller's promise.
        NonNull::new(unsafe { self.header().next.get() }).map(Node)
    }

    /// # Safety
    ///
    /// The caller has the node's claim.
    #[inline(always)]
    pub(crate) unsafe fn at(self) -> usize {
        // SAFETY: the caller's promise.
        usize::from(unsafe { self.header().at.get() })
    }

    /// # Safety
    ///
    /// The caller has the node's claim.
    #[inline(always)]
    pub(crate) unsafe fn set_at(self, at: usize) {
        // SAFETY: the caller's promise.
        unsafe { self.header().at.set(at as u8) }
    }

    /// Whether the function of a claimed node can be called: it has all inputs, and was not cancelled.
    pub(crate) fn inputs_are_done(self) -> bool {
        self.word(Ordering::Relaxed).state() == CLAIMED
            // SAFETY: a claimed node's edges hold references.
            && (0..self.edges()).all(|index| unsafe { self.edge(index) }.word(Ordering::Acquire).state() == DONE)
    }

    #[inline(always)]
    pub(crate) fn has(self, flag: u8) -> bool {
        self.flags().load(Ordering::Relaxed) & flag != 0
    }

    /// Sets and clears flags.
    ///
    /// # Safety
    ///
    /// The caller has the node's claim.
    #[inline(always)]
    pub(crate) unsafe fn mark(self, set: u8, clear: u8) {
        // The claimer alone writes them.
        let flags = self.flags().load(Ordering::Relaxed);
        self.flags().store(flags & !clear | set, Ordering::Relaxed);
    }

    /// Leaves an `Arc<Demand>` with a claim that goes into a queue or a list.
    ///
    /// # Safety
    ///
    /// The caller has the node's claim.
    pub(crate) unsafe fn set_demand(self, demand: *const ()) {
        // SAFETY: the caller's promise.
        unsafe { self.header().demand.set(demand) }
    }

    /// # Safety
    ///
    /// The caller has the node's claim, which came from a queue or a list.
    pub(crate) unsafe fn demand(self) -> *const () {
        // SAFETY: the caller's promise.
        unsafe { self.header().demand.get() }
    }
}
