//! How a walk leaves frames: it publishes them, waits for what blocks them, makes waiters of them, is
//! put into a queue with them, or gives them up.

use super::demand::Demand;
use super::frame::{Direction, Frame};
use super::lane::Loop;
use super::offers::OLDEST;
use super::publish::{drop_claim, enqueue};
use super::walk::{Walked, Walker};
use crate::node::{
    CANCELLED, CLAIMED, DONE, EXCLUSIVE, FAILED, LAZY, Node, OFFERED, PARKED, RUNNING, Waiters,
};
use crate::sync::atomic::Ordering;
use crate::sync::{Backoff, Instant};
use std::sync::Arc;
use std::time::Duration;

/// How long a walker waits for another one before its frames wait in lists.
const PATIENCE: Duration = Duration::from_micros(100);

impl Walker<'_> {
    /// Waits for claimed inputs that other walkers are about to finish. Two walks that meet block
    /// each other for some nodes, and a node that waits in a list takes all that needs it along, so
    /// a moment's patience is the cheaper way. Frames of a walk need each other, so walkers that wait
    /// for frames of one another do not wait in a circle. True if no input is claimed any more.
    pub(super) fn linger(&mut self, frame: Frame) -> bool {
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
    pub(super) fn pause(&mut self, demand: &Arc<Demand>, top: Frame) -> Walked {
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
    pub(super) fn stop(&mut self, demand: &Demand, top: Frame, start: Frame) -> Walked {
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
    pub(super) fn suspend(&mut self, demand: &Arc<Demand>, frame: Frame, defers: bool) -> Option<bool> {
        let (waits, looking) = {
            let any_failure = demand.any_failure();
            // After a failure those that wait for this node look at their inputs, too.
            let looking = if *any_failure { frame.0.take_waiters() } else { Waiters::none() };
            (self.wait_for_input(demand, frame, defers), looking)
        };
        enqueue(looking);
        let (input, id) = waits?;
        if let Some(id) = id {
            demand.has_started_to_wait(input, id);
        }
        Some(id.is_none())
    }

    /// The input that the frame has become a waiter of, and its id if it runs apart.
    fn wait_for_input(
        &mut self,
        demand: &Arc<Demand>,
        frame: Frame,
        defers: bool,
    ) -> Option<(Node, Option<u64>)> {
        let node = frame.0;
        let parent = frame.parent();
        frame.mark(PARKED, EXCLUSIVE);
        let mut choice = None;
        for index in 0..node.edges() {
            let input = frame.input(index, false);
            let word = input.word(Ordering::Acquire);
            match word.state() {
                DONE => {}
                FAILED | CANCELLED if node.vtable().tolerant || demand.is_tolerant() => {}
                CLAIMED => {
                    // Who waits for what runs apart is found when the wish is withdrawn.
                    if choice.is_none() || input.may_run_apart() {
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
        let id = input.may_run_apart().then(|| input.id());
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
        Some((input, id))
    }

    /// Lets other loops take inputs that this walker has not come to. Before a long function the
    /// newest frames are published too: they keep the others busy with small things.
    pub(super) fn offer(
        &mut self,
        own: &Loop,
        demand: &Arc<Demand>,
        newest: Option<Frame>,
        long: bool,
        wake: bool,
    ) {
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
    pub(super) fn withdraw(&mut self, frame: Frame) {
        if let Some(own) = self.own
            && own.offers.withdraw(frame.0)
        {
            self.oldest -= 1;
        }
    }
}
