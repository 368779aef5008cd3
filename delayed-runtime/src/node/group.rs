//! Groups: many inputs in one edge.
//!
//! A group's edges stay with it when it is done; `at` then says which of them have been taken.

use super::{DONE, Kind, LAZY, MOST_EDGES, Node, NodeRef, Outcome, Vtable, payload_align, payload_size};
use crate::sync::atomic::Ordering;
use crate::task::Task;

static TASK: Task = Task::builtin("group", &[]);
static ALL_DONE: Vtable = vtable(false);
static ALL_ENDED: Vtable = vtable(true);

const fn vtable(tolerant: bool) -> Vtable {
    Vtable {
        task: &TASK,
        number: 0,
        kind: Kind::Group,
        shape: &[None],
        tolerant,
        ordered: false,
        run,
        drop_call: |_| {},
        drop_value: Some(drop_value),
        measure: |_| 0,
        size: payload_size::<(), ()>(),
        align: payload_align::<(), ()>(),
    }
}

unsafe fn run(node: Node) -> Outcome {
    // SAFETY: the node is claimed.
    unsafe { node.set_at(0) };
    Outcome::Done
}

unsafe fn drop_value(node: Node) {
    // SAFETY: the last reference is gone; edges before `at` were taken.
    unsafe { node.release_edges(node.at()) };
}

/// One node for all of `inputs`, in their order. With `tolerant`, it is done also when inputs
/// failed.
pub(crate) fn of(mut inputs: Vec<NodeRef>, tolerant: bool) -> NodeRef {
    loop {
        let mut groups = Vec::with_capacity(inputs.len().div_ceil(MOST_EDGES).max(1));
        let mut rest = inputs.into_iter();
        loop {
            let vtable = if tolerant { &ALL_ENDED } else { &ALL_DONE };
            let count = rest.len().min(MOST_EDGES);
            let group = Node::allocate(vtable, count, LAZY, None);
            for (index, input) in rest.by_ref().take(count).enumerate() {
                // SAFETY: the node was just made.
                unsafe { group.set_edge(index, input) };
            }
            groups.push(NodeRef(group));
            if rest.len() == 0 {
                break;
            }
        }
        if groups.len() == 1 {
            return groups.remove(0);
        }
        inputs = groups;
    }
}

impl Node {
    /// Calls `f` with the node, or if it is a group with what is in it, in order. Groups that have no
    /// edges any more, or that others have claimed, are left out.
    pub(crate) fn leaves(self, mut f: impl FnMut(Node)) {
        if self.vtable().kind != Kind::Group {
            return f(self);
        }
        let mut stack = vec![self];
        while let Some(node) = stack.pop() {
            if node.vtable().kind != Kind::Group {
                f(node);
            } else if node.word(Ordering::Acquire).state() == DONE {
                // SAFETY: a group that is done keeps its edges until its only consumer runs, which is the
                // caller's.
                stack.extend((0..node.edges()).rev().map(|at| unsafe { node.edge(at) }));
            }
        }
    }
}

/// The inputs of a group that is done, in order.
pub(crate) struct Leaves {
    groups: Vec<NodeRef>,
}

impl Leaves {
    /// # Safety
    ///
    /// `group` is the only reference to a done node of [`of`].
    pub(crate) unsafe fn new(group: NodeRef) -> Self {
        Leaves { groups: vec![group] }
    }
}

impl Iterator for Leaves {
    type Item = NodeRef;

    fn next(&mut self) -> Option<NodeRef> {
        loop {
            let group = self.groups.last()?.node();
            // SAFETY: groups in the list are ours alone, edges before `at` were taken.
            let input = unsafe {
                let at = group.at();
                if at == group.edges() {
                    self.groups.pop();
                    continue;
                }
                group.set_at(at + 1);
                group.take_edge(at)
            };
            if input.node().vtable().kind != Kind::Group {
                return Some(input);
            }
            self.groups.push(input);
        }
    }
}
