//! All nodes of an asynchronous graph, polled by the task that polls its function.

use super::{GOES_ON, Plan};
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

/// A future that is ready when all nodes are, or when one has left the function and none before it can any
/// more; gives whether none has left.
///
/// `poll` polls a node, by its number, and gives what [`Run::nodes`](super::Run::nodes) expects of one.
pub struct Join<P, const WORDS: usize> {
    plan: &'static Plan,
    /// One bit for each node.
    done: [u64; WORDS],
    limit: u32,
    poll: P,
}

impl<P: FnMut(usize, &mut Context<'_>) -> Poll<u32>, const WORDS: usize> Join<P, WORDS> {
    /// No node has begun.
    pub fn new(plan: &'static Plan, poll: P) -> Self {
        Join { plan, done: [0; WORDS], limit: GOES_ON, poll }
    }

    fn is_ready(&self, node: usize) -> bool {
        self.plan.needs_of(node).iter().zip(self.done).all(|(needs, done)| needs & !done == 0)
    }
}

impl<P, const WORDS: usize> Future for Join<P, WORDS>
where
    P: FnMut(usize, &mut Context<'_>) -> Poll<u32> + Unpin,
{
    type Output = bool;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<bool> {
        let this = self.get_mut();
        let mut waits = false;
        // In the order of the function as written, so a node's inputs have been looked at before it.
        for node in 0..this.plan.nodes.len() {
            let is_done = this.done[node / 64] >> (node % 64) & 1 == 1;
            if is_done || this.plan.begins[node] >= this.limit {
                continue;
            }
            if !this.is_ready(node) {
                waits = true;
                continue;
            }
            match (this.poll)(node, cx) {
                Poll::Ready(statement) => {
                    this.done[node / 64] |= 1 << (node % 64);
                    this.limit = this.limit.min(statement);
                }
                Poll::Pending => waits = true,
            }
        }
        if waits { Poll::Pending } else { Poll::Ready(this.limit == GOES_ON) }
    }
}

impl<P, const WORDS: usize> fmt::Debug for Join<P, WORDS> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Join").field("limit", &self.limit).finish_non_exhaustive()
    }
}
