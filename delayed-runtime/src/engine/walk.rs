//! Walking: claim, descend, run, publish.
//!
//! A walker's frames are claimed nodes, linked by their parents; each has the input it looks at in
//! `at`. Only the walker touches them. In order:
//!
//! 1. Look at the inputs from `at` on. Lazy: claim it; if it has inputs itself it is the next
//!    frame, else it runs at once. Claimed by another: remember that, go on with the others.
//! 2. All done: run the node and publish it, look at the parent again.
//! 3. One failed: the node fails with its error, look at the parent again. A tolerant wish first goes
//!    on with the other inputs, until all have ended. The error is that of all inputs that have failed.
//! 4. Else wait for one that is claimed: leave the demand with the node, become its waiter. From
//!    then on the node belongs to whoever publishes that input. The parent is blocked.
//!
//! How functions are called, and what the walk looks at before, is in `run.rs`; how frames are left,
//! for others or for good, in `leave.rs`. A function that is not known to be short is not called before
//! others have been offered what there is to do beside it, because nobody can take it from a walker
//! that is inside a function.

use super::demand::Demand;
use super::frame::{Direction, Frame};
use super::lane::Loop;
use super::pace::Pace;
use super::publish::{drop_claim, fail, give_up_queued, inputs_error};
use super::run::Ran;
use crate::node::{BACKWARD, BLOCKED, Node, NodeFuture, OFFERED, PARKED, Seen};
use crate::sync::Instant;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

/// What a walk may run.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Load {
    Everything,
    /// Short functions, for a while: the walk is on a thread that must not block.
    Light,
}

pub(super) struct Walker<'a> {
    pub(super) own: Option<&'a Loop>,
    pub(super) load: Load,
    pub(super) direction: Direction,
    /// The oldest frame that may have inputs to offer.
    pub(super) base: Option<Frame>,
    pub(super) pace: Pace,
    /// The number of the client that it walks for.
    pub(super) client: u16,
    /// When the first function of the walk was about to be called.
    pub(super) begin: Option<Instant>,
    /// The node whose function is called, and the frame it is called for: itself or its consumer.
    pub(super) called: Option<(Node, Frame)>,
    /// How many frames are published as old ones.
    pub(super) oldest: usize,
    /// Whether it makes room for others: only a loop's own walk, because others are waited for.
    pub(super) gives_way: Yields,
    /// It has lingered in vain.
    pub(super) is_tired: bool,
    /// An input of a frame may have failed, so frames look at theirs again before they run.
    pub(super) meets_failures: bool,
    /// A node of the walk has failed.
    pub(super) has_failed: bool,
    /// A node whose function has been called, and whose value comes later.
    pub(super) future: Option<(Node, NodeFuture)>,
}

/// Whom a walk makes room for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Yields {
    Never,
    /// To wishes that have waited for a turn, after a while.
    ToOtherWishes,
    /// And to nodes with a priority, at once.
    ToAll,
}

/// What became of a walk.
pub(super) enum Walked {
    /// Its first node is published, or waits for somebody else.
    Ended,
    /// It was declined; the first node is still claimed.
    Declined,
}

/// Starts a wish on a thread that must not block: runs it here while its functions are known to be
/// short, else leaves it to a loop.
pub(super) fn run_light(demand: &Arc<Demand>, sink: Node) {
    let mut walker = Walker::new(None);
    walker.load = Load::Light;
    match walker.walk(demand, sink) {
        Walked::Declined => demand.engine().submit(sink, demand),
        // Something may have been left to the loops.
        Walked::Ended => demand.engine().start_loops(),
    }
}

