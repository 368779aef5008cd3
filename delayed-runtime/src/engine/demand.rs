//! A wish for values, and the node at which it ends.
//!
//! Each wish has a [`Demand`] and a sink: a node whose inputs are the wished-for ones. The sink is
//! claimed and orphaned from the start, so it lives until its claimer publishes or gives it up.
//! The demand outlives it; both ends of the wish have a count of it.

use super::publish::{enqueue, inputs_error};
use super::{Engine, urgent};
use crate::abort;
use crate::call::builtins;
use crate::error::{Cause, Error};
use crate::event;
use crate::given;
use crate::node::{self, Kind, MOST_EDGES, Node, NodeRef, ORPHANED, Outcome, Vtable, group};
use crate::panic;
use crate::sync::atomic::{AtomicBool, Ordering, fence};
use crate::sync::{Mutex, MutexGuard};
use crate::task::Function;
use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;

/// Who is told when the wish has ended.
pub(crate) enum Listener {
    /// A future or a thread.
    One,
    /// A stream of several: its queue gets this number.
    Stream(Arc<Arrivals>, usize),
    /// Nobody. The wish holds as long as anybody can reach the value.
    Nobody,
}

/// The numbers of wishes that have ended, for a stream.
#[derive(Default)]
pub(crate) struct Arrivals(Mutex<(VecDeque<usize>, Option<Waker>)>);

impl Arrivals {
    fn push(&self, number: usize) {
        let waker = {
            let mut state = lock(&self.0);
            state.0.push_back(number);
            state.1.take()
        };
        if let Some(waker) = waker {
            panic::ignore(|| waker.wake());
        }
    }

