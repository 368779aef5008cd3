//! The queue of one loop.

use super::Engine;
use super::offers::Offers;
use crate::node::Node;
use crate::sync::atomic::Ordering;
use crate::sync::{self, Stealer, Worker};
use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

/// How deep nodes may compute inside nodes on one stack. Deeper ones go to another thread.
const DEPTH: usize = 64;

/// Another loop's end of a queue.
pub(super) struct Lane {
    pub(super) owner: usize,
    pub(super) stealer: Stealer<Node>,
    pub(super) offers: Arc<Offers>,
}

impl Lane {
    pub(super) fn queued(&self) -> usize {
        self.stealer.len()
    }

    pub(super) fn has_work(&self) -> bool {
        !self.stealer.is_empty() || self.offers.is_open()
    }
}

sync::thread_local! {
    /// The loop that runs nodes on this thread.
    static LOOP: Cell<*const Loop> = const { Cell::new(std::ptr::null()) };
}

/// A loop's queue, and whether it has its seat.
pub(crate) struct Loop {
    pub(super) engine: Arc<Engine>,
    pub(super) queue: Worker<Node>,
    pub(super) offers: Arc<Offers>,
    pub(super) number: usize,
    /// How many wishes this thread runs inside each other's nodes.
    depth: Cell<usize>,
    /// Whether this loop has one of the engine's places, which it can lend.
    seated: bool,
    /// The loop's thread blocks inside a node, and somebody else may run nodes in its place.
    lent: Cell<bool>,
}

impl Loop {
    /// Opens a queue for this thread.
    pub(super) fn open(engine: &Arc<Engine>, seated: bool) -> Loop {
        let queue = Worker::new_lifo();
        static NUMBERS: AtomicUsize = AtomicUsize::new(0);
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let offers = Arc::new(Offers::default());
        let lane = Lane { owner: number, stealer: queue.stealer(), offers: offers.clone() };
        engine.lanes_mut().push(lane);
        let (depth, lent) = (Cell::new(0), Cell::new(false));
        Loop { engine: engine.clone(), queue, offers, number, depth, seated, lent }
    }

    /// Runs `f` as a node of this loop may: `wait` and `compute` inside it know the loop.
    pub(super) fn enter<R>(&self, f: impl FnOnce() -> R) -> R {
        struct Leave(*const Loop);
        impl Drop for Leave {
            fn drop(&mut self) {
                LOOP.set(self.0);
            }
        }
        let _leave = Leave(LOOP.replace(self));
        f()
    }

    /// Whether a node of this loop may run a wish for `engine` on its own stack.
    pub(super) fn may_nest(&self, engine: &Arc<Engine>) -> bool {
        Arc::ptr_eq(&self.engine, engine) && self.depth.get() < DEPTH
    }

    /// Runs `f`, which may call nodes that run wishes in turn.
    pub(super) fn nested<R>(&self, f: impl FnOnce() -> R) -> R {
        self.depth.set(self.depth.get() + 1);
        let result = f();
        self.depth.set(self.depth.get() - 1);
        result
    }

    /// Puts a claimed node with its demand into this loop's queue.
    pub(super) fn push(&self, node: Node) {
        self.queue.push(node);
        self.engine.start_loops();
    }

    /// Lets another loop run in place of this thread, which is about to block inside a node. False
    /// if one does already, or if there is no place to lend.
    pub(super) fn lend(&self) -> bool {
        let lends = self.seated && !self.lent.replace(true);
        if lends {
            self.engine.active.fetch_sub(1, Ordering::SeqCst);
            self.engine.start_loops();
        }
        lends
    }

    pub(super) fn is_lent(&self) -> bool {
        self.lent.get()
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
        self.take_back();
        self.engine.lanes_mut().retain(|lane| lane.owner != self.number);
        while let Some(node) = self.queue.pop() {
            self.engine.injector.push(node);
        }
        // Whoever looked for work meanwhile may have seen it neither here nor there.
        self.engine.start_loops();
    }
}

/// The loop whose node is running on this thread, if any.
pub(crate) fn current_loop<R>(f: impl FnOnce(Option<&Loop>) -> R) -> R {
    // SAFETY: `Loop::enter` sets the pointer for as long as it borrows the loop.
    f(unsafe { LOOP.get().as_ref() })
}
