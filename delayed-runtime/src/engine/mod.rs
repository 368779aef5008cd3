//! The engine: who runs nodes, and when.
//!
//! # The walk
//!
//! A `Walker` goes depth-first from a claimed node to its inputs, claims what is
//! lazy, runs what is ready, and so needs no queue and no memory: the path back is linked through
//! the nodes (`walk.rs`). An input that another walker has claimed blocks the node. If that walker is
//! about to finish it, this one waits for a moment; else the node becomes a waiter of one such input,
//! and whoever publishes that input puts the node into a queue. So the last one to finish resumes it,
//! by construction.
//!
//! What a loop has not come to, others may take: inputs of frames that it has published (`offers.rs`),
//! and of nodes that wait in lists (`deferred.rs`). Nodes with a priority lie apart (`urgent.rs`).
//!
//! # Loops
//!
//! Nodes that are claimed and ready to be walked on lie in queues: one for each loop, and one for
//! all. A loop takes nodes from its own queue, newest first, then from the others, oldest first, and
//! then inputs from published frames and waiting nodes. After 10 ms a walk makes room for others.
//! Loops run on tokio's blocking pool, so a long function never keeps the runtime from polling its
//! tasks, and `wait` inside a node may block. There is no protocol for sleeping: a loop that finds
//! nothing for 50 µs ends, and whoever adds work while fewer than `target` loops are active
//! starts one. Either the loop that ends sees the work, or who added it sees that the loop has
//! ended: both write first and then look, with a fence between (`start_loops` in `loops.rs`).
//!
//! # The end
//!
//! A closed engine starts nothing. Whatever is claimed for its wishes is given up where it next
//! comes up: in a walk, in a queue, or when it is put into one; its sinks end with an error.

mod apart;
mod board;
mod cost;
mod current;
mod deadline;
mod deferred;
mod demand;
mod frame;
mod lane;
mod leave;
mod loops;
#[cfg(all(test, loom))]
mod models;
mod offers;
mod pace;
mod publish;
mod resource;
mod run;
mod urgent;
mod walk;

pub(crate) use apart::{call_blocking, is_polling};
pub(crate) use board::{Board, Post, Posted};
use current::with_engine;
pub(crate) use current::{current, enter, leave};
pub(crate) use demand::{Arrivals, Demand, Listener};
pub(crate) use lane::current_loop;
pub(crate) use loops::{give_place, start, take_place, wait};
pub(crate) use publish::cancel;
pub(crate) use resource::Resources;

use crate::event::slot::CLIENTS;
use crate::node::Node;
use crate::sync::atomic::{AtomicBool, AtomicUsize, Ordering, fence};
use crate::sync::unmodelled::{Mutex, MutexGuard};
use crate::sync::{Handle, Injector, RwLock, RwLockReadGuard, RwLockWriteGuard, Steal};
use deferred::Deferred;
use lane::Lane;
use publish::give_up_queued;
use std::sync::Arc;
use std::sync::atomic::{self, AtomicU16};
use tokio::runtime::RuntimeFlavor;
use urgent::Urgent;

/// The part of a client that runs nodes.
pub(crate) struct Engine {
    /// Nodes that no loop has for itself. A node in a queue is claimed and has its demand.
    injector: Injector<Node>,
    /// Nodes with a priority.
    urgent: Urgent,
    /// Waiting nodes that loops without work may take inputs of.
    deferred: Deferred,
    /// The queues of the active loops.
    lanes: RwLock<Vec<Lane>>,
    /// Loops that run nodes, and how many there should be. A thread that blocks inside a node
    /// gives its place away.
    active: AtomicUsize,
    target: AtomicUsize,
    /// Loops that look for work.
    hungry: AtomicUsize,
    closed: AtomicBool,
    resources: Resources,
    runtime: Handle,
    /// Tells this engine's events from those of others.
    pub(crate) number: u16,
    /// Graphs of the binary that have nodes for idle loops.
    pub(crate) board: Board,
}

/// The threads of the largest client so far.
static MOST_THREADS: atomic::AtomicUsize = atomic::AtomicUsize::new(0);

pub(crate) fn most_threads() -> usize {
    MOST_THREADS.load(atomic::Ordering::Relaxed)
}

/// The engines of clients that there are.
fn engines() -> MutexGuard<'static, Vec<Arc<Engine>>> {
    static ENGINES: Mutex<Vec<Arc<Engine>>> = Mutex::new(Vec::new());
    ENGINES.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// All engines that are open.
