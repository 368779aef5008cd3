//! What single nodes were given: a name, a priority, a time limit of their own.
//!
//! Few nodes have any of them, so they lie in a table beside the nodes, by address. A node's entry is
//! removed when its memory is freed.

use crate::sync::unmodelled::{Mutex, MutexGuard};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

#[derive(Default)]
pub(crate) struct Given {
    pub(crate) name: Option<Arc<str>>,
    pub(crate) priority: Option<i32>,
    pub(crate) timeout: Option<Duration>,
    /// The node was cancelled because its time was over, and had so long.
    pub(crate) timed_out: Option<Duration>,
    #[cfg(feature = "tracing")]
    pub(crate) span: Option<Arc<Span>>,
}

/// The span of a node that has not ended.
#[cfg(feature = "tracing")]
pub(crate) struct Span {
    pub(crate) span: tracing::Span,
    /// When the function was called.
    pub(crate) called: std::sync::OnceLock<std::time::Instant>,
}

static GIVEN: LazyLock<Mutex<HashMap<usize, Given>>> = LazyLock::new(Mutex::default);

/// Some node of this process has or had a priority. Without one, nobody looks for them.
static PRIORITIES: AtomicBool = AtomicBool::new(false);

fn given() -> MutexGuard<'static, HashMap<usize, Given>> {
    GIVEN.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Gives something to the node at an address.
pub(crate) fn give(address: usize, what: impl FnOnce(&mut Given)) {
    what(given().entry(address).or_default());
}

/// Looks at what was given to the node at an address.
pub(crate) fn look<R>(address: usize, at: impl FnOnce(&mut Given) -> Option<R>) -> Option<R> {
    given().get_mut(&address).and_then(at)
}

/// There is a node with a priority, its own or its function's.
pub(crate) fn has_priority() {
    // Whoever demands the node has got its handle from whoever called this, which orders them.
    PRIORITIES.store(true, Ordering::Relaxed);
}

pub(crate) fn uses_priorities() -> bool {
    PRIORITIES.load(Ordering::Relaxed)
}

pub(crate) fn remove(address: usize) {
    let removed = given().remove(&address);
    // A span tells its subscriber, which is the user's code.
    drop(removed);
}
