//! Nodes that run apart from the loops, and how to stop them.
//!
//! A node is in the table from before its task can end until just before the task publishes it, so
//! while the lock is held a node that is found here is there and claimed. The task's handle comes
//! after the entry, because a runtime that shuts down may drop the task while it is spawned. A
//! function that blocks has no task, because nothing can stop it.

use crate::sync::{self, MutexGuard};
use std::collections::HashMap;
use tokio::task::AbortHandle;

pub(crate) struct Entry {
    /// The node's id.
    id: u64,
    pub(crate) task: Option<AbortHandle>,
    /// The task that waits until the node's time is over.
    pub(crate) clock: Option<AbortHandle>,
}

/// By the node's address.
#[derive(Default)]
pub(crate) struct Tasks(HashMap<usize, Entry>);

sync::global! {
    pub(crate) fn tasks() -> Tasks
}

impl Tasks {
    /// The entry of a node that may be gone, and another one be at its address.
    pub(crate) fn get(&mut self, address: usize, id: u64) -> Option<&mut Entry> {
        self.0.get_mut(&address).filter(|entry| entry.id == id)
    }
}

/// Enters a node that is going to run apart.
pub(crate) fn enter(address: usize, id: u64) {
    tasks().0.insert(address, Entry { id, task: None, clock: None });
}

/// Takes a node out that is about to be published.
pub(crate) fn leave(address: usize) {
    let left = tasks().0.remove(&address);
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
    let mut tasks = tasks();
    if tasks.get(address, id).is_some() {
        end_under(tasks, address, end);
    }
}

fn end_under(tasks: MutexGuard<'_, Tasks>, address: usize, end: impl FnOnce() -> bool) -> bool {
    let task = tasks.0.get(&address).and_then(|entry| entry.task.clone());
    let ended = end();
    drop(tasks);
    if let (true, Some(task)) = (ended, task) {
        task.abort();
    }
    ended
}
