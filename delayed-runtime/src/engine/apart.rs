//! Nodes that run apart from the loops: futures as tokio tasks, functions on tokio's blocking pool.
//!
//! The claim goes with the task. Whether it ends, panics, is aborted or is dropped by a runtime
//! that shuts down, [`Claim`] publishes the node exactly once. Until then the node is in the table of
//! `abort.rs`, where withdrawn wishes, `cancel` and its clock find it.
//!
//! In order: the node gets the resource that it needs, its clock starts, its function is called, its
//! future is polled. A node that has not come to its function is given back like any claim.

use super::demand::Demand;
use super::publish::{done, drop_claim, enqueue, fail};
use super::{deadline, with_engine};
use crate::abort;
use crate::chunk;
use crate::context::{self, Context, Last};
use crate::error::{Cause, Error};
use crate::event;
use crate::node::{
    CANCELLED, CLAIMED, EXCLUSIVE, Kind, Node, NodeFuture, ORPHANED, Outcome, PARKED, RUNNING,
};
use crate::panic;
use std::cell::Cell;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;
use tokio::sync::OwnedSemaphorePermit;
use tokio::task::AbortHandle;

/// How far a node has come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Payload and edges are whole.
    Waiting,
    /// They are used up.
    Called,
    Published,
}

/// The claim of a node that runs apart.
struct Claim {
    node: Node,
    stage: Stage,
    /// The wish that it was claimed for.
    demand: Arc<Demand>,
    context: Context,
    /// What the node has of a resource, until it is published.
    permit: Option<OwnedSemaphorePermit>,
}

impl Claim {
    /// Takes over the caller's claim.
    fn new(demand: &Arc<Demand>, node: Node) -> Self {
        // SAFETY: the caller's claim.
        unsafe { node.mark(0, EXCLUSIVE | PARKED) };
        let id = node.id();
        abort::enter(node.address(), id);
        for waiter in node.take_waiters() {
            wait_again(waiter, node, id);
        }
        Claim {
            node,
            stage: Stage::Waiting,
            demand: demand.clone(),
            context: Context::of(node),
            permit: None,
        }
    }

    fn is_wanted(&self) -> bool {
        self.node.word(Ordering::Relaxed).state() == CLAIMED
    }

    /// Calls the node's function.
    fn call(&mut self) -> std::thread::Result<Outcome> {
        // SAFETY: the claim is ours.
        unsafe { self.node.mark(RUNNING, 0) };
        catch_unwind(AssertUnwindSafe(|| {
            deadline::start(self.demand.engine(), self.node);
            self.stage = Stage::Called;
            if event::is_on() {
                // SAFETY: the claim is ours, and the function has not been called.
                unsafe { self.node.tell_started(self.demand.engine().number, true, None) };
            }
            // SAFETY: the claim is ours, and the inputs are done.
            let run = || unsafe { (self.node.vtable().run)(self.node) };
            with_engine(self.demand.engine(), || self.context.call(self.node, run))
        }))
    }

    /// Publishes the node, unless its value comes still later.
    fn publish(mut self, outcome: std::thread::Result<Outcome>) {
        let error = match outcome {
            Ok(Outcome::Future(future)) => return self.spawn(*future),
            Ok(Outcome::Done) => None,
            Ok(Outcome::Failed(error)) => Some(error),
            Ok(Outcome::Again) => unreachable!("only nodes of the loops ask for more inputs"),
            Err(panic) => Some(Error::panicked(self.node.info(), panic)),
        };
        if error.is_none() && event::is_on() {
            self.node.tell_finished(self.demand.engine().number);
        }
        let whole = self.leave() == Stage::Waiting;
        // SAFETY: the claim was ours; without an error the value is in the payload.
        unsafe {
            match error {
                None => {
                    Last::of(self.node).done();
                    done(self.node);
                }
                Some(error) => {
                    fail(self.node, error, whole);
                    self.demand.has_failed();
                }
            }
        }
    }

    /// Makes a task of the node's future.
    fn spawn(self, future: NodeFuture) {
        let (node, id, engine) = (self.node, self.node.id(), self.demand.engine().clone());
        may_abort(node, id, engine.runtime().spawn(run(self, future)).abort_handle());
    }

    /// Goes on on the blocking pool.
    fn spawn_blocking(mut self) {
        let engine = self.demand.engine().clone();
        let run = move || {
            if self.is_wanted() {
                let outcome = self.call();
                self.publish(outcome);
            } else {
                drop(self);
            }
            chunk::rest();
        };
        // As in `start_loops`: without a thread the claim publishes the node.
        panic::ignore(|| drop(engine.runtime().spawn_blocking(run)));
    }

