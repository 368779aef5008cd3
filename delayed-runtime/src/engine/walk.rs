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
use super::offers::{OLDEST, from_the_far_end};
use super::pace::{Look, Pace};
use super::publish::{consumer_error, done, drop_claim, fail, give_up_queued};
use super::{cost, later};
use crate::error::Error;
use crate::node::{
    BACKWARD, BLOCKED, CANCELLED, CLAIMED, DONE, EXCLUSIVE, FAILED, Kind, LAZY, Node, OFFERED, Outcome,
    PARKED, RUNNING, SECOND, Seen,
};
use crate::sync::atomic::Ordering;
use crate::sync::{Backoff, Instant};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// A walk as long as this is worth a second thread.
const WORTH_HELP: Duration = Duration::from_micros(50);
/// What a poll may spend on short functions before it gives the walk to a loop.
const SLICE: Duration = Duration::from_micros(50);
/// How long a walk goes on while other wishes wait for a turn.
const TURN: Duration = Duration::from_millis(10);
/// How long a walker waits for another one before its frames wait in lists.
const PATIENCE: Duration = Duration::from_micros(100);

/// What a walk may run.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Load {
    Everything,
    /// Short functions, for a while: the walk is on a thread that must not block.
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
    /// The walk makes room for something else.
    Later,
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

    /// The input that comes at a position of the order. A frame's edges hold references, so its
    /// inputs are there.
    #[inline(always)]
    fn input(self, position: usize, reversed: bool) -> Node {
        // SAFETY: as in `begin`.
        unsafe { self.0.input(position, reversed) }
    }

    fn has(self, flag: u8) -> bool {
        self.0.has(flag)
    }

    #[inline(always)]
    fn mark(self, set: u8, clear: u8) {
        // SAFETY: as in `begin`.
        unsafe { self.0.mark(set, clear) }
    }

    /// Whether the walk has not come to a lazy input yet; with `large`, to one that has inputs itself.
    fn has_unexplored(self, direction: Direction, large: bool) -> bool {
        let left = self.0.edges() - (self.at() + 1).min(self.0.edges());
        !self.0.vtable().ordered
            && from_the_far_end(self.0, direction == Direction::Backward)
                .take(left)
                .any(|input| input.is_lazy() && (!large || input.edges() > 0))
    }
}

/// The order in which a walk looks at the inputs of its nodes. Who walks from an offered input goes
/// the other way, so that the two meet as late as they can.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Direction {
    Forward,
    Backward,
}

pub(super) struct Walker<'a> {
    own: Option<&'a Loop>,
    load: Load,
    direction: Direction,
    /// The oldest frame that may have inputs to offer.
    base: Option<Frame>,
    pace: Pace,
    /// When the first function of the walk was about to be called.
    begin: Option<Instant>,
    /// The node whose function is called, and the frame it is called for: itself or its consumer.
    called: Option<(Node, Frame)>,
    /// How many frames are published as old ones.
    oldest: usize,
    /// Whether it makes room for others: only a loop's own walk, because others are waited for.
    gives_way: Yields,
    /// It has lingered in vain.
    is_tired: bool,
}

