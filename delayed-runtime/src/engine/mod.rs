//! The engine: who runs nodes, and when.
//!
//! # The walk
//!
//! A [`Walker`](walk::Walker) goes depth-first from a claimed node to its inputs, claims what is
//! lazy, runs what is ready, and so needs no queue and no memory: the path back is linked through
//! the nodes ([`walk`]). An input that another walker has claimed blocks the node; when nothing
//! else is left to do below it, the node becomes a waiter of one such input, and whoever publishes
//! that input puts the node into a queue. So the last one to finish resumes it, by construction.
//!
//! # Loops
//!
//! Nodes that are claimed and ready to be walked on lie in queues: one for each loop, and one for
//! all. A loop takes nodes from its own queue, newest first, then from the others, oldest first.
//! Loops run on tokio's blocking pool, so a long function never keeps the runtime from polling its
//! tasks, and `wait` inside a node may block. There is no protocol for sleeping: a loop that finds
//! nothing for [`PATIENCE`] ends, and whoever adds work while fewer than `target` loops are active
//! starts one. Either the loop that ends sees the work, or who added it sees that the loop has
//! ended: both write first and then look, with a fence between (`Engine::start_loops`).
//!
//! # The end
//!
//! A closed engine starts nothing. Whatever is claimed for its wishes is given up where it next
//! comes up: in a walk, in a queue, or when it is put into one; its sinks end with an error.

mod cost;
mod demand;
mod later;
mod walk;

pub(crate) use demand::{Arrivals, Demand, Listener};
pub(crate) use walk::cancel;

use crate::client;
use crate::error::Error;
use crate::node::{LAZY, Node, Waiters};
use crossbeam_deque::{Injector, Steal, Stealer, Worker};
use crossbeam_utils::Backoff;
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use std::sync::{Arc, RwLock};
use std::task::{Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};
use walk::Walker;

/// How long a loop without work looks for some before it ends.
const PATIENCE: Duration = Duration::from_micros(50);

/// The part of a client that runs nodes.
pub(crate) struct Engine {
    /// Nodes that no loop has for itself. A node in a queue is claimed and has its demand.
    injector: Injector<Node>,
    /// The queues of the active loops.
    lanes: RwLock<Vec<Lane>>,
    /// Loops that run nodes, and how many there should be. A thread that blocks inside a node
    /// gives its place away.
    active: AtomicUsize,
    target: AtomicUsize,
    /// Loops that look for work.
    hungry: AtomicUsize,
    closed: AtomicBool,
    runtime: tokio::runtime::Handle,
}

struct Lane {
    owner: usize,
    stealer: Stealer<Node>,
}

static NUMBERS: AtomicUsize = AtomicUsize::new(1);

impl Engine {
    pub(crate) fn new(runtime: tokio::runtime::Handle, loops: usize) -> Arc<Engine> {
        Arc::new(Engine {
            injector: Injector::new(),
            lanes: RwLock::default(),
            active: AtomicUsize::new(0),
            target: AtomicUsize::new(loops),
            hungry: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            runtime,
        })
    }

    #[inline(always)]
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    pub(crate) fn runtime(&self) -> &tokio::runtime::Handle {
        &self.runtime
    }

    /// Changes how many loops there are. Loops above the number end after the node they run.
    pub(crate) fn set_loops(self: &Arc<Self>, loops: usize) {
        self.target.store(loops, Ordering::SeqCst);
        self.start_loops();
    }

