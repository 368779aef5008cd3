//! Nodes with a priority.
//!
//! A walk takes nodes in the order of its graph. So when a wish is made, its nodes with a priority are
//! claimed and lie here, highest first: what is above zero goes before everything else, with what it
//! needs, and what is below zero after everything else. Walks that need such a node wait for it as
//! for any node in other hands.

use super::demand::Demand;
use crate::node::{Node, NodeRef, PARKED};
use crate::sync::atomic::{AtomicUsize, Ordering};
use crate::sync::{Mutex, MutexGuard};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

/// Highest first, then in the order of arrival.
type Rank = (Reverse<i32>, u64);

#[derive(Default)]
pub(super) struct Urgent {
    /// How many there are, and how many of them are above zero. Written with the lock, read without.
    waiting: AtomicUsize,
    pressing: AtomicUsize,
    nodes: Mutex<(u64, BTreeMap<Rank, Node>)>,
}

impl Urgent {
    pub(super) fn is_empty(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) == 0
    }

    /// Whether there is a node that goes before others.
    #[inline(always)]
    pub(super) fn is_pressing(&self) -> bool {
        self.pressing.load(Ordering::Relaxed) > 0
    }

    fn lock(&self) -> MutexGuard<'_, (u64, BTreeMap<Rank, Node>)> {
        self.nodes.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn push(&self, node: Node, priority: i32) {
        let mut nodes = self.lock();
        let rank = (Reverse(priority), nodes.0);
        nodes.0 += 1;
        nodes.1.insert(rank, node);
        self.waiting.fetch_add(1, Ordering::Relaxed);
        self.pressing.fetch_add(usize::from(priority > 0), Ordering::Relaxed);
    }

    /// The node with the highest priority; with `pressing`, only if that is above zero, and with `only`,
    /// of the nodes of that wish.
    pub(super) fn pop(&self, pressing: bool, only: Option<&Arc<Demand>>) -> Option<Node> {
        if self.is_empty() || pressing && !self.is_pressing() {
            return None;
        }
        let mut nodes = self.lock();
        // SAFETY: a node that lies here is claimed and has its demand.
        let is_of = |node: &Node, wish| std::ptr::eq(unsafe { node.demand() }.cast(), Arc::as_ptr(wish));
        let (&rank, &node) = nodes
            .1
            .iter()
            .take_while(|((Reverse(priority), _), _)| !pressing || *priority > 0)
            .find(|(_, node)| only.is_none_or(|only| is_of(node, only)))?;
        nodes.1.remove(&rank);
        self.waiting.fetch_sub(1, Ordering::Relaxed);
        self.pressing.fetch_sub(usize::from(rank.0.0 > 0), Ordering::Relaxed);
        Some(node)
    }
}

/// Claims the nodes with a priority that a new wish needs. Loops for them are started by whoever starts
/// the wish, who may take a loop's place for it.
pub(super) fn claim_all(demand: &Arc<Demand>, sink: Node) {
    let engine = demand.engine();
    let mut seen = HashSet::new();
    // SAFETY: the sink is claimed and its edges are references.
    let mut next: Vec<NodeRef> =
        (0..sink.edges()).map(|index| unsafe { sink.edge(index).acquire() }).collect();
    while let Some(reference) = next.pop() {
        let node = reference.node();
        if !seen.insert(node.address()) {
            continue;
        }
        let mut inputs = node.inputs();
        if node.vtable().ordered {
            // The others must not begin before the first is done.
            inputs.truncate(1);
        }
        next.extend(inputs);
        let priority = node.priority();
        if priority != 0 && node.claim() {
            // SAFETY: just claimed; the claim lies in the table with its demand.
            unsafe {
                node.mark(PARKED, 0);
                node.set_demand(Arc::into_raw(demand.clone()).cast());
            }
            engine.urgent.push(node, priority);
        }
    }
}
