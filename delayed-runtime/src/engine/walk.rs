//! Walking: claim, descend, run, publish.
//!
//! A walker's frames are claimed nodes, linked by their parents; each has the input it looks at in
//! `at`. Only the walker touches them. In order:
//!
//! 1. Look at the inputs from `at` on. Lazy: claim it; if it has inputs itself it is the next
//!    frame, else it runs at once. Claimed by another: remember that, go on with the others.
//! 2. All done: run the node and publish it, look at the parent again.
//! 3. One failed: the node fails with the same error, look at the parent again.
//! 4. Else wait for one that is claimed: leave the demand with the node, become its waiter. From
//!    then on the node belongs to whoever publishes that input. The parent is blocked.
//!
//! Inputs that the walker has not come to are offered to hungry loops from the far end of the
//! oldest frame that has some, where the most work hangs: the walker claims such an input and puts
//! it into its queue. A function that is not known to be short is not called before others have
//! been offered what there is to do beside it, because nobody can take it from a walker that is
//! inside a function.

use super::demand::Demand;
use super::lane::Loop;
use super::publish::{consumer_error, done, drop_claim, fail};
use super::{Engine, clock, cost, later};
use crate::error::Error;
use crate::node::{
    BLOCKED, CANCELLED, CLAIMED, DONE, EXCLUSIVE, FAILED, Kind, LAZY, Node, Outcome, RUNNING, SECOND, Seen,
};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

/// One node of this many is timed although its function is known to be short.
const SAMPLE: u32 = 128;
/// Short nodes are offered to others if they take this long on average, with what is around them.
const WORTH_SHARING: Duration = Duration::from_nanos(200);
/// A walk as long as this is worth a second thread.
const WORTH_HELP: Duration = Duration::from_micros(50);
/// What a poll may spend on short functions before it gives the walk to a loop.
const SLICE: Duration = Duration::from_micros(50);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Pace {
    /// Runs everything.
    Full,
    /// Runs short functions for a while: the walk is on a thread that must not block.
    Light,
}

/// What became of a node that was to run.
enum Ran {
    /// It is published, or will be by somebody else.
    Published,
    /// It wants to be called again when its new input is done.
    Again,
    /// The walk is not allowed to go on here.
    Declined,
}

/// A node that this walker has claimed and that is on its path.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Frame(Node);

// A walker makes frames only of nodes that it has claimed, and forgets them when it gives a claim
// away. So it alone uses the fields that belong to the claimer.
impl Frame {
    #[inline(always)]
    fn begin(self, parent: Option<Frame>) {
        // SAFETY: a frame is claimed by this walker.
        unsafe { self.0.begin(parent.map(|frame| frame.0)) }
    }

    #[inline(always)]
    fn parent(self) -> Option<Frame> {
        // SAFETY: as in `begin`.
        unsafe { self.0.parent() }.map(Frame)
    }

    fn set_parent(self, parent: Option<Frame>) {
        // SAFETY: as in `begin`.
        unsafe { self.0.set_parent(parent.map(|frame| frame.0)) }
    }

    #[inline(always)]
    fn at(self) -> usize {
        // SAFETY: as in `begin`.
        unsafe { self.0.at() }
    }

    #[inline(always)]
    fn set_at(self, at: usize) {
        // SAFETY: as in `begin`.
        unsafe { self.0.set_at(at) }
    }

    /// An input. A frame's edges hold references, so its inputs are there.
    #[inline(always)]
    fn input(self, index: usize) -> Node {
        // SAFETY: as in `begin`.
        unsafe { self.0.edge(index) }
    }

    fn take_offer(self) -> Option<Node> {
        // SAFETY: as in `begin`.
        unsafe { self.0.take_offer() }
    }
}

pub(super) struct Walker<'a> {
    own: Option<&'a Loop>,
    pace: Pace,
    /// The oldest frame that may have inputs to offer.
    base: Option<Frame>,
    /// When the last short function ended.
    ticks: u64,
    until_sample: u32,
    sampled: Option<Instant>,
    /// Whether short nodes are worth sharing.
    shares: bool,
    begin: Option<Instant>,
}