    /// Gives the claim of a node back that has not come to its function.
    fn give_back(mut self) {
        self.leave();
        drop_claim(self.node);
    }

    /// Ends what there is beside the node, which the caller then publishes. Gives how far the node had come.
    fn leave(&mut self) -> Stage {
        // Whoever sees the node's end sees that of its span.
        self.context = Context::default();
        abort::leave(self.node.address());
        std::mem::replace(&mut self.stage, Stage::Published)
    }
}

impl Drop for Claim {
    /// The task was dropped before its end, or has found the node unwanted.
    fn drop(&mut self) {
        if self.stage == Stage::Published {
            return;
        }
        let node = self.node;
        let whole = self.leave() == Stage::Waiting;
        let cause = match node.word(Ordering::Relaxed).state() {
            CANCELLED | ORPHANED => node.cause_of_cancel(),
            // Another client may compute it.
            _ if whole && self.demand.engine().is_closed() => return drop_claim(node),
            _ => Cause::ShutDown,
        };
        // SAFETY: the claim was ours.
        unsafe { fail(node, Error::new(node.info(), cause), whole) };
        self.demand.has_failed();
    }
}

/// Runs a claimed node apart from the loops.
pub(super) fn start(demand: &Arc<Demand>, node: Node) {
    let engine = demand.engine();
    let mut claim = Claim::new(demand, node);
    if !claim.is_wanted() {
        return;
    }
    let permit = match engine.resources.of(node) {
        Ok(permit) => permit,
        Err(error) => return claim.publish(Ok(Outcome::Failed(error))),
    };
    match (permit, node.vtable().kind) {
        (None, Kind::Future) => {
            // Nodes that need what this thread is about to publish or has published may lie below on
            // its stack.
            let outcome = as_polling(|| claim.call());
            claim.publish(outcome);
        }
        (None, _) => claim.spawn_blocking(),
        (Some(permit), kind) => {
            let id = node.id();
            let waiting = async move {
                claim.permit = permit.await.ok();
                if claim.demand.is_stopped() && claim.is_wanted() {
                    return claim.give_back();
                }
                if kind != Kind::Future {
                    return claim.spawn_blocking();
                }
                match as_polling(|| claim.call()) {
                    Ok(Outcome::Future(future)) => run(claim, *future).await,
                    outcome => claim.publish(outcome),
                }
            };
            may_abort(node, id, engine.runtime().spawn(waiting).abort_handle());
        }
    }
}

/// Goes on apart from the loops with a node whose function a loop has called.
pub(super) fn adopt(demand: &Arc<Demand>, node: Node, future: NodeFuture) {
    let mut claim = Claim::new(demand, node);
    // SAFETY: the claim is ours.
    unsafe { node.mark(RUNNING, 0) };
    claim.stage = Stage::Called;
    claim.spawn(future);
}

/// Gives the entry of a node its task, which ends at once if nobody wants it any more.
fn may_abort(node: Node, id: u64, task: AbortHandle) {
    let mut tasks = abort::tasks();
    // Without its entry the node may be gone.
    if let Some(entry) = tasks.get(node.address(), id) {
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
    let waits = {
        let any_failure = demand.any_failure();
        // A failure may be that of another input.
        !*any_failure && {
            demand.will_await(node, id);
            wait_while_claimed(waiter, node)
        }
    };
    if waits { demand.has_started_to_wait(node, id) } else { enqueue([waiter]) }
}

/// Makes a node whose claim the caller has a waiter of `node`, unless that is claimed no more.
fn wait_while_claimed(waiter: Node, node: Node) -> bool {
    loop {
        let word = node.word(Ordering::Acquire);
        if word.state() != CLAIMED {
            return false;
        }
        // SAFETY: the waiter's claim is the caller's until it is in the list.
        if unsafe { waiter.wait_for(node, word) }.is_ok() {
            return true;
        }
    }
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

async fn run(claim: Claim, mut future: NodeFuture) {
    let outcome = poll_fn(|cx| {
        let poll =
            || with_engine(claim.demand.engine(), || claim.context.inside(|| future.as_mut().poll(cx)));
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

/// Calls `f` on the blocking pool of the engine that runs this node, which goes on to be current.
///
/// # Panics
///
/// With the panic of `f`, or if the runtime shuts down first.
pub(crate) async fn call_blocking<R: Send + 'static>(f: impl FnOnce() -> R + Send + 'static) -> R {
    let engine = super::current().expect("nodes are polled with their engine");
    let runtime = engine.runtime().clone();
    let f = context::along(f);
    let called = runtime.spawn_blocking(move || with_engine(&engine, f)).await;
    called.unwrap_or_else(|error| std::panic::resume_unwind(error.into_panic()))
}
