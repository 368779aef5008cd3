//! The engine's protocols, under loom: see `crate::models`.

use super::Engine;
use super::demand::{Demand, Listener};
use super::offers::Offers;
use crate::models::runtime::Handle;
use crate::models::{both, check, claim, value, walk, walk_offered};
use crate::node::{Node, NodeRef};
use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

fn engine(loops: usize) -> Arc<Engine> {
    Engine::new(Handle::of_models(), loops)
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
        assert!(unsafe { sink.publish(crate::node::LAZY) }.is_empty());
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
