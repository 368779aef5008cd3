//! The protocols of nodes, under loom: `RUSTFLAGS='--cfg loom' cargo test -p delayed-runtime models`.
//!
//! Each model runs the functions of `node/` on threads whose interleavings loom tries, up to three
//! preemptions. Atomics are loom's, and what belongs to one thread at a time (`sync::Field`,
//! `sync::Track`) is told to loom, which reports accesses that are not ordered. When a model ends all
//! nodes are freed, all values dropped, and no freed node was looked at.

use crate::chunk;
use crate::node::{
    CLAIMED, DONE, FAILED, Inputs, Kind, LAZY, Node, NodeRef, Outcome, Seen, Vtable, Waiters, payload_align,
    payload_size,
};
use crate::sync::atomic::Ordering;
use crate::sync::thread;
use crate::task::Task;
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering::Relaxed};

/// Tries the interleavings of `model`.
fn check(model: impl Fn(&Tally) + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(move || {
        chunk::begin();
        let tally = Tally::default();
        model(&tally);
        assert_eq!(chunk::live(), 0, "nodes that are not freed");
        assert_eq!(tally.0.values.load(Relaxed), 0, "values that are not dropped, or twice");
        assert_eq!(tally.0.calls.load(Relaxed), 0, "calls that are not dropped, or twice");
    });
}

/// What happened in one run of a model. Loom does not need to know.
#[derive(Clone, Default)]
struct Tally(Arc<Counts>);

#[derive(Default)]
struct Counts {
    runs: AtomicUsize,
    clones: AtomicUsize,
    /// Values and calls that exist.
    values: AtomicIsize,
    calls: AtomicIsize,
}

impl Tally {
    fn runs(&self) -> usize {
        self.0.runs.load(Relaxed)
    }

    fn clones(&self) -> usize {
        self.0.clones.load(Relaxed)
    }

    /// A lazy node whose function adds one to the sum of its inputs.
    fn node(&self, inputs: impl IntoIterator<Item = NodeRef, IntoIter: ExactSizeIterator>) -> NodeRef {
        let inputs = inputs.into_iter();
        let node = Node::allocate(&VTABLE, inputs.len(), LAZY, None);
        self.0.calls.fetch_add(1, Relaxed);
        // SAFETY: the node was just made.
        unsafe {
            for (index, input) in inputs.enumerate() {
                node.set_edge(index, input);
            }
            node.write(Call(self.clone()));
            NodeRef::from_raw(node)
        }
    }

    /// A node that is done.
    fn done(&self) -> NodeRef {
        let node = self.node([]);
        assert!(node.node().claim());
        run(node.node());
        node
    }
}

struct Call(Tally);

impl Drop for Call {
    fn drop(&mut self) {
        self.0.0.calls.fetch_sub(1, Relaxed);
    }
}

struct Value(Tally, u32);

impl Value {
    fn new(tally: Tally, value: u32) -> Self {
        tally.0.values.fetch_add(1, Relaxed);
        Value(tally, value)
    }
}

impl Clone for Value {
    fn clone(&self) -> Self {
        self.0.0.clones.fetch_add(1, Relaxed);
        Value::new(self.0.clone(), self.1)
    }
}

impl Drop for Value {
    fn drop(&mut self) {
        self.0.0.values.fetch_sub(1, Relaxed);
    }
}

static TASK: Task = Task::builtin("model", &[]);
static VTABLE: Vtable = Vtable {
    task: &TASK,
    number: 0,
    kind: Kind::Sync,
    shape: &[None],
    tolerant: false,
    ordered: false,
    run: call,
    drop_call: |node| {
        // SAFETY: the node has not run, so its payload is the call.
        drop(unsafe { node.read::<Call>() });
    },
    drop_value: Some(|node| {
        // SAFETY: the node is done, so its payload is the value.
        drop(unsafe { node.read::<Value>() });
    }),
    size: payload_size::<Call, Value>(),
    align: payload_align::<Call, Value>(),
};

unsafe fn call(node: Node) -> Outcome {
    // SAFETY: the node is claimed and its inputs are done.
    unsafe {
        let Call(ref tally) = node.read::<Call>();
        tally.0.runs.fetch_add(1, Relaxed);
        let mut inputs = Inputs::new(node);
        let sum: u32 = (0..node.edges()).map(|_| inputs.next().take::<Value>().1).sum();
        drop(inputs);
        node.write(Value::new(tally.clone(), sum + 1));
    }
    Outcome::Done
}

/// Runs a claimed node whose inputs are done, and gives the claim up.
fn run(node: Node) -> Waiters {
    // SAFETY: the caller's claim.
    unsafe {
        assert!(matches!((node.vtable().run)(node), Outcome::Done));
        node.publish(DONE)
    }
}

/// What a walker does with a frame that has one input: look, and run it or become a waiter. What is
/// lazy it claims and runs. The frame ends as the input did.
fn walk(frame: Node) {
    // SAFETY: the caller has the claim of the frame, until it waits.
    unsafe {
        frame.begin(None);
        let input = frame.edge(0);
        loop {
            match input.look(false) {
                Seen::Done => return resume(run(frame)),
                Seen::Claimed => resume(run(input)),
                Seen::Failed => {
                    let error = input.error();
                    frame.drop_payload(LAZY);
                    frame.write(error);
                    return resume(frame.publish(FAILED));
                }
                Seen::Busy => {
                    let word = input.word(Ordering::Acquire);
                    if word.state() == CLAIMED && frame.wait_for(input, word).is_ok() {
                        return;
                    }
                    frame.set_parent(None);
                }
            }
        }
    }
}

/// Walks on from nodes that waited.
fn resume(waiters: Waiters) {
    for node in waiters {
        walk(node);
    }
}

fn value(node: NodeRef) -> u32 {
    assert_eq!(node.node().word(Ordering::Acquire).state(), DONE);
    // SAFETY: the node is done.
    unsafe { node.take::<Value>() }.1
}

/// Whoever waits for a node that is being finished is resumed once, and sees the value.
#[test]
fn a_waiter_meets_the_end_of_its_input() {
    check(|tally| {
        let input = tally.node([]);
        let claimed = input.node();
        assert!(claimed.claim());
        let consumer = tally.node([input]);
        let frame = consumer.node();
        assert!(frame.claim());
        let other = thread::spawn(move || resume(run(claimed)));
        walk(frame);
        other.join().unwrap();
        assert_eq!(tally.runs(), 2);
        assert_eq!(value(consumer), 2);
    });
}
