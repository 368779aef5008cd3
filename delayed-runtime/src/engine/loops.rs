//! Loops: threads that take nodes from the queues and walk on from them; when they start and end.

use super::demand::Demand;
use super::lane::{Loop, current_loop};
use super::walk::{self, Walker};
use super::{Engine, with_engine};
use crate::chunk;
use crate::error::Error;
use crate::node::Node;
use crate::panic;
use crate::sync::atomic::{Ordering, fence};
use crate::sync::{Backoff, Instant};
use std::cell::Cell;
use std::sync::Arc;
use std::task::{Wake, Waker};
use std::thread::Thread;
use std::time::Duration;

/// How long a loop without work looks for some before it ends.
const PATIENCE: Duration = Duration::from_micros(50);

impl Engine {
    /// Starts a loop if fewer than `target` are active: called after work was added.
    pub(crate) fn start_loops(self: &Arc<Self>) {
        fence(Ordering::SeqCst);
        loop {
            let active = self.active.load(Ordering::SeqCst);
            if self.is_closed() {
                return self.give_up_queued();
            }
            if active >= self.target.load(Ordering::SeqCst) || !self.has_work() {
                return;
            }
            if self.take_seat(active) {
                let seat = Seat::new(self.clone());
                // It panics if the system has no thread for it. Whoever publishes a node must not unwind;
                // the seat closes the engine.
                panic::ignore(|| drop(self.runtime.spawn_blocking(move || seat.run())));
                return;
            }
        }
    }

    /// Whether there are no more loops than there should be.
    fn has_place(&self) -> bool {
        self.active.load(Ordering::Relaxed) <= self.target.load(Ordering::Relaxed)
    }

    fn take_seat(&self, active: usize) -> bool {
        self.active.compare_exchange(active, active + 1, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }
}

/// One of the places of an engine's loops.
struct Seat {
    engine: Arc<Engine>,
    /// Not taken when it is dropped: tokio has no thread for it, because it is shutting down.
    taken: Cell<bool>,
}

impl Seat {
    /// A seat that `Engine::take_seat` has taken, for a loop that is going to start.
    fn new(engine: Arc<Engine>) -> Self {
        Seat { engine, taken: Cell::new(false) }
    }

    /// Runs a loop on this thread.
    fn run(self) {
        self.taken.set(true);
        let engine = self.engine.clone();
        let starved = run_loop(&engine);
        drop(self);
        if starved {
            // Hungry until its place is free, so that at every moment somebody who has work to offer
            // sees either.
            engine.hungry.fetch_sub(1, Ordering::Relaxed);
        }
        drop(engine);
        chunk::rest();
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.engine.active.fetch_sub(1, Ordering::SeqCst);
        if !self.taken.get() {
            self.engine.close();
        }
        self.engine.start_loops();
    }
}

/// Runs nodes until there is nothing to do or no place for this loop. True if it ended for want of
/// work, and then it still counts as hungry.
fn run_loop(engine: &Arc<Engine>) -> bool {
    let own = Loop::open(engine, true);
    with_engine(engine, || {
        own.enter(|| {
            let mut walker = Walker::of_loop(&own);
            while !engine.is_closed() && engine.has_place() {
                if let Some(node) = engine.urgent.pop(true, None) {
                    walker.resume_urgent(node);
                } else if let Some(node) = own.queue.pop().or_else(|| find_work(&own)) {
                    walker.resume(node);
                } else {
                    return true;
                }
                own.take_back();
            }
            false
        })
    })
}

/// Runs a wish on a thread that is not one of the engine's; the caller then waits for what is left.
fn run_outside(demand: &Arc<Demand>, sink: Node) {
    let engine = demand.engine();
    let active = engine.active.load(Ordering::SeqCst);
    // Without a place it runs all the same: whoever holds the places may be waiting for this thread.
    let seat = (active < engine.target.load(Ordering::SeqCst) && engine.take_seat(active))
        .then(|| Seat::new(engine.clone()));
    if let Some(seat) = &seat {
        seat.taken.set(true);
    }
    let own = Loop::open(engine, seat.is_some());
    with_engine(engine, || own.enter(|| walk::run_inside(demand, sink, &own)));
}

/// Runs a wish and blocks this thread until it has ended. `in_place`: the thread is one of a tokio
/// runtime, which needs another one meanwhile.
pub(crate) fn wait(demand: &Arc<Demand>, sink: Node, in_place: bool) -> Result<(), Error> {
    current_loop(|own| {
        match own {
            Some(own) if own.may_nest(demand.engine()) => walk::run_inside(demand, sink, own),
            Some(_) => demand.engine().submit(sink, demand),
            None => run_outside(demand, sink),
        }
        if let Some(result) = demand.ended() {
            return result;
        }
        give_place(|| if in_place { tokio::task::block_in_place(|| park(demand)) } else { park(demand) })
    })
}

/// Runs `f`, which runs nodes on this thread without a wish. The thread counts as one of the engine's meanwhile:
/// if they were all busy, one of its loops ends after the node that it runs.
pub(crate) fn take_place<R>(engine: &Arc<Engine>, f: impl FnOnce() -> R) -> R {
    struct Place<'a>(&'a Arc<Engine>);
    impl Drop for Place<'_> {
        fn drop(&mut self) {
            self.0.active.fetch_sub(1, Ordering::SeqCst);
            self.0.start_loops();
        }
    }
    let has_one = current_loop(|own| own.is_some());
    let _place = (!has_one).then(|| {
        engine.active.fetch_add(1, Ordering::SeqCst);
        Place(engine)
    });
    f()
}