/// What became of a walk.
enum Walked {
    /// Its first node is published, or waits for somebody else.
    Ended,
    /// It was declined; the first node is still claimed.
    Declined,
}

/// Starts a wish on a thread that must not block: runs it here while its functions are known to be
/// short, else leaves it to a loop.
pub(super) fn run_light(demand: &Arc<Demand>, sink: Node) {
    let mut walker = Walker::new(None);
    walker.pace = Pace::Light;
    if let Walked::Declined = walker.walk(demand, sink) {
        demand.engine().submit(sink, demand);
    }
}

/// Starts a wish inside a node of `own`, and runs as much of it as this thread can.
pub(super) fn run_inside(demand: &Arc<Demand>, sink: Node, own: &Loop) {
    let mut walker = Walker::new(Some(own));
    own.nested(|| walker.walk(demand, sink));
    while demand.ended().is_none() {
        let Some(node) = own.queue.pop() else { return };
        // SAFETY: what was in a queue is a claim with its demand.
        if std::ptr::eq(unsafe { node.demand() }.cast(), Arc::as_ptr(demand)) {
            own.nested(|| walker.resume(node));
        } else {
            // It may need what waits below on this thread's stack, so another thread runs it.
            own.engine.inject(node);
        }
    }
}

impl<'a> Walker<'a> {
    pub(super) fn new(own: Option<&'a Loop>) -> Self {
        Walker {
            own,
            pace: Pace::Full,
            base: None,
            ticks: 0,
            until_sample: SAMPLE,
            sampled: None,
            shares: false,
            begin: None,
        }
    }

    /// Goes on with a node from a queue.
    pub(super) fn resume(&mut self, node: Node) {
        // SAFETY: what was in a queue is a claim with its demand.
        let demand = unsafe { Arc::from_raw(node.demand().cast::<Demand>()) };
        self.walk(&demand, node);
    }

