//! How a walk calls functions: short ones at once, others after it has looked around.

use super::demand::Demand;
use super::frame::Frame;
use super::lane::Loop;
use super::pace::Look;
use super::publish::{done, drop_claim, fail};
use super::walk::{Load, Walker, Yields};
use super::{apart, cost};
use crate::context::Context;
use crate::error::Error;
use crate::event;
use crate::node::{CANCELLED, DONE, EXCLUSIVE, Kind, Node, Outcome, RUNNING, SECOND};
use crate::sync::Instant;
use crate::sync::atomic::Ordering;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// A walk as long as this is worth a second thread.
const WORTH_HELP: Duration = Duration::from_micros(50);
/// What a poll may spend on short functions before it gives the walk to a loop.
const SLICE: Duration = Duration::from_micros(50);
/// How long a walk goes on while other wishes wait for a turn.
const TURN: Duration = Duration::from_millis(10);

/// What became of a node that was to run.
pub(super) enum Ran {
    /// It is published, or will be by somebody else.
    Published,
    /// It wants to be called again when its new input is done.
    Again,
    /// It goes on apart, with the walker's `future`.
    Leaves,
    /// The walk is not allowed to go on here.
    Declined,
    /// The walk makes room for something else.
    Later,
}

impl Walker<'_> {
    /// Runs a node whose inputs are done, and publishes it: `frame` itself, or an input of it without
    /// inputs. `newest` is the newest frame that may have inputs to offer.
    #[inline(always)]
    pub(super) fn run(
        &mut self,
        demand: &Arc<Demand>,
        node: Node,
        frame: Frame,
        newest: Option<Frame>,
    ) -> Ran {
        if node.is_given() || !self.pace.goes_on(node.vtable()) {
            return self.run_with_care(demand, node, frame, newest);
        }
        self.call(node, frame)
    }

    #[inline(always)]
    fn call(&mut self, node: Node, frame: Frame) -> Ran {
        self.call_inside::<false>(node, frame, Context::default(), None)
    }

    /// `now`: the clock's ticks, if they were just read.
    #[inline(always)]
    fn call_inside<const TELLS: bool>(
        &mut self,
        node: Node,
        frame: Frame,
        context: Context,
        now: Option<u64>,
    ) -> Ran {
        let exclusive = node.has(EXCLUSIVE);
        if !exclusive && node.word(Ordering::Relaxed).state() == CANCELLED {
            context.leave();
            drop_claim(node);
            return Ran::Published;
        }
        if TELLS && event::is_on() {
            // SAFETY: the node is claimed by this walker and its function has not been called.
            unsafe { node.tell_started(self.client, false, now) };
        }
        self.called = Some((node, frame));
        // SAFETY: the node is claimed by this walker and its inputs are done.
        let outcome = context.call(node, || unsafe { (node.vtable().run)(node) });
        self.called = None;
        match outcome {
            Outcome::Done => {
                // Somebody may have begun to look meanwhile.
                if TELLS && event::is_on() {
                    node.tell_finished(self.client);
                }
                context.done(node);
                if exclusive {
                    node.publish_exclusive(DONE);
                } else {
                    // SAFETY: the value is in the payload.
                    unsafe { done(node) };
                }
                Ran::Published
            }
            outcome => {
                context.leave();
                self.ended_otherwise(node, Ok(outcome))
            }
        }
    }

    #[cold]
    pub(super) fn leave_loops(&mut self, demand: &Arc<Demand>) {
        let (node, future) = self.future.take().expect("left by `ended_otherwise`");
        apart::adopt(demand, node, future);
    }

    #[cold]
    #[inline(never)]
    pub(super) fn ended_otherwise(&mut self, node: Node, outcome: std::thread::Result<Outcome>) -> Ran {
        let error = match outcome {
            Ok(Outcome::Again) => {
                // SAFETY: the node is claimed by this walker.
                unsafe { node.mark(SECOND, 0) };
                return Ran::Again;
            }
            Ok(Outcome::Failed(error)) => error,
            Ok(Outcome::Future(future)) => {
                self.future = Some((node, *future));
                return Ran::Leaves;
            }
            Ok(Outcome::Done) => unreachable!("`call` publishes it"),
            Err(panic) => Error::panicked(node.info(), panic),
        };
        self.has_failed = true;
        // SAFETY: the node is claimed by this walker; payload and edges are used up.
        unsafe { fail(node, error, false) };
        Ran::Published
    }

    /// Looks up from the work, and runs a node that may be long or is to be timed.
    #[cold]
    #[inline(never)]
    pub(super) fn run_with_care(
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
        let apart = node.runs_apart();
        let light = cost::light(vtable).is_some() && !apart;
        if light && look == Look::Calm {
            if self.pace.shares()
                && let Some(own) = self.own
                && own.engine.hungry.load(Ordering::Relaxed) > 0
            {
                self.offer(own, demand, newest, false, false);
            }
            if self.load == Load::Everything {
                return self.call_inside::<true>(node, frame, Context::of(node), Some(self.pace.looked()));
            }
        }
        let now = Instant::now();
        let begin = *self.begin.get_or_insert(now);
        if self.load == Load::Light && !apart && (!light || now.duration_since(begin) > SLICE) {
            return Ran::Declined;
        }
        if self.gives_way != Yields::Never
            && now.duration_since(begin) > TURN
            && !demand.engine().injector.is_empty()
        {
            return Ran::Later;
        }
        if apart {
            apart::start(demand, node);
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
        let context = Context::of(node);
        let ran = catch_unwind(AssertUnwindSafe(|| self.call_inside::<true>(node, frame, context, None)))
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
}
