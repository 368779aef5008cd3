//! Time limits of nodes.
//!
//! A node with a limit runs apart, so nobody stands behind it. When its time is over it is cancelled:
//! what needs it fails at once, a future is dropped at its await. A function cannot be stopped; what it
//! returns is thrown away, and until then it has its thread.

use super::Engine;
use super::publish::enqueue;
use crate::abort;
use crate::context::Last;
use crate::error::Cause;
use crate::node::{CLAIMED, Node, Waiters};
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Starts the clock of a node that is in the table of tasks, if it has a limit.
///
/// # Panics
///
/// If the engine's runtime has no clock.
pub(super) fn start(engine: &Engine, node: Node) {
    let Some(limit) = node.timeout() else { return };
    let (id, runtime) = (node.id(), engine.runtime());
    let sleep = {
        let _inside = runtime.enter();
        tokio::time::sleep(limit)
    };
    let clock = runtime.spawn(async move {
        sleep.await;
        enqueue(end(node, id, limit));
    });
    if let Some(entry) = abort::tasks().get(node.address(), id) {
        entry.clock = Some(clock.abort_handle());
    }
}

/// Cancels a node whose time is over, if it has not ended; returns who waited for it.
fn end(node: Node, id: u64, limit: Duration) -> Waiters {
    let mut waiters = Waiters::none();
    let mut last = Last::default();
    abort::after(node.address(), id, || {
        // A node in the table is there and claimed. Whatever cancels it holds the lock of the table.
        if node.word(Ordering::Relaxed).state() != CLAIMED {
            return false;
        }
        node.set_timed_out(limit);
        let Ok(waited) = node.mark_cancelled() else { return false };
        node.cancelled();
        waiters = waited;
        last = Last::of(node);
        true
    });
    last.cancelled(Cause::TimedOut(limit));
    waiters
}