pub(crate) fn all() -> Vec<Arc<Engine>> {
    engines().iter().filter(|engine| !engine.is_closed()).cloned().collect()
}

impl Engine {
    pub(crate) fn new(runtime: impl Into<Handle>, loops: usize, resources: Resources) -> Arc<Engine> {
        static NUMBERS: AtomicU16 = AtomicU16::new(0);
        // One that no other client has, as long as there are some.
        let is_taken = |number| engines().iter().any(|engine| engine.number == number);
        let next = || NUMBERS.fetch_add(1, atomic::Ordering::Relaxed) % CLIENTS + 1;
        let number = (0..CLIENTS).map(|_| next()).find(|number| !is_taken(*number)).unwrap_or(CLIENTS);
        MOST_THREADS.fetch_max(loops, atomic::Ordering::Relaxed);
        Arc::new(Engine {
            injector: Injector::new(),
            urgent: Urgent::default(),
            deferred: Deferred::default(),
            lanes: RwLock::default(),
            active: AtomicUsize::new(0),
            target: AtomicUsize::new(loops),
            hungry: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            resources,
            runtime: runtime.into(),
            number,
            board: Board::default(),
        })
    }

    #[inline(always)]
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Relaxed)
    }

    /// Whether the runtime's tasks have no thread but the one that is in `block_on`.
    pub(crate) fn has_one_thread(&self) -> bool {
        self.runtime.runtime_flavor() == RuntimeFlavor::CurrentThread
    }

    pub(crate) fn runtime(&self) -> &tokio::runtime::Handle {
        &self.runtime
    }

    /// Says that the engine is that of a client, until [`unlist`](Engine::unlist).
    pub(crate) fn list(self: &Arc<Self>) {
        engines().push(self.clone());
    }

    pub(crate) fn unlist(&self) {
        let mut engines = engines();
        let at = engines.iter().position(|engine| std::ptr::eq(&**engine, self));
        let engine = at.map(|at| engines.swap_remove(at));
        drop(engines);
        drop(engine);
    }

    /// How many loops there should be.
    pub(crate) fn threads(&self) -> usize {
        self.target.load(Ordering::Relaxed)
    }

    /// How many loops there are.
    pub(crate) fn busy(&self) -> usize {
        self.active.load(Ordering::Relaxed)
    }

    /// How many nodes wait in queues, about.
    pub(crate) fn queued(&self) -> usize {
        self.injector.len() + self.lanes().iter().map(Lane::queued).sum::<usize>()
    }

    /// Changes how many loops there are. Loops above the number end after the node they run.
    pub(crate) fn set_loops(self: &Arc<Self>, loops: usize) {
        self.target.store(loops, Ordering::SeqCst);
        MOST_THREADS.fetch_max(loops, atomic::Ordering::Relaxed);
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
                Steal::Empty => break,
            }
        }
        while let Some(node) = self.urgent.pop(false, None) {
            give_up_queued(node);
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

    fn lanes(&self) -> RwLockReadGuard<'_, Vec<Lane>> {
        self.lanes.read().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn lanes_mut(&self) -> RwLockWriteGuard<'_, Vec<Lane>> {
        self.lanes.write().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// How many of the deferred nodes loops may take inputs of: enough for all of them, and few enough
    /// that what they make early does not fill the memory.
    fn reach(&self) -> usize {
        2 * self.target.load(Ordering::Relaxed)
    }

    fn has_work(&self) -> bool {
        !self.injector.is_empty()
            || !self.urgent.is_empty()
            || self.deferred.is_open()
            || self.board.asks()
            || self.lanes().iter().any(Lane::has_work)
    }

    /// A node for a loop that has none in its own queue, which is that of lane `own`: one from
    /// another queue, or else an input of a frame that another loop has published.
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
                let lanes = self.lanes();
                let mut others = lanes.iter().filter(|lane| lane.owner != own);
                others
                    .clone()
                    .find_map(|lane| take(lane.stealer.steal()))
                    .or_else(|| others.find_map(|lane| lane.offers.take()))
            });
            let found = found
                .or_else(|| self.deferred.take(None, self.reach()))
                .or_else(|| self.urgent.pop(false, None));
            if found.is_some() || !retry {
                return found;
            }
        }
    }
}
