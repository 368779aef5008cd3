//! The ends of a claim: done, failed, cancelled, or given up; and what becomes of who waited.

use super::demand::{Demand, finish_sink, finish_waiting_sink};
use super::lane::current_loop;
use super::{apart, with_engine};
use crate::abort;
use crate::context::Last;
use crate::error::{Cause, Error, Failures};
use crate::event;
use crate::node::{DONE, FAILED, Kind, LAZY, LOCKED, Node, OFFERED, Waiters};
use crate::sync::{self, thread};
use std::cell::Cell;
use std::sync::Arc;

sync::thread_local! {
    /// Nodes whose claims the outermost `enqueue` on this thread is giving up, while it does so.
    static GIVEN_UP: Cell<Option<Vec<Node>>> = const { Cell::new(None) };
}

/// Puts nodes that waited back to work, each with the engine of its own wish. What runs apart from the
/// loops needs none of them to start it. Where the wish does
/// not hold any more the claim is given up, which concerns who waits for that node in turn: a list
/// and not recursion, because ending a wish comes back here.
pub(super) fn enqueue(waiters: impl IntoIterator<Item = Node>) {
    let mut given_up = Vec::new();
    for node in waiters {
        // SAFETY: the list gave its claims to us; a claim in a list has its demand.
        let demand = unsafe { &*node.demand().cast::<Demand>() };
        if node.has(OFFERED) {
            let engine = demand.engine();
            engine.deferred.remove(node, engine.reach());
            // Another one is among the first now.
            engine.start_loops();
        }
        // SAFETY: as above.
        if unsafe { finish_waiting_sink(node) } {
            continue;
        }
        if demand.is_stopped() {
            given_up.push(node);
            continue;
        }
        if node.vtable().kind.is_apart() && node.inputs_are_done() {
            // SAFETY: as above; the claim goes on to what runs apart.
            let demand = unsafe { Arc::from_raw(node.demand().cast::<Demand>()) };
            with_engine(demand.engine(), || apart::start(&demand, node));
            continue;
        }
        let engine = demand.engine().clone();
        current_loop(|own| match own {
            Some(own) if Arc::ptr_eq(&own.engine, &engine) => own.push(node),
            _ => engine.inject(node),
        });
    }
    if given_up.is_empty() {
        return;
    }
    if let Some(mut list) = GIVEN_UP.take() {
        list.append(&mut given_up);
        GIVEN_UP.set(Some(list));
        return;
    }
    while let Some(node) = given_up.pop() {
        GIVEN_UP.set(Some(given_up));
        // SAFETY: as above.
        enqueue_some(unsafe { give_up(node) });
        given_up = GIVEN_UP.take().unwrap_or_default();
    }
}

/// Gives up the claim of a node from a queue or a list; returns who waited for it.
///
/// # Safety
///
/// The caller has the claim, which has its demand.
unsafe fn give_up(node: Node) -> Waiters {
    // SAFETY: the caller's promise. The count of the demand goes after the node, which may be
    // its sink.
    unsafe {
        let demand = Arc::from_raw(node.demand().cast::<Demand>());
        let waiters = node.publish(LAZY);
        drop(demand);
        waiters
    }
}

/// Gives up what was in a queue, with the frames behind it if it is a walk.
pub(super) fn give_up_queued(node: Node) {
    // SAFETY: what was in a queue is a claim with its demand, or a walk, whose frames are linked.
    unsafe {
        let mut next = if node.is_paused() { node.parent() } else { None };
        enqueue(give_up(node));
        while let Some(frame) = next {
            next = frame.parent();
            drop_claim(frame);
        }
    }
}

#[inline(always)]
fn enqueue_some(waiters: Waiters) {
    if !waiters.is_empty() {
        enqueue(waiters);
    }
}

/// Publishes a node whose value is in the payload.
///
/// # Safety
///
/// The caller has the claim.
#[inline(always)]
pub(super) unsafe fn done(node: Node) {
    // SAFETY: the caller's promise.
    enqueue_some(unsafe { node.publish(DONE) });
}

/// Gives up a claim of a node that has not run and is in no queue.
pub(super) fn drop_claim(node: Node) {
    // SAFETY: the caller's claim; payload and edges are whole.
    enqueue_some(unsafe { node.publish(LAZY) });
}

/// The error of a consumer whose inputs failed: all failures that are known now, in the order of the
/// arguments. `None` if no input failed.
///
/// # Safety
///
/// The caller has the claim of the consumer, which has not run.
pub(super) unsafe fn inputs_error(consumer: Node) -> Option<Error> {
    let mut failures: Option<Failures> = None;
    let mut add = |input: Node| {
        if let Some(Err(error)) = input.ended() {
            match &mut failures {
                Some(failures) => failures.add(&error, input.vtable().kind == Kind::Group),
                None => failures = Some(Failures::new(error)),
            }
        }
    };
    for index in 0..consumer.edges() {
        // SAFETY: the caller's promise.
        let input = unsafe { consumer.edge(index) };
        add(input);
        // Inputs of a group that the walk has not come to may have failed for another wish.
        let mut inside = if input.vtable().kind == Kind::Group { input.inputs() } else { Vec::new() };
        inside.reverse();
        while let Some(input) = inside.pop() {
            add(input.node());
            if input.node().vtable().kind == Kind::Group {
                inside.extend(input.node().inputs().into_iter().rev());
            }
        }
    }
    // Groups and sinks are no nodes to the user.
    Some(match consumer.vtable().kind {
        Kind::Group => failures?.into_whole(),
        Kind::Sink => failures?.into_error(),
        _ => failures?.into_error().through(consumer.info()),
    })
}

/// Fails a claimed node.
///
/// # Safety
///
/// The caller has the claim. `whole`: the payload is the call and the edges are there; else both
/// are used up.
pub(super) unsafe fn fail(node: Node, error: Error, whole: bool) {
    // SAFETY: the caller's promise.
    unsafe {
        if node.vtable().kind == Kind::Sink {
            return finish_sink(node, Err(error));
        }
        if event::is_on() {
            node.tell_failed(&error, whole);
        }
        if whole {
            node.drop_payload(LAZY);
        }
        Last::of(node).failed(&error);
        node.write(error);
        enqueue_some(node.publish(FAILED));
    }
}

/// Cancels a node, and so all that needs it.
pub(crate) fn cancel(node: Node) {
    loop {
        let mut marked = Err(LAZY);
        let mut mark = || {
            marked = node.mark_cancelled();
            marked.is_ok()
        };
        if node.may_run_apart() {
            abort::with(node.address(), mark);
        } else {
            mark();
        }
        match marked {
            Ok(waiters) => {
                Last::of(node).cancelled(Cause::Cancelled);
                node.cancelled();
                return enqueue(waiters);
            }
            Err(LAZY) => {
                if node.claim() {
                    let error = Error::new(node.info(), Cause::Cancelled);
                    // SAFETY: just claimed, and it has not run.
                    return unsafe { fail(node, error, true) };
                }
            }
            Err(LOCKED) => thread::yield_now(),
            Err(_) => return,
        }
    }
}
