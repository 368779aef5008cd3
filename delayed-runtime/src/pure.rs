//! Calls of pure functions, which are one node if they are equal.
//!
//! Two calls are equal if function and plain arguments are, and the handles are of the same nodes. A
//! table finds the node of a call. It has no reference, so it keeps no value: with the last reference
//! the node goes, and its entry before it.
//!
//! Because the table can make a reference out of nothing, the count of such a node carries a bit,
//! `UNIFIED` in `reference.rs`, so that one reference never looks like the only one. What depends on
//! being the only one asks here, under the lock that whoever looks a call up holds:
//!
//! - Whoever gives the last reference back calls [`unreferenced`]: if no new one was made meanwhile, the
//!   entry goes, and then the node.
//! - Whoever has the last reference and wants to move the value out calls [`withdraw`], after which the
//!   node is one like all others.
//!
//! A node that has failed is not found any more, so that an equal call tries again.
//! Code of the user (`Eq`, `Hash`, `Drop` of arguments) runs without the lock.

use crate::node::{Kind, Node, NodeRef};
use crate::sync::{self, MutexGuard};
use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Arc, LazyLock};

/// The plain arguments of a call.
pub(crate) trait Plain: Any + Send + Sync {
    fn equals(&self, other: &dyn Plain) -> bool;
}

impl<R: Eq + Send + Sync + 'static> Plain for R {
    fn equals(&self, other: &dyn Plain) -> bool {
        (other as &dyn Any).downcast_ref::<R>().is_some_and(|other| self == other)
    }
}

/// The plain arguments of a call and their hash.
pub struct Compared {
    plain: Box<dyn Plain>,
    hash: u64,
}

impl std::fmt::Debug for Compared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compared").field("hash", &self.hash).finish_non_exhaustive()
    }
}

impl Compared {
    pub(crate) fn new<R: Clone + Eq + Hash + Send + Sync + 'static>(rest: &R) -> Self {
        Compared { plain: Box::new(rest.clone()), hash: HASH.hash_one(rest) }
    }
}

static HASH: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// A call, as far as it is compared.
struct Call {
    function: TypeId,
    inputs: Vec<u64>,
    plain: Box<dyn Plain>,
}

impl Call {
    fn equals(&self, other: &Call) -> bool {
        self.function == other.function && self.inputs == other.inputs && self.plain.equals(&*other.plain)
    }
}

struct Entry {
    /// No other entry has it.
    number: u64,
    call: Arc<Call>,
    node: Node,
}

#[derive(Default)]
struct Table {
    /// By the calls' hashes.
    entries: HashMap<u64, Vec<Entry>>,
    /// The hashes by the nodes' addresses.
    hashes: HashMap<usize, u64>,
    made: u64,
}

sync::global! {
    fn table() -> Table
}

impl Table {
    fn insert(&mut self, hash: u64, call: Arc<Call>, node: Node) {
        let number = self.made;
        self.made += 1;
        self.entries.entry(hash).or_default().push(Entry { number, call, node });
        self.hashes.insert(node.address(), hash);
    }

    fn of_hash(&self, hash: u64) -> impl Iterator<Item = &Entry> {
        self.entries.get(&hash).into_iter().flatten()
    }

    /// The node at an address, which lives while the table is locked.
    fn node(&self, address: usize) -> Option<Node> {
        self.of_hash(*self.hashes.get(&address)?)
            .map(|entry| entry.node)
            .find(|node| node.address() == address)
    }

    /// Takes the entry of a node out; its call is the user's to drop.
    fn remove(&mut self, node: Node) -> Option<Entry> {
        let hash = self.hashes.remove(&node.address())?;
        let entries = self.entries.get_mut(&hash)?;
        let index = entries.iter().position(|entry| entry.node == node)?;
        let entry = entries.swap_remove(index);
        if entries.is_empty() {
            self.entries.remove(&hash);
        }
        Some(entry)
    }
}

/// The node of an equal call if there is one, else `node`, which was just made.
pub(crate) fn one_of(node: NodeRef, function: TypeId, plain: Compared) -> NodeRef {
    let call = Arc::new(Call { function, inputs: inputs(&node), plain: plain.plain });
    let hash = HASH.hash_one((function, &call.inputs, plain.hash));
    // Entries that are other calls' or have no node to give.
    let mut passed = Vec::new();
    loop {
        let (number, other) = {
            let mut table = table();
            let next = table.of_hash(hash).find(|entry| !passed.contains(&entry.number));
            let Some(next) = next.map(|entry| (entry.number, entry.call.clone())) else {
                node.node().set_unified();
                table.insert(hash, call, node.node());
                return node;
            };
            next
        };
        passed.push(number);
        if !call.equals(&other) {
            continue;
        }
        let table = table();
        let Some(found) = table.of_hash(hash).find(|entry| entry.number == number).map(|entry| entry.node)
        else {
            continue;
        };
        if !found.has_failed() {
            // SAFETY: the node lives while its entry is there, and the table is locked.
            return unsafe { found.acquire() };
        }
        forget(table, found);
    }
}

/// Takes a node out of the table, which then goes if nobody refers to it.
fn forget(mut table: MutexGuard<'_, Table>, node: Node) {
    let removed = table.remove(node);
    // From here a reference that is given back is like that of any node.
    let unreferenced = node.clear_unified();
    drop(table);
    drop(removed);
    if unreferenced {
        node.release_unified();
    }
}

/// The nodes whose handles were passed.
fn inputs(node: &NodeRef) -> Vec<u64> {
    let mut inputs = Vec::new();
    let mut groups = vec![node.node()];
    while let Some(group) = groups.pop() {
        for index in 0..group.edges() {
            // SAFETY: the node and its groups were just made, and nobody else has seen them.
            let input = unsafe { group.edge(index) };
            match input.vtable().kind {
                Kind::Group => groups.push(input),
                _ => inputs.push(input.id()),
            }
        }
    }
    inputs
}

/// After the last reference of the node at `address` was given back. The node may be gone, or there may
/// be another one.
pub(crate) fn unreferenced(address: usize) {
    let table = table();
    if let Some(node) = table.node(address).filter(|node| node.is_unreferenced()) {
        forget(table, node);
    }
}

/// Takes a node out of the table if its count is still `count`, which nobody but the table can change.
pub(crate) fn withdraw(node: Node, count: u32) -> bool {
    let table = table();
    let is_last = node.has_count(count);
    if is_last {
        forget(table, node);
    }
    is_last
}
