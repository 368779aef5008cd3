//! Graphs that the attribute `graph` has compiled into the binary.
//!
//! A function with that attribute is compiled twice: as it was written, and as nodes. A node is some of the
//! function's statements; what one node makes and another uses lies in a [`Slot`] on the stack of the caller.
//! Which nodes need which is a constant, the [`Plan`], and a run has two bits for each node: claimed, and done
//! (`frame.rs`). So a run allocates nothing.
//!
//! # Who runs them
//!
//! The caller does, and loops of the current client join it (`engine/board.rs`) if it pays. What pays is known
//! from the runs before, [`Profile`]: a function that takes less than about 2 µs is called as it was written.
//! One that takes longer is posted on the client's board, which costs about as much as three nodes; a sleeping
//! thread is woken only for more than about 20 µs. Calls inside other graph functions have an estimate of
//! their own, because a recursive function is long outside and short inside.
//!
//! # Why this is sound
//!
//! Nodes borrow from the caller's stack, on other threads, and nothing in their types says how long. Four
//! facts together make that right:
//!
//! 1. *The function as written was checked.* Each borrow of a binding that it makes is one that the compiler has
//!    accepted for locals that are declared in this order and live to the end of the body. Slots are declared
//!    in this order and live to the end of the body.
//! 2. *A binding is moved or shared, never both.* One that has a single user may be moved into it, and then
//!    nobody else has ever had a borrow of it. One that has several users stays in its slot, is only borrowed
//!    or copied, and is dropped with the slots. The last expression is the exception: it runs alone, after all
//!    nodes, so it may do what the function as written does.
//! 3. *Nodes end before the caller goes on.* [`Run::nodes`] returns, or unwinds, when every node that has
//!    begun has ended and every helper has left the frame.
//! 4. *Types that cross threads were asked for it.* The generated code checks each slot by [`moves`] or
//!    [`shares`].
//!
//! What a node reads was written before: its producer's `done` bit is set with Release and read with Acquire
//! by whoever claims the node.
//!
//! An asynchronous graph function has the same slots and plan, and all its nodes are polled by the one task
//! that polls its future (`join.rs`): a future can be forgotten, so nothing that it borrows may be with another
//! thread while it waits.

mod exit;
mod frame;
mod join;
#[cfg(all(test, loom))]
mod models;
mod profile;
mod slot;

pub use exit::{Branch, Exit};
pub use frame::{GOES_ON, Plan, nodes};
pub use join::Join;
pub use profile::{Profile, share_always};
pub use slot::{Slot, empty, moves, returns, shares};

use crate::engine::{Engine, take_place};
use crate::sync::atomic::AtomicU64;
use crate::{client, clock, event};
use frame::Frame;
use std::cell::Cell;
use std::fmt;
use std::sync::Arc;

/// Bits of 64 nodes.
#[derive(Debug)]
pub struct Word(AtomicU64);

impl Word {
    /// None is set.
    #[allow(clippy::new_without_default, reason = "it is made where a constant is needed")]
    #[cfg(not(all(test, loom)))]
    pub const fn new() -> Word {
        Word(AtomicU64::new(0))
    }
}

std::thread_local! {
    /// How many graph functions this thread is in.
    static DEPTH: Cell<u32> = const { Cell::new(0) };
}

/// Runs `f` as a part of a graph function of another thread.
fn inside<R>(f: impl FnOnce() -> R) -> R {
    struct Leave;
    impl Drop for Leave {
        fn drop(&mut self) {
            leave();
        }
    }
    enter();
    let _leave = Leave;
    f()
}

#[inline(always)]
fn enter() -> u32 {
    // A thread that is ending has no depth any more.
    DEPTH.try_with(|depth| depth.replace(depth.get() + 1)).unwrap_or(0)
}

#[inline(always)]
fn leave() {
    let _ = DEPTH.try_with(|depth| depth.set(depth.get().saturating_sub(1)));
}

/// What generated code has in place of an argument that lies in a slot.
#[derive(Clone, Copy, Debug)]
pub struct Moved;

/// What generated code says of nodes that cannot leave the function.
#[cold]
pub fn never_left() -> ! {
    unreachable!("no node can leave the function")
}

/// One call of a graph function.
pub struct Run {
    profile: &'static Profile,
    is_nested: bool,
    began: u64,
    /// With whom it is shared; `None` if the function is called as it was written.
    engine: Option<Arc<Engine>>,
}

impl Run {
    /// Begins a call, and decides how it runs.
    #[inline]
    pub fn begin(profile: &'static Profile) -> Run {
        let is_nested = enter() > 0;
        let mut run = Run { profile, is_nested, began: 0, engine: None };
        if profile.is_long(is_nested) || event::is_on() {
            run.engine = find_engine();
        }
        run.began = clock::ticks();
        run
    }

    /// Whether the function is called as it was written.
    #[inline(always)]
    pub fn is_sequential(&self) -> bool {
        self.engine.is_none()
    }

    /// Runs the nodes, by their numbers; gives whether none has left the function. `node` says where one does,
    /// or [`GOES_ON`].
    ///
    /// # Panics
    ///
    /// If a node does, after all that have begun have ended: with the first one's panic, in the order of the
    /// function as it was written.
    ///
    /// # Safety
    ///
    /// Threads may call `node` at the same time, for nodes of which the plan says that none needs the other,
    /// each once and after those that it needs. `words` has two for each 64 nodes, in which no bit is set.
    pub unsafe fn nodes(&self, plan: &'static Plan, words: &[Word], node: &dyn Fn(usize) -> u32) -> bool {
        let mut frame = Frame::new(plan, words, node, self.engine.as_ref().map_or(0, |engine| engine.number));
        let is_shared = |engine: &&Arc<Engine>| engine.threads() > 1 && self.profile.is_long(self.is_nested);
        match self.engine.as_ref().filter(is_shared) {
            Some(engine) => {
                let (wakes, batch) = self.profile.how(self.is_nested, plan.nodes.len());
                take_place(engine, || frame.run_shared(engine, wakes, batch));
            }
            None => frame.run_alone(),
        }
        frame.result()
    }
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("is_sequential", &self.is_sequential()).finish_non_exhaustive()
    }
}

impl Drop for Run {
    #[inline]
    fn drop(&mut self) {
        leave();
        self.profile.took(self.is_nested, clock::ticks().wrapping_sub(self.began));
    }
}

/// The current client's engine, unless it is of no use: it has one thread, and nobody looks.
#[cold]
fn find_engine() -> Option<Arc<Engine>> {
    let engine = client::current();
    (engine.threads() > 1 || event::is_on()).then_some(engine)
}