    /// Walks from a claimed node. The claim is used up unless the walk is declined.
    fn walk(&mut self, demand: &Arc<Demand>, start: Node) -> Walked {
        let start = Frame(start);
        self.base = Some(start);
        self.begin = None;
        self.sampled = None;
        self.until_sample = SAMPLE;
        self.ticks = clock::ticks();
        start.begin(None);
        let mut current = start;
        'frames: loop {
            let edges = current.0.edges();
            let mut at = current.at();
            let mut failed = false;
            while at < edges {
                let input = current.input(at);
                match input.look() {
                    Seen::Done => at += 1,
                    Seen::Claimed => {
                        current.set_at(at);
                        if input.edges() > 0 {
                            Frame(input).begin(Some(current));
                            current = Frame(input);
                            continue 'frames;
                        }
                        match self.run(demand, input, Some(current)) {
                            Ran::Published => {}
                            Ran::Again => unreachable!("a node without inputs asks for none"),
                            Ran::Declined => {
                                drop_claim(input);
                                return self.stop(demand, current, start);
                            }
                        }
                    }
                    Seen::Busy => {
                        current.0.mark(BLOCKED, 0);
                        if current.0.vtable().ordered {
                            break;
                        }
                        at += 1;
                    }
                    Seen::Failed if current.0.vtable().tolerant => at += 1,
                    Seen::Failed => {
                        failed = true;
                        break;
                    }
                }
            }
            let parent = current.parent();
            if self.base == Some(current) {
                self.base = parent;
            }
            if failed {
                let error = consumer_error(current.0, current.input(at).error());
                // SAFETY: a frame is claimed by this walker, and it has not run.
                unsafe { fail(current.0, error, true) };
            } else if current.0.has(BLOCKED) {
                if demand.is_stopped() {
                    return self.stop(demand, current, start);
                }
                if !self.suspend(demand, current) {
                    // Something has changed meanwhile: look again.
                    current.begin(parent);
                    continue;
                }
            } else {
                current.set_at(edges);
                match self.run(demand, current.0, parent) {
                    Ran::Published => {}
                    Ran::Again => {
                        current.begin(parent);
                        continue;
                    }
                    Ran::Declined => return self.stop(demand, current, start),
                }
            }
            match parent {
                Some(parent) => current = parent,
                None => return Walked::Ended,
            }
        }
    }

    /// Gives up all frames: the wish is withdrawn, or the walk is declined and `start` is kept.
    fn stop(&mut self, demand: &Demand, top: Frame, start: Frame) -> Walked {
        let declined = !demand.is_stopped();
        let mut next = Some(top);
        while let Some(frame) = next {
            next = frame.parent();
            if frame == start && declined {
                return Walked::Declined;
            }
            drop_claim(frame.0);
        }
        Walked::Ended
    }

    /// Makes a blocked frame the waiter of a claimed input, and no frame any more. False if no
    /// input is claimed.
    #[cold]
    #[inline(never)]
    fn suspend(&mut self, demand: &Arc<Demand>, frame: Frame) -> bool {
        let node = frame.0;
        let parent = frame.parent();
        node.mark(0, EXCLUSIVE);
        node.mark(0, BLOCKED);
        let mut choice = None;
        for index in 0..node.edges() {
            let input = frame.input(index);
            let word = input.word(Ordering::Acquire);
            match word.state() {
                DONE => {}
                FAILED | CANCELLED if node.vtable().tolerant => {}
                CLAIMED => {
                    // Who waits for what runs later is found when the wish is withdrawn.
                    if choice.is_none() || input.vtable().kind == Kind::Later {
                        choice = Some((input, word));
                    }
                }
                _ => return false,
            }
        }
        let Some((input, word)) = choice else { return false };
        let id = (input.vtable().kind == Kind::Later).then(|| input.id());
        if let Some(id) = id {
            demand.will_await(input, id);
        }
        let left = Arc::into_raw(demand.clone());
        // SAFETY: a frame is claimed by this walker; the claim goes into the list.
        let waits = unsafe {
            node.set_demand(left.cast());
            node.wait_for(input, word).is_ok()
        };
        if !waits {
            // SAFETY: the demand was not left with the node after all.
            drop(unsafe { Arc::from_raw(left) });
            frame.set_parent(parent);
        } else if let Some(id) = id {
            demand.has_started_to_wait(input, id);
        }
        waits
    }

    /// Runs a node whose inputs are done, and publishes it. `frame` is the newest frame that may
    /// have inputs to offer.
    #[inline(always)]
    fn run(&mut self, demand: &Arc<Demand>, node: Node, frame: Option<Frame>) -> Ran {
        self.until_sample -= 1;
        let vtable = node.vtable();
        if self.until_sample == 0 || !cost::is_light(vtable) || demand.is_stopped() {
            let ran = self.run_with_care(demand, node, frame);
            self.ticks = clock::ticks();
            return ran;
        }
        let ran = self.call(node);
        let now = clock::ticks();
        if now.wrapping_sub(self.ticks) > clock::LONG {
            cost::was_long(vtable);
        }
        self.ticks = now;
        ran
    }

    #[inline(always)]
    fn call(&mut self, node: Node) -> Ran {
        if !node.has(EXCLUSIVE) && node.word(Ordering::Relaxed).state() == CANCELLED {
            drop_claim(node);
            return Ran::Published;
        }
        // SAFETY: the node is claimed by this walker and its inputs are done.
        match catch_unwind(AssertUnwindSafe(|| unsafe { (node.vtable().run)(node) })) {
            Ok(Outcome::Done) => {
                if node.has(EXCLUSIVE) {
                    node.publish_exclusive(DONE);
                } else {
                    // SAFETY: the value is in the payload.
                    unsafe { done(node) };
                }
                Ran::Published
            }
            outcome => self.ended_otherwise(node, outcome),
        }
    }

    #[cold]
    #[inline(never)]
    fn ended_otherwise(&mut self, node: Node, outcome: std::thread::Result<Outcome>) -> Ran {
        let error = match outcome {
            Ok(Outcome::Again) => {
                node.mark(SECOND, 0);
                return Ran::Again;
            }
            Ok(Outcome::Failed(error)) => error,
            Ok(Outcome::Done | Outcome::Future(_)) => unreachable!("`call` and `later` take these"),
            Err(panic) => Error::panicked(node.info(), panic),
        };
        // SAFETY: the node is claimed by this walker; payload and edges are used up.
        unsafe { fail(node, error, false) };
        Ran::Published
    }

    /// Runs a node that may be long, or whose turn it is to be timed.
    #[cold]
    #[inline(never)]
    fn run_with_care(&mut self, demand: &Arc<Demand>, node: Node, frame: Option<Frame>) -> Ran {
        if demand.is_stopped() {
            return Ran::Declined;
        }
        let vtable = node.vtable();
        if matches!(vtable.kind, Kind::Group | Kind::Sink) {
            self.until_sample = self.until_sample.max(1);
            return self.call(node);
        }
        let light = cost::is_light(vtable);
        let now = Instant::now();
        let begin = *self.begin.get_or_insert(now);
        if self.pace == Pace::Light
            && vtable.kind != Kind::Later
            && (!light || now.duration_since(begin) > SLICE)
        {
            return Ran::Declined;
        }
        if self.until_sample == 0 {
            let since = self.sampled.replace(now).map(|before| now.duration_since(before));
            self.shares = since.is_some_and(|since| since > WORTH_SHARING * SAMPLE);
            self.until_sample = SAMPLE;
        }
        if vtable.kind == Kind::Later {
            node.mark(0, EXCLUSIVE);
            node.mark(RUNNING, 0);
            later::start(demand.engine(), node);
            return Ran::Published;
        }
        if let Some(own) = self.own
            && (!light || self.shares)
        {
            let wake = cost::nanos(vtable).is_none_or(|nanos| nanos > cost::WORTH_A_WAKE)
                || now.duration_since(begin) > WORTH_HELP;
            self.offer(own, demand, frame, wake);
        }
        if !light && !node.has(EXCLUSIVE) {
            node.mark(RUNNING, 0);
        }
        let lent = self.own.is_some_and(Loop::is_lent);
        let ran = self.call(node);
        // The place that was lent before belongs to what is below on this thread's stack.
        if let Some(own) = self.own.filter(|_| !lent) {
            own.take_back();
        }
        cost::learn(vtable, now.elapsed());
        ran
    }

    /// Offers inputs that this walker has not come to: one to each hungry loop, and with `wake`
    /// one to each other loop that there can be.
    fn offer(&mut self, own: &Loop, demand: &Arc<Demand>, newest: Option<Frame>, wake: bool) {
        let engine: &Arc<Engine> = &own.engine;
        // For a long function, whoever is idle now or will be while it runs.
        let mut wanted = if wake {
            engine.target.load(Ordering::Relaxed).saturating_sub(1)
        } else {
            engine.hungry.load(Ordering::Relaxed)
        };
        wanted = wanted.saturating_sub(own.queue.len());
        let Some(newest) = newest else { return };
        while wanted > 0 {
            let Some(mut frame) = self.base else { return };
            let input = loop {
                if let Some(input) = frame.take_offer() {
                    break input;
                }
                if frame == newest {
                    return;
                }
                // Each frame but the newest looks at the next one.
                frame = Frame(frame.input(frame.at()));
                self.base = Some(frame);
            };
            if input.word(Ordering::Relaxed).state() == LAZY && input.claim() {
                // SAFETY: just claimed; the claim goes into the queue with its demand.
                unsafe {
                    input.begin(None);
                    input.set_demand(Arc::into_raw(demand.clone()).cast());
                }
                own.push(input);
                wanted -= 1;
            }
        }
    }
}