/// Starts a wish inside a node of `own`, and runs as much of it as this thread can.
pub(super) fn run_inside(demand: &Arc<Demand>, sink: Node, own: &Loop) {
    let mut walker = Walker::new(Some(own));
    let urgent = &demand.engine().urgent;
    if !urgent.is_empty() {
        demand.engine().start_loops();
    }
    while let Some(node) = urgent.pop(true, Some(demand)) {
        own.nested(|| walker.resume(node));
    }
    own.nested(|| walker.walk(demand, sink));
    while demand.ended().is_none() {
        let engine = &own.engine;
        let deferred = || engine.deferred.take(Some(demand), engine.reach());
        let last = || urgent.pop(false, Some(demand));
        let Some(node) = own.queue.pop().or_else(deferred).or_else(last) else { return };
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
            load: Load::Everything,
            direction: Direction::Forward,
            base: None,
            pace: Pace::new(),
            client: 0,
            begin: None,
            called: None,
            oldest: 0,
            gives_way: Yields::Never,
            is_tired: false,
            meets_failures: false,
            has_failed: false,
            future: None,
        }
    }

    /// The walker of a loop, which walks for all wishes.
    pub(super) fn of_loop(own: &'a Loop) -> Self {
        Walker { gives_way: Yields::ToAll, ..Walker::new(Some(own)) }
    }

    /// Goes on with a node with a priority above zero.
    pub(super) fn resume_urgent(&mut self, node: Node) {
        self.gives_way = Yields::ToOtherWishes;
        self.resume(node);
        self.gives_way = Yields::ToAll;
    }

    /// Goes on with a node from a queue.
    pub(super) fn resume(&mut self, node: Node) {
        // SAFETY: what was in a queue is a claim with its demand.
        let demand = unsafe { node.demand().cast::<Demand>() };
        // SAFETY: as above.
        if unsafe { &*demand }.is_stopped() {
            return give_up_queued(node);
        }
        // SAFETY: as above; the walk takes the claim.
        self.walk(&unsafe { Arc::from_raw(demand) }, node);
    }

    /// Walks from a claimed node. The claim is used up unless the walk is declined.
    fn walk(&mut self, demand: &Arc<Demand>, start: Node) -> Walked {
        let start = Frame(start);
        self.direction = if start.has(BACKWARD) { Direction::Backward } else { Direction::Forward };
        self.base = Some(start);
        self.client = demand.engine().number;
        self.begin = None;
        self.is_tired = false;
        self.pace.begin();
        let is_new = !start.0.is_paused();
        self.meets_failures = !is_new;
        self.has_failed = false;
        start.mark(0, PARKED | BLOCKED | BACKWARD);
        if is_new {
            start.begin(None);
        }
        let mut current = start;
        let walked = loop {
            match catch_unwind(AssertUnwindSafe(|| self.go(demand, current, start))) {
                Ok(walked) => {
                    self.pace.look_back();
                    break walked;
                }
                Err(panic) => {
                    let (node, frame) = self.called.take().expect("only functions panic");
                    let next = if node == frame.0 { frame.parent() } else { Some(frame) };
                    self.ended_otherwise(node, Err(panic));
                    match next {
                        Some(next) => current = next,
                        None => break Walked::Ended,
                    }
                }
            }
        };
        if self.has_failed {
            demand.has_failed();
        }
        walked
    }

    /// Walks on from a frame. Unwinds when a function does.
    fn go(&mut self, demand: &Arc<Demand>, mut current: Frame, start: Frame) -> Walked {
        let backward = self.direction == Direction::Backward;
        // The frames from here up are blocked by a function of another thread.
        let mut defers = false;
        'frames: loop {
            let edges = current.0.edges();
            let reversed = current.0.is_reversed(backward);
            let mut at = current.at();
            let mut left = false;
            while at < edges {
                let input = current.input(at, reversed);
                if defers && input.is_lazy() && !current.0.vtable().ordered {
                    // What blocks the path may end before the walk is through with this frame, so the
                    // frame has to know that it lacks an input.
                    current.mark(BLOCKED, 0);
                    left = true;
                    at += 1;
                    continue;
                }
                match input.look(current.has(OFFERED)) {
                    Seen::Done => at += 1,
                    Seen::Claimed => {
                        current.set_at(at);
                        if input.edges() > 0 {
                            if at + 1 < edges {
                                current.input(at + 1, reversed).prefetch();
                            }
                            Frame(input).begin(Some(current));
                            current = Frame(input);
                            defers = false;
                            continue 'frames;
                        }
                        match self.run(demand, input, current, Some(current)) {
                            Ran::Published => {}
                            Ran::Leaves => self.leave_loops(demand),
                            Ran::Again => unreachable!("a node without inputs asks for none"),
                            Ran::Declined => {
                                drop_claim(input);
                                return self.stop(demand, current, start);
                            }
                            Ran::Later => {
                                drop_claim(input);
                                return self.pause(demand, current);
                            }
                        }
                    }
                    Seen::Busy => {
                        current.mark(BLOCKED, 0);
                        if current.0.vtable().ordered {
                            break;
                        }
                        at += 1;
                    }
                    Seen::Failed if current.0.vtable().tolerant => at += 1,
                    Seen::Failed => {
                        self.meets_failures = true;
                        if !demand.is_tolerant() || current.0.vtable().ordered {
                            current.mark(0, BLOCKED);
                            break;
                        }
                        at += 1;
                    }
                }
            }
            let parent = current.parent();
            if self.base == Some(current) {
                self.base = parent;
            }
            if current.has(OFFERED) {
                self.withdraw(current);
            }
            if current.has(BLOCKED) {
                if demand.is_stopped() {
                    return self.stop(demand, current, start);
                }
                current.mark(0, BLOCKED);
                let waits = if self.linger(current) { None } else { self.suspend(demand, current, left) };
                match waits {
                    Some(for_a_function) => defers = for_a_function,
                    None => {
                        // Something has changed meanwhile: look again.
                        defers = false;
                        current.begin(parent);
                        continue;
                    }
                }
            } else if !self.meets_failures || !self.fail_with_inputs(current) {
                defers = false;
                current.set_at(edges);
                match self.run(demand, current.0, current, parent) {
                    Ran::Published => {}
                    Ran::Leaves => self.leave_loops(demand),
                    Ran::Again => {
                        current.begin(parent);
                        continue;
                    }
                    Ran::Declined => return self.stop(demand, current, start),
                    Ran::Later => return self.pause(demand, current),
                }
            }
            match parent {
                Some(parent) => current = parent,
                None => return Walked::Ended,
            }
        }
    }

    /// Fails a frame if an input has failed, which a tolerant one does not mind.
    #[cold]
    #[inline(never)]
    fn fail_with_inputs(&mut self, frame: Frame) -> bool {
        if frame.0.vtable().tolerant {
            return false;
        }
        // SAFETY: a frame is claimed by its walker, and it has not run.
        unsafe {
            let Some(error) = inputs_error(frame.0) else { return false };
            fail(frame.0, error, true);
        }
        self.has_failed = true;
        true
    }
}