/// Runs `f`, which blocks this thread. If it is that of a loop, another one may run in its place meanwhile.
pub(crate) fn give_place<R>(f: impl FnOnce() -> R) -> R {
    current_loop(|own| {
        let lends = own.filter(|own| own.lend());
        let result = f();
        if let Some(own) = lends {
            own.take_back();
        }
        result
    })
}

/// Blocks this thread until a wish has ended.
fn park(demand: &Demand) -> Result<(), Error> {
    let waker = Waker::from(Arc::new(Parked(std::thread::current())));
    loop {
        match demand.poll(&waker) {
            Some(result) => return result,
            None => std::thread::park(),
        }
    }
}

struct Parked(Thread);

impl Wake for Parked {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Looks for work in the other queues for a while. The loop is hungry meanwhile, and stays so if there
/// is none.
fn find_work(own: &Loop) -> Option<Node> {
    let engine = &own.engine;
    while engine.board.help() {}
    if let Some(node) = engine.steal(own.number) {
        // There may be enough for one more.
        engine.start_loops();
        return Some(node);
    }
    engine.hungry.fetch_add(1, Ordering::Relaxed);
    let backoff = Backoff::new();
    let mut begin = Instant::now();
    loop {
        if engine.board.help() {
            begin = Instant::now();
            backoff.reset();
        }
        if let Some(node) = engine.steal(own.number) {
            engine.start_loops();
            engine.hungry.fetch_sub(1, Ordering::Relaxed);
            return Some(node);
        }
        if engine.is_closed() || !engine.has_place() || begin.elapsed() > PATIENCE {
            return None;
        }
        backoff.snooze();
    }
}

/// Starts a wish on a thread that must not block. On a thread of a loop, inside a node, that node
/// blocks if this is not the end of the wish, so its place goes to another loop.
pub(crate) fn start(demand: &Arc<Demand>, sink: Node) {
    current_loop(|own| match own {
        Some(own) if own.may_nest(demand.engine()) => {
            walk::run_inside(demand, sink, own);
            if demand.ended().is_none() {
                own.lend();
            }
        }
        Some(own) => {
            demand.engine().submit(sink, demand);
            own.lend();
        }
        // A node that waits would wait for this thread; and this thread passes over priorities.
        None if demand.engine().has_one_thread() || !demand.engine().urgent.is_empty() => {
            demand.engine().submit(sink, demand);
        }
        None => with_engine(demand.engine(), || walk::run_light(demand, sink)),
    });
}