/// Whom a walk makes room for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Yields {
    Never,
    /// To wishes that have waited for a turn, after a while.
    ToOtherWishes,
    /// And to nodes with a priority, at once.
    ToAll,
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
            begin: None,
            called: None,
            oldest: 0,
            gives_way: Yields::Never,
            is_tired: false,
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
        self.begin = None;
        self.is_tired = false;
        self.pace.begin();
        let is_new = !start.0.is_paused();
        start.mark(0, PARKED | BLOCKED | BACKWARD);
        if is_new {
            start.begin(None);
        }
        let mut current = start;
        loop {
            match catch_unwind(AssertUnwindSafe(|| self.go(demand, current, start))) {
                Ok(walked) => {
                    self.pace.look_back();
                    return walked;
                }
                Err(panic) => {
                    let (node, frame) = self.called.take().expect("only functions panic");
                    let next = if node == frame.0 { frame.parent() } else { Some(frame) };
                    self.ended_otherwise(node, Err(panic));
                    match next {
                        Some(next) => current = next,
                        None => return Walked::Ended,
                    }
                }
            }
        }
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
            let mut failed = false;
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
                        failed = true;
                        break;
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
            if failed {
                let error = consumer_error(current.0, current.input(at, reversed).error());
                // SAFETY: a frame is claimed by this walker, and it has not run.
                unsafe { fail(current.0, error, true) };
            } else if current.has(BLOCKED) {
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
            } else {
                defers = false;
                current.set_at(edges);
                match self.run(demand, current.0, current, parent) {
                    Ran::Published => {}
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

    /// Waits for claimed inputs that other walkers are about to finish. Two walks that meet block
    /// each other for some nodes, and a node that waits in a list takes all that needs it along, so
    /// a moment's patience is the cheaper way. Frames of a walk need each other, so walkers that wait
    /// for frames of one another do not wait in a circle. True if no input is claimed any more.
    fn linger(&mut self, frame: Frame) -> bool {
        if self.own.is_none() || self.is_tired {
            return false;
        }
        let begin = Instant::now();
        let backoff = Backoff::new();
        (0..frame.0.edges()).all(|position| {
            let input = frame.input(position, false);
            loop {
                if input.word(Ordering::Relaxed).state() != CLAIMED {
                    return true;
                }
                if input.has(RUNNING | PARKED) {
                    return false;
                }
                if begin.elapsed() > PATIENCE {
                    self.is_tired = true;
                    return false;
                }
                backoff.snooze();
            }
        })
    }

    /// Puts the walk into a queue: its own loop's if it makes room for a node with a priority, that of
    /// all loops if it makes room for another wish.
    #[cold]
    fn pause(&mut self, demand: &Arc<Demand>, top: Frame) -> Walked {
        let Some(own) = self.own else { unreachable!("only a loop's walk makes room") };
        let mut next = Some(top);
        while let Some(frame) = next.filter(|_| own.offers.is_used()) {
            if frame.has(OFFERED) {
                self.withdraw(frame);
            }
            next = frame.parent();
        }
        // SAFETY: the frames are claimed by this walker; the claim goes into the queue with its
        // demand.
        unsafe {
            top.0.pause(self.direction == Direction::Backward);
            top.0.set_demand(Arc::into_raw(demand.clone()).cast());
        }
        if own.engine.urgent.is_pressing() {
            own.push(top.0);
        } else {
            own.engine.inject(top.0);
        }
        Walked::Ended
    }

    /// Gives up all frames: the wish is withdrawn, or the walk is declined and `start` is kept.
    fn stop(&mut self, demand: &Demand, top: Frame, start: Frame) -> Walked {
        let declined = !demand.is_stopped();
        let mut next = Some(top);
        while let Some(frame) = next {
            next = frame.parent();
            if frame.has(OFFERED) {
                self.withdraw(frame);
            }
            if frame == start && declined {
                return Walked::Declined;
            }
            drop_claim(frame.0);
        }
        Walked::Ended
    }

    /// Makes a blocked frame the waiter of a claimed input, and no frame any more. With `defers` there
    /// are lazy inputs left, which other loops may take. `None` if no input is claimed, else whether
    /// what it waits for is the work of a thread.
    #[cold]
    #[inline(never)]
    fn suspend(&mut self, demand: &Arc<Demand>, frame: Frame, defers: bool) -> Option<bool> {
        let node = frame.0;
        let parent = frame.parent();
        frame.mark(PARKED, EXCLUSIVE);
        let mut choice = None;
        for index in 0..node.edges() {
            let input = frame.input(index, false);
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
                LAZY if defers || node.vtable().ordered => {}
                _ => {
                    frame.mark(0, PARKED);
                    return None;
                }
            }
        }
        let Some((input, word)) = choice else {
            frame.mark(0, PARKED);
            return None;
        };
        let engine = demand.engine();
        if defers {
            engine.deferred.add(node, demand, engine.reach());
        }
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
            if defers {
                engine.deferred.remove(node, engine.reach());
            }
            frame.set_parent(parent);
            frame.mark(0, PARKED);
            return None;
        }
        if let Some(id) = id {
            demand.has_started_to_wait(input, id);
        }
        Some(id.is_none())
    }

    /// Runs a node whose inputs are done, and publishes it: `frame` itself, or an input of it without
    /// inputs. `newest` is the newest frame that may have inputs to offer.
    #[inline(always)]
    fn run(&mut self, demand: &Arc<Demand>, node: Node, frame: Frame, newest: Option<Frame>) -> Ran {
        if !self.pace.goes_on(node.vtable()) {
            return self.run_with_care(demand, node, frame, newest);
        }
        self.call(node, frame)
    }

    #[inline(always)]
    fn call(&mut self, node: Node, frame: Frame) -> Ran {
        let exclusive = node.has(EXCLUSIVE);
        if !exclusive && node.word(Ordering::Relaxed).state() == CANCELLED {
            drop_claim(node);
            return Ran::Published;
        }
        self.called = Some((node, frame));
        // SAFETY: the node is claimed by this walker and its inputs are done.
        match unsafe { (node.vtable().run)(node) } {
            Outcome::Done => {
                if exclusive {
                    node.publish_exclusive(DONE);
                } else {
                    // SAFETY: the value is in the payload.
                    unsafe { done(node) };
                }
                Ran::Published
            }
            outcome => self.ended_otherwise(node, Ok(outcome)),
        }
    }

    #[cold]
    #[inline(never)]
    fn ended_otherwise(&mut self, node: Node, outcome: std::thread::Result<Outcome>) -> Ran {
        let error = match outcome {
            Ok(Outcome::Again) => {
                // SAFETY: the node is claimed by this walker.
                unsafe { node.mark(SECOND, 0) };
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

    /// Looks up from the work, and runs a node that may be long or is to be timed.
    #[cold]
    #[inline(never)]
    fn run_with_care(
        &mut self,
        demand: &Arc<Demand>,
        node: Node,
        frame: Frame,
        newest: Option<Frame>,
    ) -> Ran {
        if demand.is_stopped() {
            return Ran::Declined;
        }
        let vtable = node.vtable();
        if matches!(vtable.kind, Kind::Group | Kind::Sink) {
            return self.call(node, frame);
        }
        if self.gives_way == Yields::ToAll && demand.engine().urgent.is_pressing() {
            return Ran::Later;
        }
        let look = self.pace.look(vtable);
        let light = cost::light(vtable).is_some();
        if light && look == Look::Calm {
            if self.pace.shares()
                && let Some(own) = self.own
                && own.engine.hungry.load(Ordering::Relaxed) > 0
            {
                self.offer(own, demand, newest, false, false);
            }
            if self.load == Load::Everything {
                return self.call(node, frame);
            }
        }
        let now = Instant::now();
        let begin = *self.begin.get_or_insert(now);
        if self.load == Load::Light
            && vtable.kind != Kind::Later
            && (!light || now.duration_since(begin) > SLICE)
        {
            return Ran::Declined;
        }
        if self.gives_way != Yields::Never
            && now.duration_since(begin) > TURN
            && !demand.engine().injector.is_empty()
        {
            return Ran::Later;
        }
        if vtable.kind == Kind::Later {
            later::start(demand.engine(), node);
            return Ran::Published;
        }
        if let Some(own) = self.own
            && (!light || look == Look::Late || self.pace.shares())
        {
            let wake = cost::nanos(vtable).is_none_or(|nanos| nanos > cost::WORTH_A_WAKE)
                || now.duration_since(begin) > WORTH_HELP;
            self.offer(own, demand, newest, !light, wake);
        }
        if !light && !node.has(EXCLUSIVE) {
            // SAFETY: the node is claimed by this walker.
            unsafe { node.mark(RUNNING, 0) };
        }
        let edges = node.edges();
        let lent = self.own.is_some_and(Loop::is_lent);
        let ran = catch_unwind(AssertUnwindSafe(|| self.call(node, frame)))
            .unwrap_or_else(|panic| self.ended_otherwise(node, Err(panic)));
        // The place that was lent before belongs to what is below on this thread's stack.
        if let Some(own) = self.own.filter(|_| !lent) {
            own.take_back();
        }
        let measured = now.elapsed();
        cost::learn(vtable, measured);
        self.pace.timed(look, edges, measured);
        ran
    }

    /// Lets other loops take inputs that this walker has not come to. Before a long function the
    /// newest frames are published too: they keep the others busy with small things.
    fn offer(&mut self, own: &Loop, demand: &Arc<Demand>, newest: Option<Frame>, long: bool, wake: bool) {
        let target = own.engine.target.load(Ordering::Relaxed);
        if target < 2 {
            return;
        }
        let backward = self.direction == Direction::Backward;
        let Some(newest) = newest else { return };
        while self.oldest < OLDEST {
            let Some(frame) = self.base else { break };
            if !frame.has(OFFERED) && frame.has_unexplored(self.direction, true) {
                own.offers.publish(frame.0, demand, backward, true);
                self.oldest += 1;
            }
            if frame == newest {
                break;
            }
            // Each frame but the newest looks at the next one.
            self.base = Some(Frame(frame.input(frame.at(), frame.0.is_reversed(backward))));
        }
        if long {
            let mut next = Some(newest);
            for _ in 0..2 * target {
                let Some(frame) = next else { break };
                if !frame.has(OFFERED) && frame.has_unexplored(self.direction, false) {
                    own.offers.publish(frame.0, demand, backward, false);
                }
                next = frame.parent();
            }
        }
        if wake && (own.offers.is_open() || own.engine.deferred.is_open()) {
            own.engine.start_loops();
        }
    }

    /// Takes a published frame back.
    #[cold]
    fn withdraw(&mut self, frame: Frame) {
        if let Some(own) = self.own
            && own.offers.withdraw(frame.0)
        {
            self.oldest -= 1;
        }
    }
}