    /// Ends all wishes with an error. Functions that are running are not stopped.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        self.give_up_queued();
    }

    fn give_up_queued(&self) {
        loop {
            match self.injector.steal() {
                Steal::Success(node) => give_up_queued(node),
                Steal::Retry => {}
                Steal::Empty => return,
            }
        }
    }

    /// Starts the walk of a claimed node for a wish.
    pub(crate) fn submit(self: &Arc<Self>, node: Node, demand: &Arc<Demand>) {
        // SAFETY: the caller gives its claim to the queue.
        unsafe { node.set_demand(Arc::into_raw(demand.clone()).cast()) };
        self.inject(node);
    }

    /// Puts a claimed node with its demand into the queue of all loops.
    fn inject(self: &Arc<Self>, node: Node) {
        self.injector.push(node);
        self.start_loops();
    }

    /// Starts a loop if fewer than `target` are active: called after work was added.
    fn start_loops(self: &Arc<Self>) {
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
                let seat = Seat { engine: self.clone(), taken: Cell::new(false) };
                drop(self.runtime.spawn_blocking(move || {
                    seat.taken.set(true);
                    run_loop(&seat.engine);
                }));
                return;
            }
        }
    }

    fn take_seat(&self, active: usize) -> bool {
        self.active.compare_exchange(active, active + 1, Ordering::SeqCst, Ordering::SeqCst).is_ok()
    }

    fn lanes(&self) -> std::sync::RwLockReadGuard<'_, Vec<Lane>> {
        self.lanes.read().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn lanes_mut(&self) -> std::sync::RwLockWriteGuard<'_, Vec<Lane>> {
        self.lanes.write().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn has_work(&self) -> bool {
        !self.injector.is_empty() || self.lanes().iter().any(|lane| !lane.stealer.is_empty())
    }

    /// The oldest node of a queue that is not `own`.
    fn steal(&self, own: usize) -> Option<Node> {
        loop {
            let mut retry = false;
            let mut take = |steal| match steal {
                Steal::Success(node) => Some(node),
                Steal::Empty => None,
                Steal::Retry => {
                    retry = true;
                    None
                }
            };
            let found = take(self.injector.steal()).or_else(|| {
                self.lanes().iter().filter(|l| l.owner != own).find_map(|l| take(l.stealer.steal()))
            });
            if found.is_some() || !retry {
                return found;
            }
        }
    }
}

/// One of the places of an engine's loops.
struct Seat {
    engine: Arc<Engine>,
    /// Not taken when it is dropped: tokio has no thread for it, because it is shutting down.
    taken: Cell<bool>,
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
    engine: Arc<Engine>,
    queue: Worker<Node>,
    number: usize,
    /// The loop's thread blocks inside a node, and somebody else may run nodes in its place.
    lent: Cell<bool>,
}

impl Loop {
    /// Opens a queue for this thread.
    fn open(engine: &Arc<Engine>) -> Loop {
        let queue = Worker::new_lifo();
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
    fn push(&self, node: Node) {
        self.queue.push(node);
        self.engine.start_loops();
    }

    /// Lets another loop run in place of this thread, which is about to block inside a node.
    pub(crate) fn lend(&self) {
        if !self.lent.replace(true) {
            self.engine.active.fetch_sub(1, Ordering::SeqCst);
            self.engine.start_loops();
        }
    }

    /// Takes the place back. For a moment there may be one loop too many.
    pub(crate) fn take_back(&self) {
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
    client::with_engine(engine, || {
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
    let _seat = Seat { engine: engine.clone(), taken: Cell::new(true) };
    let own = Loop::open(engine);
    client::with_engine(engine, || own.enter(|| walk::run_inside(demand, sink, &own)));
}

/// Runs a wish and blocks this thread until it has ended.
pub(crate) fn wait(demand: &Arc<Demand>, sink: Node) -> Result<(), Error> {
    current_loop(|own| {
        match own {
            Some(own) if Arc::ptr_eq(&own.engine, demand.engine()) => walk::run_inside(demand, sink, own),
            Some(_) => demand.engine().submit(sink, demand),
            None => run_outside(demand, sink),
        }
        if let Some(result) = demand.ended() {
            return result;
        }
        let waker = Waker::from(Arc::new(Parked(std::thread::current())));
        if let Some(own) = own {
            own.lend();
        }
        let result = loop {
            match demand.poll(&waker) {
                Some(result) => break result,
                None => std::thread::park(),
            }
        };
        if let Some(own) = own {
            own.take_back();
        }
        result
    })
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
        None => walk::run_light(demand, sink),
    });
}

/// Puts nodes that waited back to work, each with the engine of its own wish.
fn enqueue(waiters: Waiters) {
    let own: *const Loop = LOOP.get();
    let mut given_up = Vec::new();
    let mut waiters = waiters;
    loop {
        for node in waiters {
            // SAFETY: the list gave its claims to us; a claim in a list has its demand.
            let demand = unsafe { &*node.demand().cast::<Demand>() };
            // SAFETY: as in `current_loop`.
            let own = unsafe { own.as_ref() }.filter(|own| Arc::ptr_eq(&own.engine, demand.engine()));
            if demand.is_stopped() {
                given_up.push(node);
            } else if let Some(own) = own {
                own.push(node);
            } else {
                let engine = demand.engine().clone();
                engine.inject(node);
            }
        }
        let Some(node) = given_up.pop() else { return };
        // SAFETY: as above.
        waiters = unsafe { give_up(node) };
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

fn give_up_queued(node: Node) {
    // SAFETY: what was in a queue is a claim with its demand.
    enqueue(unsafe { give_up(node) });
}
