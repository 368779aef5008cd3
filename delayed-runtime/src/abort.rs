//! Nodes that run apart from the loops, and how to stop them.
//!
//! A node is in the table from before its task can end until just before the task publishes it, so
//! while the lock is held a node that is found here is there and claimed. The task's handle comes
//! after the entry, because a runtime that shuts down may drop the task while it is spawned. A
//! function that blocks has no task, because nothing can stop it.

use crate::sync::{Mutex, MutexGuard};
use std::collections::HashMap;
#[cfg(not(all(test, loom)))]
use std::sync::LazyLock;
use tokio::task::AbortHandle;

pub(crate) struct Entry {
    /// The node's id.
    pub(crate) id: u64,
    pub(crate) task: Option<AbortHandle>,
    /// The task that waits until the node's time is over.
    pub(crate) clock: Option<AbortHandle>,
}

/// By the node's address.
pub(crate) type Tasks = HashMap<usize, Entry>;

#[cfg(not(all(test, loom)))]
static TASKS: LazyLock<Mutex<Tasks>> = LazyLock::new(Mutex::default);
#[cfg(all(test, loom))]
loom::lazy_static! {
    static ref TASKS: Mutex<Tasks> = Mutex::new(HashMap::new());
}

pub(crate) fn tasks() -> MutexGuard<'static, Tasks> {
    TASKS.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Enters a node that is going to run apart.
pub(crate) fn enter(address: usize, id: u64) {
    tasks().insert(address, Entry { id, task: None, clock: None });
}

/// Takes a node out that is about to be published.
pub(crate) fn leave(address: usize) {
    let left = tasks().remove(&address);
    if let Some(clock) = left.and_then(|entry| entry.clock) {
        clock.abort();
    }
}

/// Aborts the task of the node at `address` if `end`, which says that the node is to end, says
/// that it did. Whoever is about to give the entry its task asks for the node's state under the
/// same lock, so one of both aborts the task. The caller has a reference to the node.
pub(crate) fn with(address: usize, end: impl FnOnce() -> bool) -> bool {
    end_under(tasks(), address, end)
}

/// The same for a node that may be gone: does nothing unless the node `id` is in the table.
pub(crate) fn after(address: usize, id: u64, end: impl FnOnce() -> bool) {
    let tasks = tasks();
    if tasks.get(&address).is_some_and(|entry| entry.id == id) {
        end_under(tasks, address, end);
    }
}

fn end_under(tasks: MutexGuard<'_, Tasks>, address: usize, end: impl FnOnce() -> bool) -> bool {
    let task = tasks.get(&address).and_then(|entry| entry.task.clone());
    let ended = end();
    drop(tasks);
    if let (true, Some(task)) = (ended, task) {
        task.abort();
    }
    ended
}
