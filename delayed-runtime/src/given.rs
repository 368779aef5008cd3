//! What single nodes were given: a name of their own, a priority of their own.
//!
//! Few nodes have either, so they lie in a table beside the nodes, by address. A node's entry is
//! removed when its memory is freed.

use crate::sync::unmodelled::{Mutex, MutexGuard};
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};

#[derive(Clone, Default)]
pub(crate) struct Given {
    pub(crate) name: Option<Arc<str>>,
    pub(crate) priority: Option<i32>,
}

static GIVEN: LazyLock<Mutex<HashMap<usize, Given>>> = LazyLock::new(Mutex::default);

/// Some node of this process has or had a priority. Without one, nobody looks for them.
static PRIORITIES: AtomicBool = AtomicBool::new(false);

fn given() -> MutexGuard<'static, HashMap<usize, Given>> {
    GIVEN.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

pub(crate) fn name(address: usize, name: &str) {
    given().entry(address).or_default().name = Some(name.into());
}

pub(crate) fn priority(address: usize, priority: i32) {
    given().entry(address).or_default().priority = Some(priority);
    has_priority();
}

/// There is a node with a priority, its own or its function's.
pub(crate) fn has_priority() {
    // Whoever demands the node has got its handle from whoever called this, which orders them.
    PRIORITIES.store(true, Ordering::Relaxed);
}

pub(crate) fn uses_priorities() -> bool {
    PRIORITIES.load(Ordering::Relaxed)
}

pub(crate) fn get(address: usize) -> Given {
    given().get(&address).cloned().unwrap_or_default()
}

pub(crate) fn remove(address: usize) {
    given().remove(&address);
}
