//! Nodes that run apart from the loops: futures as tokio tasks, `blocking` functions on tokio's
//! blocking pool.
//!
//! The claim goes with the task. Whether it ends, panics, is aborted or is dropped by a runtime
//! that shuts down, [`Claim`] publishes the node exactly once.

use super::demand::Demand;
use super::publish::{done, enqueue, fail};
use super::{Engine, with_engine};
use crate::abort;
use crate::error::{Cause, Error};
use crate::node::{CANCELLED, CLAIMED, EXCLUSIVE, Node, ORPHANED, Outcome, PARKED, RUNNING};
use crate::panic;
use std::cell::Cell;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;

/// The claim of a node that runs later.
struct Claim {
    node: Node,
    /// Payload and edges are whole.
    whole: bool,
}

impl Claim {
    fn publish(self, outcome: std::thread::Result<Outcome>) {
        let node = self.node;
        std::mem::forget(self);
        let error = match outcome {
            Ok(Outcome::Done) => {
                abort::tasks().remove(&node.address());
                // SAFETY: the claim was ours, and the value is in the payload.
                return unsafe { done(node) };
            }
            Ok(Outcome::Failed(error)) => error,
            Ok(Outcome::Again | Outcome::Future(_)) => unreachable!("only the loops' nodes do this"),
            Err(panic) => Error::panicked(node.info(), panic),
        };
        abort::tasks().remove(&node.address());
        // SAFETY: the claim was ours; payload and edges are used up.
        unsafe { fail(node, error, false) };
    }
}

impl Drop for Claim {
    /// The task was dropped before its end.
    fn drop(&mut self) {
        let node = self.node;
        abort::tasks().remove(&node.address());
        let cause = match node.word(Ordering::Relaxed).state() {
            CANCELLED | ORPHANED => Cause::Cancelled,
            _ => Cause::ShutDown,
        };
        // SAFETY: the claim was ours.
        unsafe { fail(node, Error::new(node.info(), cause), self.whole) };
    }
}

/// Runs a claimed node apart from the loops.
pub(super) fn start(engine: &Arc<Engine>, node: Node) {
    // SAFETY: the caller's claim.
    unsafe { node.mark(RUNNING, EXCLUSIVE | PARKED) };
    if node.vtable().task.blocking {
        let mut claim = Claim { node, whole: true };
        let engine = engine.clone();
        let runtime = engine.runtime().clone();
        let run = move || {
            if node.word(Ordering::Relaxed).state() != CLAIMED {
                return drop(claim);
            }
            claim.whole = false;
            claim.publish(with_engine(&engine, || call(node)));
        };
        // As in `start_loops`: without a thread the claim publishes the node.
        return panic::ignore(|| drop(runtime.spawn_blocking(run)));
    }
    let mut claim = Claim { node, whole: true };
    if node.word(Ordering::Relaxed).state() != CLAIMED {
        return drop(claim);
    }
    claim.whole = false;
    // Nodes that need what this thread is about to publish or has published may lie below on its stack.
    let future = match as_polling(|| call(node)) {
        Ok(Outcome::Future(future)) => *future,
        outcome => return claim.publish(outcome),
    };
    let (engine, id, address) = (engine.clone(), node.id(), node.address());
    let runtime = engine.runtime().clone();
    abort::tasks().insert(address, abort::Entry { id, task: None });
    for waiter in node.take_waiters() {
        wait_again(waiter, node, id);
    }
    let task = runtime.spawn(run(claim, engine, future)).abort_handle();
    let mut tasks = abort::tasks();
    // Without its entry the node may be gone.
    if let Some(entry) = tasks.get_mut(&address).filter(|entry| entry.id == id) {
        let unwanted = matches!(node.word(Ordering::Relaxed).state(), CANCELLED | ORPHANED);
        entry.task = Some(task.clone());
        drop(tasks);
        if unwanted {
            task.abort();
        }
    }
}

/// Puts a waiter of a node that was about to start back, with an entry in the table of its wish.
fn wait_again(waiter: Node, node: Node, id: u64) {
    // SAFETY: the waiter's claim came from a list, so it has its demand.
    let demand = unsafe {
        let demand = waiter.demand().cast::<Demand>();
        Arc::increment_strong_count(demand);
        Arc::from_raw(demand)
    };
    demand.will_await(node, id);
    loop {
        let word = node.word(Ordering::Acquire);
        if word.state() != CLAIMED {
            return enqueue([waiter]);
        }
        // SAFETY: the waiter's claim is ours until it is in the list again.
        if unsafe { waiter.wait_for(node, word) }.is_ok() {
            return demand.has_started_to_wait(node, id);
        }
    }
}

/// Calls the function of a node whose claim the caller has and whose inputs are done.
fn call(node: Node) -> std::thread::Result<Outcome> {
    // SAFETY: the caller's claim.
    catch_unwind(AssertUnwindSafe(|| unsafe { (node.vtable().run)(node) }))
}

thread_local! {
    /// An asynchronous node is being called or polled on this thread.
    static POLLING: Cell<bool> = const { Cell::new(false) };
}

/// Whether this is inside an asynchronous node, which must not block its runtime's thread.
pub(crate) fn is_polling() -> bool {
    POLLING.get()
}

/// Runs a part of an asynchronous node, which does not unwind.
fn as_polling<R>(part: impl FnOnce() -> R) -> R {
    let outer = POLLING.replace(true);
    let result = part();
    POLLING.set(outer);
    result
}

async fn run(claim: Claim, engine: Arc<Engine>, mut future: crate::node::NodeFuture) {
    let outcome = poll_fn(|cx| {
        let poll = || with_engine(&engine, || future.as_mut().poll(cx));
        match as_polling(|| catch_unwind(AssertUnwindSafe(poll))) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(outcome)) => Poll::Ready(Ok(outcome)),
            Err(panic) => Poll::Ready(Err(panic)),
        }
    })
    .await;
    drop(future);
    claim.publish(outcome);
}
