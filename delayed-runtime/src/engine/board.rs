//! Where graphs that were compiled into the binary find helpers: a thread that runs one posts it, and loops of
//! its client that have nothing to do join.
//!
//! What is posted lies on the stack of its owner, which must not leave before the last helper has. A helper
//! counts itself in, looks whether the graph is still there, and counts itself out; the owner takes the graph
//! away, adds nothing to the count, and waits until nobody is counted. Additions to the count have one order:
//! a helper that comes before the owner's is waited for, and one that comes after it sees that the graph is
//! gone. A helper's last step is at the board, which the engine keeps.

use crate::sync::Backoff;
use crate::sync::atomic::{AtomicBool, AtomicPtr, AtomicUsize, Ordering};
use std::ptr::{self, NonNull};

/// How many graphs of a client can have helpers at the same time. Others are run by their owners.
const ENTRIES: usize = 8;

/// The part of a posted graph that the board knows.
#[repr(C)]
pub(crate) struct Posted {
    /// Runs nodes as a helper until there is none to run; gives whether there was one.
    pub(crate) work: unsafe fn(NonNull<Posted>) -> bool,
}

#[derive(Default)]
struct Entry {
    graph: AtomicPtr<Posted>,
    helpers: AtomicUsize,
}

#[derive(Default)]
pub(crate) struct Board {
    entries: [Entry; ENTRIES],
    /// How many entries have a graph. A hint.
    posted: AtomicUsize,
    /// An owner has asked for a helper, and none has looked since.
    asks: AtomicBool,
}

/// A graph on the board, until it is dropped.
pub(crate) struct Post<'a> {
    board: &'a Board,
    entry: &'a Entry,
}

/// What stands in an entry whose owner waits for the last helper.
fn closing() -> *mut Posted {
    ptr::dangling_mut()
}

impl Board {
    /// Posts a graph, unless the board is full.
    ///
    /// # Safety
    ///
    /// The graph stays where it is until the post is dropped.
    pub(crate) unsafe fn post(&self, graph: NonNull<Posted>) -> Option<Post<'_>> {
        let entry = self.entries.iter().find(|entry| {
            entry.graph.load(Ordering::Relaxed).is_null() && {
                let (null, graph) = (ptr::null_mut(), graph.as_ptr());
                // Release for helpers, which read what the owner has prepared.
                entry.graph.compare_exchange(null, graph, Ordering::Release, Ordering::Relaxed).is_ok()
            }
        })?;
        self.posted.fetch_add(1, Ordering::Relaxed);
        Some(Post { board: self, entry })
    }

    /// Runs nodes of graphs that are posted, as long as there are some; gives whether there was one.
    pub(crate) fn help(&self) -> bool {
        // First, also for a graph that is gone: loops begin as long as somebody asks.
        if self.asks() {
            self.asks.store(false, Ordering::Relaxed);
        }
        if self.posted.load(Ordering::Relaxed) == 0 {
            return false;
        }
        let mut helped = false;
        for entry in &self.entries {
            if entry.graph.load(Ordering::Relaxed).is_null() {
                continue;
            }
            entry.helpers.fetch_add(1, Ordering::Acquire);
            let graph = entry.graph.load(Ordering::Acquire);
            if graph != closing()
                && let Some(graph) = NonNull::new(graph)
            {
                // SAFETY: the graph was there after this helper was counted, so its owner waits.
                helped |= unsafe { (graph.as_ref().work)(graph) };
            }
            // Release, so that all that this thread has done to the graph comes before its end.
            entry.helpers.fetch_sub(1, Ordering::Release);
        }
        helped
    }

    /// Whether an owner waits for a loop to look.
    pub(super) fn asks(&self) -> bool {
        self.asks.load(Ordering::Relaxed)
    }
}

impl Post<'_> {
    /// Whether somebody helps, at the moment.
    #[inline(always)]
    pub(crate) fn has_helper(&self) -> bool {
        self.entry.helpers.load(Ordering::Relaxed) != 0
    }

    /// Says that a helper would be welcome: see [`Engine::start_loops`](super::Engine::start_loops).
    pub(crate) fn ask(&self) {
        self.board.asks.store(true, Ordering::Relaxed);
    }
}

impl Drop for Post<'_> {
    fn drop(&mut self) {
        self.entry.graph.store(closing(), Ordering::Relaxed);
        self.board.posted.fetch_sub(1, Ordering::Relaxed);
        let backoff = Backoff::new();
        // Release, for helpers who come later; Acquire, for what those before have done to the graph.
        let mut helpers = self.entry.helpers.fetch_add(0, Ordering::AcqRel);
        while helpers != 0 {
            backoff.snooze();
            helpers = self.entry.helpers.load(Ordering::Acquire);
        }
        self.entry.graph.store(ptr::null_mut(), Ordering::Release);
    }
}
