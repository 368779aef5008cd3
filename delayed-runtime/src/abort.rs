//! The tokio tasks of asynchronous nodes.
//!
//! A node is in the table from before its task can end until just before the task publishes it, so
//! while the lock is held a node that is found here is there and claimed. The task's handle comes
//! after the entry, because a runtime that shuts down may drop the task while it is spawned.

use crate::sync::unmodelled::{Mutex, MutexGuard};
use std::collections::HashMap;
use std::sync::LazyLock;
use tokio::task::AbortHandle;

pub(crate) struct Entry {
    /// The node's id.
    pub(crate) id: u64,
    pub(crate) task: Option<AbortHandle>,
}

/// By the node's address.
pub(crate) type Tasks = HashMap<usize, Entry>;

static TASKS: LazyLock<Mutex<Tasks>> = LazyLock::new(Mutex::default);

pub(crate) fn tasks() -> MutexGuard<'static, Tasks> {
    TASKS.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Aborts the task of the node at `address` if `end`, which says that the node is to end, says
/// that it did. Whoever is about to give the entry its task asks for the node's state under the
/// same lock, so one of both aborts the task.
pub(crate) fn after(address: usize, end: impl FnOnce() -> bool) -> bool {
    let tasks = tasks();
    let task = tasks.get(&address).and_then(|entry| entry.task.clone());
    let ended = end();
    drop(tasks);
    if let (true, Some(task)) = (ended, task) {
        task.abort();
    }
    ended
}
