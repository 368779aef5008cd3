//! Reading the inputs of a node that runs.

use super::{Node, NodeRef};

/// Reads a claimed node's edges one after the other. What is left is released when it is dropped,
/// so a function that unwinds leaks none.
#[derive(Debug)]
pub(crate) struct Inputs {
    node: Node,
    at: usize,
}

impl Inputs {
    /// # Safety
    ///
    /// The caller has the node's claim, its inputs are done, and nobody else uses its edges.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) unsafe fn new(node: Node) -> Self {
        Inputs { node, at: 0 }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn next(&mut self) -> NodeRef {
        let at = self.at;
        self.at += 1;
        // SAFETY: each edge is taken once, by the promise of `new`.
        unsafe { self.node.take_edge(at) }
    }

    /// The node whose inputs these are.
    pub(crate) fn consumer(&self) -> Node {
        self.node
    }

    /// The input that `next` takes after `skip` others.
    pub(crate) fn ahead(&self, skip: usize) -> Node {
        // SAFETY: as in `next`.
        unsafe { self.node.edge(self.at + skip) }
    }
}

impl Drop for Inputs {
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn drop(&mut self) {
        if self.at < self.node.edges() {
            // SAFETY: these edges were not taken.
            unsafe { self.node.release_edges(self.at) };
        }
    }
}
