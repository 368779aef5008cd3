//! The engine's protocols, under loom: see `crate::models`.

use super::demand::{Demand, Listener};
use super::offers::Offers;
use super::publish::{done, fail};
use super::walk::run_light;
use super::{Engine, Resources, cancel};
use crate::abort;
use crate::error::{Cause, Error};
use crate::models::runtime::Handle;
use crate::models::{both, check, claim, value, walk, walk_offered};
use crate::node::{DONE, LAZY, Node, NodeRef, Outcome};
use crate::sync::atomic::Ordering;
use crate::sync::thread;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

fn engine(loops: usize) -> Arc<Engine> {
    Engine::new(Handle::of_models(), loops, Resources::default())
}

fn wish(engine: &Arc<Engine>, node: NodeRef) -> (Arc<Demand>, Node) {
    Demand::new(engine.clone(), vec![node], false, Listener::One)
}

/// Waits for the end of a wish. If nobody ends it, loom finds that all threads wait.
fn end_of(demand: &Demand) -> Result<(), crate::error::Error> {
    loom::future::block_on(poll_fn(|cx| match demand.poll(cx.waker()) {
        Some(result) => Poll::Ready(result),
        None => Poll::Pending,
    }))
}

/// A thief takes inputs of a published frame while its owner walks and takes it back. Each input runs
/// once, and nobody looks at the frame when it runs.
#[test]
fn a_frame_is_offered_and_taken_back() {
    check(|tally| {
        let (demand, sink) = wish(&engine(0), tally.done());
        let consumer = tally.node([tally.node([]), tally.node([])]);
        let frame = claim(&consumer);
        let offers = Arc::new(Offers::default());
        offers.publish(frame, &demand, false, true);
        let stolen = offers.clone();
        both(
            move || {
                while let Some(input) = stolen.take() {
                    // SAFETY: the claim came with its demand.
                    drop(unsafe { Arc::from_raw(input.demand().cast::<Demand>()) });
                    walk(input);
                }
            },
            || walk_offered(frame, |frame| assert!(offers.withdraw(frame))),
        );
        assert_eq!(tally.runs(), 4);
        assert_eq!(value(consumer), 3);
        // SAFETY: the sink's claim came from `wish`.
        assert!(unsafe { sink.publish(LAZY) }.is_empty());
    });
}

/// Runs a claimed node as a walker does.
fn finish(node: Node) {
    // SAFETY: the caller's claim.
    unsafe {
        assert!(matches!((node.vtable().run)(node), Outcome::Done));
        done(node);
    }
}

/// A wish begins to wait for a node that is being finished: it ends with the value.
#[test]
fn a_wish_meets_the_end_of_its_node() {
    check(|tally| {
        let node = tally.node([]);
        let claimed = claim(&node);
        let (demand, sink) = wish(&engine(1), node.clone());
        both(move || finish(claimed), || run_light(&demand, sink));
        assert!(end_of(&demand).is_ok());
        assert_eq!(value(node), 1);
    });
}

/// The node is cancelled meanwhile: the wish ends as the node does.
#[test]
fn a_wish_meets_a_cancel() {
    check(|tally| {
        let node = tally.node([]);
        let claimed = claim(&node);
        let (demand, sink) = wish(&engine(1), node.clone());
        let cancelled = node.clone();
        let other = thread::spawn(move || cancel(cancelled.node()));
        both(move || finish(claimed), || run_light(&demand, sink));
        other.join().unwrap();
        let is_done = node.node().word(Ordering::Acquire).state() == DONE;
        assert_eq!(end_of(&demand).is_ok(), is_done);
    });
}

/// An input of a node fails while the node comes to wait for one that runs apart and never ends; `between`:
/// not for that one, but for one that needs it. The wish ends with the failure.
fn a_failure_meets_a_node_that_waits(between: bool) {
    check(move |tally| {
        let (failing, endless) = (tally.node([]), tally.node_apart());
        let (claimed, apart) = (claim(&failing), claim(&endless));
        abort::enter(apart.address(), apart.id());
        let other = if between { tally.node([endless]) } else { endless };
        let (demand, sink) = wish(&engine(1), tally.node([other, failing]));
        let told = demand.clone();
        both(
            move || {
                // SAFETY: just claimed, and it has not run.
                unsafe { fail(claimed, Error::new(claimed.info(), Cause::Cancelled), true) };
                told.has_failed();
            },
            || run_light(&demand, sink),
        );
        assert!(end_of(&demand).is_err());
        abort::leave(apart.address());
        finish(apart);
    });
}

#[test]
fn a_failure_meets_a_node_that_waits_for_what_runs_apart() {
    a_failure_meets_a_node_that_waits(false);
}

#[test]
fn a_failure_meets_a_node_that_waits_for_one_that_waits() {
    a_failure_meets_a_node_that_waits(true);
}

/// A wish is withdrawn while its node is being finished.
#[test]
fn a_withdrawn_wish_meets_the_end_of_its_node() {
    check(|tally| {
        let node = tally.node([]);
        let claimed = claim(&node);
        let (demand, sink) = wish(&engine(1), node);
        let withdrawn = demand.clone();
        let other = thread::spawn(move || withdrawn.withdraw());
        both(move || finish(claimed), || run_light(&demand, sink));
        other.join().unwrap();
        // It may have been given up, but not forgotten.
        let _ = end_of(&demand);
    });
}

/// Work is added while the only loop is ending: it sees the work, or a new one is started.
#[test]
fn work_meets_the_end_of_a_loop() {
    check(|tally| {
        let engine = engine(1);
        let wishes = [(); 2].map(|()| {
            let (demand, sink) = wish(&engine, tally.done());
            engine.submit(sink, &demand);
            demand
        });
        for demand in wishes {
            assert!(end_of(&demand).is_ok());
        }
    });
}

/// Work is added while the engine is being closed: its wish ends all the same.
#[test]
fn work_meets_the_end_of_the_engine() {
    check(|tally| {
        let engine = engine(0);
        let (demand, sink) = wish(&engine, tally.done());
        let closing = engine.clone();
        both(move || closing.close(), || engine.submit(sink, &demand));
        assert!(demand.ended().is_some());
    });
}
