//! Loops: threads that take nodes from the queues and walk on from them.

use super::demand::Demand;
use super::walk::{self, Walker};
use super::{Engine, Lane, with_engine};
use crate::error::Error;
use crate::node::Node;
use crossbeam_deque::Worker;
use crossbeam_utils::Backoff;
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

/// How long a loop without work looks for some before it ends.
const PATIENCE: Duration = Duration::from_micros(50);

/// One of the places of an engine's loops.
pub(super) struct Seat {
    engine: Arc<Engine>,
    /// Not taken when it is dropped: tokio has no thread for it, because it is shutting down.
    taken: Cell<bool>,
}

impl Seat {
    /// A seat that `Engine::take_seat` has taken, for a loop that is going to start.
    pub(super) fn new(engine: Arc<Engine>) -> Self {
        Seat { engine, taken: Cell::new(false) }
    }

    /// Runs a loop on this thread.
    pub(super) fn run(self) {
        self.taken.set(true);
        run_loop(&self.engine);
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

thread_local! {
    /// The loop that runs nodes on this thread.
    static LOOP: Cell<*const Loop> = const { Cell::new(std::ptr::null()) };
}

/// A loop's queue, and whether it has its seat.
pub(crate) struct Loop {
    pub(super) engine: Arc<Engine>,
    pub(super) queue: Worker<Node>,
    number: usize,
    /// The loop's thread blocks inside a node, and somebody else may run nodes in its place.
    lent: Cell<bool>,
}

impl Loop {
    /// Opens a queue for this thread.
    fn open(engine: &Arc<Engine>) -> Loop {
        let queue = Worker::new_lifo();
        static NUMBERS: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        engine.lanes_mut().push(Lane { owner: number, stealer: queue.stealer() });
        Loop { engine: engine.clone(), queue, number, lent: Cell::new(false) }
    }

    /// Runs `f` as a node of this loop may: `wait` and `compute` inside it know the loop.
    fn enter<R>(&self, f: impl FnOnce() -> R) -> R {
        struct Leave(*const Loop);
        impl Drop for Leave {
            fn drop(&mut self) {
                LOOP.set(self.0);
            }
        }
        let _leave = Leave(LOOP.replace(self));
        f()
    }

    /// Puts a claimed node with its demand into this loop's queue.
    pub(super) fn push(&self, node: Node) {
        self.queue.push(node);
        self.engine.start_loops();
    }

    /// Lets another loop run in place of this thread, which is about to block inside a node.
    fn lend(&self) {
        if !self.lent.replace(true) {
            self.engine.active.fetch_sub(1, Ordering::SeqCst);
            self.engine.start_loops();
        }
    }

    /// Takes the place back. For a moment there may be one loop too many.
    pub(super) fn take_back(&self) {
        if self.lent.replace(false) {
            self.engine.active.fetch_add(1, Ordering::SeqCst);
        }
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        self.engine.lanes_mut().retain(|lane| lane.owner != self.number);
        while let Some(node) = self.queue.pop() {
            self.engine.injector.push(node);
        }
        if self.engine.is_closed() {
            self.engine.give_up_queued();
        }
    }
}

/// The loop whose node is running on this thread, if any.
pub(crate) fn current_loop<R>(f: impl FnOnce(Option<&Loop>) -> R) -> R {
    // SAFETY: `Loop::enter` sets the pointer for as long as it borrows the loop.
    f(unsafe { LOOP.get().as_ref() })
}

fn run_loop(engine: &Arc<Engine>) {
    let own = Loop::open(engine);
    let has_place = || engine.active.load(Ordering::Relaxed) <= engine.target.load(Ordering::Relaxed);
    with_engine(engine, || {
        own.enter(|| {
            let mut walker = Walker::new(Some(&own));
            while !engine.is_closed() && has_place() {
                match own.queue.pop().or_else(|| find_work(&own)) {
                    Some(node) => walker.resume(node),
                    None => break,
                }
                own.take_back();
            }
        });
    });
}

/// Runs a wish on a thread that is not one of the engine's, and as far as the engine has a place
/// for it; the caller then waits for what is left.
fn run_outside(demand: &Arc<Demand>, sink: Node) {
    let engine = demand.engine();
    let active = engine.active.load(Ordering::SeqCst);
    if active >= engine.target.load(Ordering::SeqCst) || !engine.take_seat(active) {
        return engine.submit(sink, demand);
    }
    let seat = Seat::new(engine.clone());
    seat.taken.set(true);
    let own = Loop::open(engine);
    with_engine(engine, || own.enter(|| walk::run_inside(demand, sink, &own)));
}

/// Runs a wish and blocks this thread until it has ended. `in_place`: the thread is one of a tokio
/// runtime, which needs another one meanwhile.
pub(crate) fn wait(demand: &Arc<Demand>, sink: Node, in_place: bool) -> Result<(), Error> {
    current_loop(|own| {
        match own {
            Some(own) if Arc::ptr_eq(&own.engine, demand.engine()) => walk::run_inside(demand, sink, own),
            Some(_) => demand.engine().submit(sink, demand),
            None => run_outside(demand, sink),
        }
        if let Some(result) = demand.ended() {
            return result;
        }
        if let Some(own) = own {
            own.lend();
        }
        let result = if in_place { tokio::task::block_in_place(|| park(demand)) } else { park(demand) };
        if let Some(own) = own {
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

/// Looks for work in the other queues for a while.
fn find_work(own: &Loop) -> Option<Node> {
    let engine = &own.engine;
    if let Some(node) = engine.steal(own.number) {
        return Some(node);
    }
    engine.hungry.fetch_add(1, Ordering::Relaxed);
    let backoff = Backoff::new();
    let begin = Instant::now();
    let found = loop {
        if let Some(node) = engine.steal(own.number) {
            break Some(node);
        }
        if engine.is_closed() || begin.elapsed() > PATIENCE {
            break None;
        }
        backoff.snooze();
    };
    engine.hungry.fetch_sub(1, Ordering::Relaxed);
    found
}

/// Starts a wish on a thread that must not block. On a thread of a loop, inside a node, that node
/// blocks if this is not the end of the wish, so its place goes to another loop.
pub(crate) fn start(demand: &Arc<Demand>, sink: Node) {
    current_loop(|own| match own {
        Some(own) if Arc::ptr_eq(&own.engine, demand.engine()) => {
            walk::run_inside(demand, sink, own);
            if demand.ended().is_none() {
                own.lend();
            }
        }
        Some(own) => {
            demand.engine().submit(sink, demand);
            own.lend();
        }
        // A node that waits would wait for this thread.
        None if demand.engine().has_one_thread() => demand.engine().submit(sink, demand),
        None => walk::run_light(demand, sink),
    });
}
