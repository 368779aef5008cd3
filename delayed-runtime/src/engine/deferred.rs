//! Nodes that wait in lists and have inputs that nobody has looked at.
//!
//! A walker whose path is blocked by another thread's function leaves the path: all its frames become
//! waiters. If it ran their other inputs on the way, it would make values long before they are needed,
//! a whole fold's loads while one step of it is slow. So it leaves those inputs lazy and the nodes here,
//! nearest first, and loops without work take inputs of the first few.
//!
//! The rules are those of published frames (`offers.rs`): a node is marked [`OFFERED`] before it waits,
//! inputs are claimed with the lock, and whoever takes the node out of its list of waiters takes it
//! out of here first.

use super::demand::Demand;
use super::offers::claim_input;
use crate::node::{Node, OFFERED};
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Mutex, MutexGuard};
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

#[derive(Default)]
pub(super) struct Deferred {
    /// How many of the first nodes may have something to take. Written with the lock, read without.
    open: AtomicUsize,
    nodes: Mutex<Nodes>,
}

#[derive(Default)]
struct Nodes {
    next: u64,
    /// In the order of arrival.
    entries: BTreeMap<u64, Entry>,
    numbers: HashMap<usize, u64>,
}

struct Entry {
    node: Node,
    demand: Arc<Demand>,
    exhausted: bool,
}

impl Deferred {
    pub(super) fn is_open(&self) -> bool {
        self.open.load(Ordering::Relaxed) > 0
    }

    fn lock(&self) -> MutexGuard<'_, Nodes> {
        self.nodes.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Counts again after a change: only the first `reach` nodes may be taken from.
    fn count(&self, nodes: &Nodes, reach: usize) {
        let open = nodes.entries.values().take(reach).filter(|entry| !entry.exhausted).count();
        self.open.store(open, Ordering::Relaxed);
    }

    /// Adds a node whose claim the caller has and is about to put into a list of waiters.
    pub(super) fn add(&self, node: Node, demand: &Arc<Demand>, reach: usize) {
        // SAFETY: the caller's claim.
        unsafe { node.mark(OFFERED, 0) };
        let mut nodes = self.lock();
        let number = nodes.next;
        nodes.next += 1;
        nodes.numbers.insert(node.address(), number);
        nodes.entries.insert(number, Entry { node, demand: demand.clone(), exhausted: false });
        if nodes.entries.len() <= reach {
            self.count(&nodes, reach);
        }
    }

    /// Takes a node out whose claim the caller has.
    pub(super) fn remove(&self, node: Node, reach: usize) {
        let removed = {
            let mut nodes = self.lock();
            let number = nodes.numbers.remove(&node.address());
            let removed = number.and_then(|number| nodes.entries.remove(&number));
            self.count(&nodes, reach);
            removed
        };
        // The demand is let go without the lock.
        drop(removed);
        // SAFETY: the caller's claim.
        unsafe { node.mark(0, OFFERED) };
    }

    /// A lazy input of one of the first nodes, claimed and with its demand; with `only`, for that
    /// wish.
    pub(super) fn take(&self, only: Option<&Arc<Demand>>, reach: usize) -> Option<Node> {
        if !self.is_open() {
            return None;
        }
        let mut nodes = self.lock();
        let mut taken = None;
        for entry in nodes.entries.values_mut().take(reach).filter(|entry| !entry.exhausted) {
            if only.is_some_and(|only| !Arc::ptr_eq(only, &entry.demand)) {
                continue;
            }
            // The far end of the way back is where a walk begins.
            taken = claim_input(entry.node, true, &entry.demand);
            if taken.is_some() {
                break;
            }
            entry.exhausted = true;
        }
        self.count(&nodes, reach);
        taken
    }
}