    /// The next number; if there is none, `waker` is woken when there is.
    pub(crate) fn pop(&self, waker: &Waker) -> Option<usize> {
        let waker = waker.clone();
        let mut state = lock(&self.0);
        let number = state.0.pop_front();
        let old = if number.is_none() { state.1.replace(waker) } else { Some(waker) };
        drop(state);
        // A waker is the user's code, so it is dropped without the lock.
        drop(old);
        number
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

enum Progress {
    Open(Option<Waker>),
    Ended(Result<(), Error>),
}

/// A wish for values.
pub(crate) struct Demand {
    engine: Arc<Engine>,
    /// The wish is withdrawn or has ended: what nobody else wants need not run.
    stopped: AtomicBool,
    /// The wished-for node if there is one, of which the sink has a reference while the wish is open.
    root: Option<Node>,
    /// The root has a watcher that ends with this wish.
    watches: AtomicBool,
    /// Nodes whose inputs failed fail when all their inputs have ended, not at once.
    tolerant: bool,
    listener: Listener,
    progress: Mutex<Progress>,
    /// Nodes that run apart and that nodes claimed for this wish wait for, and their
    /// ids. To be looked at only if the table of tasks has them.
    awaits: Mutex<Vec<(Node, u64)>>,
    /// A walk or a task has told that nodes claimed for this wish failed.
    any_failure: Mutex<bool>,
}

builtins! {
    Sink("compute":);
}

type Payload = Arc<Demand>;

static FAIL_FAST: Vtable = vtable(false);
static TOLERANT: Vtable = vtable(true);

const fn vtable(tolerant: bool) -> Vtable {
    Vtable {
        task: &Sink::TASK,
        number: 0,
        kind: Kind::Sink,
        shape: &[None],
        tolerant,
        ordered: false,
        run,
        drop_call,
        drop_value: None,
        measure: |_| 0,
        size: node::payload_size::<Payload, ()>(),
        align: node::payload_align::<Payload, ()>(),
    }
}

unsafe fn run(node: Node) -> Outcome {
    // SAFETY: a sink that runs is claimed, and its payload is the demand.
    unsafe { end_sink(node, Ok(())) };
    Outcome::Done
}

unsafe fn drop_call(node: Node) {
    // SAFETY: the sink has not run.
    let demand = unsafe { node.read::<Payload>() };
    let info = demand.root.map_or_else(|| node.info(), Node::info);
    if demand.watches.load(Ordering::Relaxed)
        && let Some(root) = demand.root
    {
        root.unwatch();
    }
    let cause = if demand.engine.is_closed() { Cause::ShutDown } else { Cause::Cancelled };
    demand.end(Err(Error::new(info, cause)));
}

/// Ends a sink.
///
/// # Safety
///
/// The caller has the claim of the sink, which has not run, and gives it up.
pub(super) unsafe fn finish_sink(sink: Node, result: Result<(), Error>) {
    // SAFETY: the caller's promise; a sink is orphaned, so its claimer frees it.
    unsafe {
        end_sink(sink, result);
        sink.deallocate();
    }
}

/// Ends a sink that waited for its only input, if that has ended: no loop has to come for it.
///
/// # Safety
///
/// The caller has the claim of the node, which came from a list and has its demand. If this is
/// true, the claim is used up.
pub(super) unsafe fn finish_waiting_sink(node: Node) -> bool {
    if node.vtable().kind != Kind::Sink || node.edges() != 1 {
        return false;
    }
    // SAFETY: the caller's promise; a claimed node's edges hold references.
    unsafe {
        let result = match node.edge(0).ended() {
            None => return false,
            Some(Err(_)) if !node.vtable().tolerant => inputs_error(node).map_or(Ok(()), Err),
            Some(_) => Ok(()),
        };
        let demand = Arc::from_raw(node.demand().cast::<Demand>());
        finish_sink(node, result);
        drop(demand);
    }
    true
}

/// Uses up the sink's payload and edges and tells who wished.
///
/// # Safety
///
/// The caller has the claim of the sink, whose payload is the demand.
unsafe fn end_sink(sink: Node, result: Result<(), Error>) {
    // SAFETY: the caller's promise.
    unsafe {
        let demand = sink.read::<Payload>();
        if matches!(demand.listener, Listener::Nobody) {
            // `withdraw_if_in_vain` looks at the root while the wish is open.
            demand.end(result);
            sink.take_edge(0).release_watched();
        } else {
            // Who wished may want to move the values out, so the sink's references go first.
            sink.release_edges(0);
            demand.end(result);
        }
    }
}

impl Demand {
    /// A wish for `inputs` and its sink, claimed by the caller. With `tolerant`, the wish ends
    /// when all inputs have ended, and all runs that can; otherwise with the first failure.
    pub(crate) fn new(
        engine: Arc<Engine>,
        mut inputs: Vec<NodeRef>,
        tolerant: bool,
        listener: Listener,
    ) -> (Arc<Demand>, Node) {
        if event::is_on() {
            inputs.iter().for_each(|input| input.node().tell_demanded(engine.number));
        }
        if inputs.len() > MOST_EDGES {
            inputs = vec![group::of(inputs, tolerant)];
        }
        let root = match &*inputs {
            [one] if one.node().vtable().kind != Kind::Group => Some(one.node()),
            _ => None,
        };
        let demand = Arc::new(Demand {
            engine,
            stopped: AtomicBool::new(false),
            watches: AtomicBool::new(false),
            root,
            tolerant,
            listener,
            progress: Mutex::new(Progress::Open(None)),
            awaits: Mutex::default(),
            any_failure: Mutex::default(),
        });
        let vtable = if tolerant { &TOLERANT } else { &FAIL_FAST };
        let sink = Node::allocate(vtable, inputs.len(), ORPHANED, None);
        for (index, input) in inputs.into_iter().enumerate() {
            // SAFETY: the sink was just made.
            unsafe { sink.set_edge(index, input) };
        }
        // SAFETY: as above.
        unsafe { sink.write::<Payload>(demand.clone()) };
        if given::uses_priorities() {
            urgent::claim_all(&demand, sink);
        }
        (demand, sink)
    }

    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }

    pub(super) fn is_tolerant(&self) -> bool {
        self.tolerant
    }

    /// Whether what is claimed for this wish should be given up.
    #[inline(always)]
    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Relaxed) || self.engine.is_closed()
    }

    /// A wish that nobody waits for, if there is none yet for this node.
    pub(crate) fn in_background(engine: &Arc<Engine>, input: NodeRef) -> Option<(Arc<Demand>, Node)> {
        let node = input.node();
        let (demand, sink) = Demand::new(engine.clone(), vec![input], false, Listener::Nobody);
        let weak = Arc::downgrade(&demand);
        let watcher = Arc::new(move || {
            if let Some(demand) = weak.upgrade() {
                demand.withdraw_if_in_vain();
            }
        });
        if node.watch(watcher) {
            demand.watches.store(true, Ordering::Relaxed);
            return Some((demand, sink));
        }
        demand.stopped.store(true, Ordering::Relaxed);
        // SAFETY: the sink was just made and nobody has seen it.
        unsafe { sink.publish(node::LAZY) };
        None
    }

    /// Withdraws a wish that nobody waits for if only the sink can reach its node.
    fn withdraw_if_in_vain(&self) {
        let in_vain = {
            let progress = lock(&self.progress);
            // While the wish is open the sink has its reference to the root.
            matches!(*progress, Progress::Open(_)) && self.root.is_some_and(Node::is_left_to_the_wish)
        };
        if in_vain {
            self.withdraw();
        }
    }

    /// How the wish ended; if it has not, `waker` is woken when it has.
    pub(crate) fn poll(&self, waker: &Waker) -> Option<Result<(), Error>> {
        // Wakers are the user's code, so they are cloned and dropped without the lock.
        let waker = waker.clone();
        let old = match &mut *lock(&self.progress) {
            Progress::Ended(result) => return Some(result.clone()),
            Progress::Open(current) => current.replace(waker),
        };
        drop(old);
        None
    }

    pub(crate) fn ended(&self) -> Option<Result<(), Error>> {
        match &*lock(&self.progress) {
            Progress::Ended(result) => Some(result.clone()),
            Progress::Open(_) => None,
        }
    }

    fn end(&self, result: Result<(), Error>) {
        self.stopped.store(true, Ordering::Relaxed);
        let waker = {
            let mut progress = lock(&self.progress);
            let Progress::Open(waker) = &mut *progress else { return };
            let waker = waker.take();
            *progress = Progress::Ended(result);
            waker
        };
        self.give_up_waiting();
        self.tell(waker);
    }

    fn tell(&self, waker: Option<Waker>) {
        if let Some(waker) = waker {
            panic::ignore(|| waker.wake());
        }
        if let Listener::Stream(arrivals, number) = &self.listener {
            arrivals.push(*number);
        }
    }

    /// Withdraws the wish.
    pub(crate) fn withdraw(&self) {
        if !self.stopped.swap(true, Ordering::Relaxed) {
            self.give_up_waiting();
        }
    }

    /// Remembers that a node claimed for this wish is going to wait for `input`.
    pub(super) fn will_await(&self, input: Node, id: u64) {
        let mut awaits = lock(&self.awaits);
        if awaits.len() == awaits.capacity() {
            let mut tasks = abort::tasks();
            awaits.retain(|(node, id)| tasks.get(node.address(), *id).is_some());
        }
        awaits.push((input, id));
    }

    /// After the wish was withdrawn: takes the nodes that wait for what runs apart, so that what
    /// they kept alive is let go. Those claimed for other wishes look at their inputs again.
    ///
    /// The fence pairs with the one in [`has_started_to_wait`](Demand::has_started_to_wait):
    /// either this sees the waiter, or the waiter's walker sees `stopped`.
    fn give_up_waiting(&self) {
        fence(Ordering::SeqCst);
        let awaits = std::mem::take(&mut *lock(&self.awaits));
        enqueue(waiters_of(awaits));
    }

    /// A node claimed for this wish has become a waiter of `input`, which runs apart.
    pub(super) fn has_started_to_wait(&self, input: Node, id: u64) {
        fence(Ordering::SeqCst);
        if self.stopped.load(Ordering::Relaxed) {
            enqueue(waiters_of([(input, id)]));
        }
    }

    /// Whether nodes claimed for this wish have failed; none is told while the caller looks at inputs and
    /// becomes a waiter.
    pub(super) fn any_failure(&self) -> MutexGuard<'_, bool> {
        lock(&self.any_failure)
    }

    /// Nodes claimed for this wish have failed, and all of the wish fails with them unless it is tolerant.
    /// A node waits for one input at a time, perhaps for another one. So those that wait for what runs apart
    /// look at their inputs again; and those that wait for them, when they come to wait once more.
    pub(super) fn has_failed(&self) {
        if self.tolerant || self.is_stopped() {
            return;
        }
        let waiting = {
            let mut any_failure = self.any_failure();
            *any_failure = true;
            waiters_of(std::mem::take(&mut *lock(&self.awaits)))
        };
        enqueue(waiting);
    }
}

/// Takes the waiters of nodes that run apart. A node that has not started yet is not in the table; its
/// waiters are taken when it starts.
fn waiters_of(nodes: impl IntoIterator<Item = (Node, u64)>) -> Vec<Node> {
    let mut waiters = Vec::new();
    for (node, id) in nodes {
        let mut tasks = abort::tasks();
        // A node in the table is there, and claimed, while the lock is held.
        if tasks.get(node.address(), id).is_some() {
            waiters.extend(node.take_waiters());
        }
    }
    waiters
}
