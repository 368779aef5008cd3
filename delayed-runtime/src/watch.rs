//! Nodes whose last handle matters: those that were persisted.
//!
//! Nobody waits for a persisted node, so its wish ends when nothing but the wish's own reference is
//! left. Whoever gives back the last but one finds here whom to tell. An entry may be older than
//! the node at its address; so whoever is told looks for itself.

use crate::sync;
use std::collections::HashMap;
use std::sync::Arc;

type Watcher = Arc<dyn Fn() + Send + Sync>;

sync::global! {
    fn watchers() -> HashMap<usize, Watcher>
}

/// Adds a watcher, unless the node at `address` has one, and marks the node while the table is locked:
/// mark and entry change together, or a wish that ends would take the mark of the next one.
pub(crate) fn add(address: usize, watcher: Watcher, mark: impl FnOnce()) -> bool {
    let mut watchers = watchers();
    let is_new = !watchers.contains_key(&address);
    if is_new {
        watchers.insert(address, watcher);
        mark();
    }
    is_new
}

/// Removes the watcher, and takes the mark away while the table is locked.
pub(crate) fn remove<R>(address: usize, unmark: impl FnOnce() -> R) -> R {
    let (removed, result) = {
        let mut watchers = watchers();
        (watchers.remove(&address), unmark())
    };
    drop(removed);
    result
}

/// Tells the watcher of a node that one reference is left.
pub(crate) fn one_is_left(address: usize) {
    let watcher = watchers().get(&address).cloned();
    if let Some(watcher) = watcher {
        watcher();
    }
}
