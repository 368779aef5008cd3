//! The protocols of nodes, under loom: `RUSTFLAGS='--cfg loom' cargo test -p delayed-runtime models`.
//!
//! Each model runs the functions of `node/` on threads whose interleavings loom tries, up to three
//! preemptions. Atomics are loom's, and what belongs to one thread at a time (`sync::Field`,
//! `sync::Track`) is told to loom, which reports accesses that are not ordered. When a model ends all
//! nodes are freed, all values dropped, and no freed node was looked at.
//!
//! A model is worth what it catches. These mutations make one or more fail:
//!
//! - `publish`: Relaxed, in the first exchange or without its Release in `publish_to_others`
//! - `publish_to_others`: the payload of a cancelled node is not dropped
//! - `wait_for`: without Release; without the link to the waiters before
//! - `look`: its first read Relaxed; state before unique; no second read of the state
//! - `claim`: Relaxed; `mark_cancelled`: Relaxed; `lock` and its end: Relaxed
//! - `is_unique`, `readers`, the look of `NodeRef::drop`, the state in `release_last`, its orphaning:
//!   Relaxed
//! - `release_one_of_several`: Relaxed; without its fence; before the value is cloned
//! - `release_watched`: Relaxed; in two steps
//! - `Offers`: a published frame that its owner walks with plain stores; one that stays when it is
//!   withdrawn; an input that is taken without its claim
//! - `start_loops`: without its fence, or with a weaker one; not called by a loop that ends, or called
//!   before its place is free; a closed engine not looked at
//! - `pure.rs`: a node that is let go although it was found again; one whose value is moved although it
//!   was; one that failed and is not freed; the count, Relaxed
//! - `has_failed`: not remembered; its lock not held while a node comes to wait
//! - `cancel`: who waited is not resumed; `Demand::end`: nobody is told
//!
//! These it does not see, because another order covers them: `exchange` that fails, Relaxed (seen if
//! `publish_to_others` is without its Acquire or its fence too); `wait_for` without Acquire; `look`'s
//! second read, `publish_exclusive` and `set_moved`, Relaxed. And these, because of what the models
//! are: `close` without its fence (the queue that models use has a lock), a demand that leaks (only
//! nodes and values are counted), whether `enqueue` looks at a wish that is over (the walk looks, too).

pub(crate) mod clock;
pub(crate) mod queue;
pub(crate) mod runtime;

use crate::chunk;
use crate::node::{
    CLAIMED, DONE, EXCLUSIVE, FAILED, Inputs, Kind, LAZY, Node, NodeRef, OFFERED, Outcome, PARKED, Seen,
    Vtable, Waiters, payload_align, payload_size,
};
use crate::pure::{self, Compared};
use crate::sync::atomic::Ordering;
use crate::sync::thread;
use crate::task::Task;
use std::any::TypeId;
use std::sync::Arc;
use std::sync::atomic::{AtomicIsize, AtomicUsize, Ordering::Relaxed};

/// Tries the interleavings of `model`.
pub(crate) fn check(model: impl Fn(&Tally) + Send + Sync + 'static) {
    let mut builder = loom::model::Builder::new();
    builder.preemption_bound = Some(3);
    builder.check(move || {
        chunk::begin();
        clock::begin();
        let tally = Tally::default();
        model(&tally);
        runtime::join();
        assert_eq!(chunk::live(), 0, "nodes that are not freed");
        assert_eq!(tally.0.values.load(Relaxed), 0, "values that are not dropped, or twice");
        assert_eq!(tally.0.calls.load(Relaxed), 0, "calls that are not dropped, or twice");
    });
}

/// What happened in one run of a model. Loom does not need to know.
#[derive(Clone, Default)]
pub(crate) struct Tally(Arc<Counts>);

#[derive(Default)]
struct Counts {
    runs: AtomicUsize,
    clones: AtomicUsize,
    /// Values and calls that exist.
    values: AtomicIsize,
    calls: AtomicIsize,
}

impl Tally {
    pub(crate) fn runs(&self) -> usize {
        self.0.runs.load(Relaxed)
    }

    fn clones(&self) -> usize {
        self.0.clones.load(Relaxed)
    }

    /// A lazy node whose function adds one to the sum of its inputs.
    pub(crate) fn node(
        &self,
        inputs: impl IntoIterator<Item = NodeRef, IntoIter: ExactSizeIterator>,
    ) -> NodeRef {
        self.node_of(&VTABLE, inputs)
    }

    /// The same, to be claimed by somebody who runs it apart.
    pub(crate) fn node_apart(&self) -> NodeRef {
        self.node_of(&APART, [])
    }

    fn node_of(
        &self,
        vtable: &'static Vtable,
        inputs: impl IntoIterator<Item = NodeRef, IntoIter: ExactSizeIterator>,
    ) -> NodeRef {
        let inputs = inputs.into_iter();
        let node = Node::allocate(vtable, inputs.len(), LAZY, None);
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
    pub(crate) fn done(&self) -> NodeRef {
        let node = self.node([]);
        run(claim(&node));
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
static VTABLE: Vtable = vtable(Kind::Sync);
/// Of nodes that run apart.
static APART: Vtable = vtable(Kind::Future);

const fn vtable(kind: Kind) -> Vtable {
    Vtable {
        task: &TASK,
        number: 0,
        kind,
        shape: &[None],
        tolerant: false,
        ordered: false,
        run: call,
        drop_call: |node| {
            // SAFETY: the node has not run, so its payload is the call.
            drop(unsafe { node.read::<Call>() });
        },
        measure: |_| 0,
        drop_value: Some(|node| {
            // SAFETY: the node is done, so its payload is the value.
            drop(unsafe { node.read::<Value>() });
        }),
        size: payload_size::<Call, Value>(),
        align: payload_align::<Call, Value>(),
    }
}

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

/// Runs a claimed node whose inputs are done, and gives the claim up, as `Walker::call` does.
fn run(node: Node) -> Waiters {
    let exclusive = node.has(EXCLUSIVE);
    // SAFETY: the caller's claim.
    unsafe {
        assert!(matches!((node.vtable().run)(node), Outcome::Done));
        if exclusive {
            node.publish_exclusive(DONE);
            return Waiters::none();
        }
        node.publish(DONE)
    }
}

/// What a walker does with a frame: it claims and runs the inputs that are lazy, and in the end runs
/// the frame, fails it, or makes it a waiter of an input that another has claimed.
pub(crate) fn walk(frame: Node) {
    walk_offered(frame, |_| unreachable!("no frame is offered"));
}

/// [`walk`] of a frame that is published, and taken back by `withdraw`.
pub(crate) fn walk_offered(frame: Node, withdraw: impl Fn(Node)) {
    loop {
        // SAFETY: the caller has the claim of the frame, until it waits.
        unsafe {
            frame.begin(None);
            let mut busy = None;
            for index in 0..frame.edges() {
                frame.set_at(index);
                let input = frame.edge(index);
                match input.look(frame.has(OFFERED)) {
                    Seen::Done => {}
                    Seen::Claimed => {
                        input.begin(Some(frame));
                        walk_on(run(input));
                    }
                    Seen::Busy => busy = Some(input),
                    Seen::Failed => {
                        if frame.has(OFFERED) {
                            withdraw(frame);
                        }
                        let error = input.error();
                        frame.drop_payload(LAZY);
                        frame.write(error);
                        return walk_on(frame.publish(FAILED));
                    }
                }
            }
            if frame.has(OFFERED) {
                withdraw(frame);
            }
            let Some(input) = busy else { return walk_on(run(frame)) };
            frame.mark(PARKED, EXCLUSIVE);
            let word = input.word(Ordering::Acquire);
            if word.state() == CLAIMED && frame.wait_for(input, word).is_ok() {
                return;
            }
            frame.mark(0, PARKED);
        }
    }
}

fn walk_on(waiters: Waiters) {
    waiters.for_each(walk);
}

fn state(node: &NodeRef) -> usize {
    node.node().word(Ordering::Acquire).state()
}

/// The value of a node that is done.
pub(crate) fn value(node: NodeRef) -> u32 {
    assert_eq!(state(&node), DONE);
    // SAFETY: the node is done.
    unsafe { node.take::<Value>() }.1
}

/// The claim of a node that is in nobody else's hands.
pub(crate) fn claim(node: &NodeRef) -> Node {
    assert!(node.node().claim());
    node.node()
}

/// Runs `first` on another thread, and `second` on this one.
pub(crate) fn both(first: impl FnOnce() + Send + 'static, second: impl FnOnce()) {
    let other = thread::spawn(first);
    second();
    other.join().unwrap();
}

/// Whoever waits for a node that is being finished is resumed once, and sees the value.
#[test]
fn a_waiter_meets_the_end_of_its_input() {
    check(|tally| {
        let input = tally.node([]);
        let claimed = claim(&input);
        let consumer = tally.node([input]);
        let frame = claim(&consumer);
        both(move || walk_on(run(claimed)), || walk(frame));
        assert_eq!(tally.runs(), 2);
        assert_eq!(value(consumer), 2);
    });
}

/// So is each of several.
#[test]
fn two_waiters_meet_the_end_of_their_input() {
    check(|tally| {
        let input = tally.node([]);
        let claimed = claim(&input);
        let consumers = [tally.node([input.clone()]), tally.node([input])];
        let [first, second] = [claim(&consumers[0]), claim(&consumers[1])];
        let other = thread::spawn(move || walk(first));
        both(move || walk_on(run(claimed)), || walk(second));
        other.join().unwrap();
        assert_eq!(tally.runs(), 3);
        assert_eq!(consumers.map(value), [2, 2]);
    });
}

/// Of two consumers one may move the value out, and only when the other has cloned it.
#[test]
fn the_last_reader_moves_the_value() {
    check(|tally| {
        let first = tally.done();
        let second = first.clone();
        both(move || assert_eq!(value(first), 1), move || assert_eq!(value(second), 1));
        // Two that clone at the same time both see each other's reference.
        assert!((1..=2).contains(&tally.clones()));
    });
}

/// A consumer whose input's other reference goes, with or without the input being run before, runs the
/// input if nobody has.
#[test]
fn a_consumer_becomes_the_only_one() {
    check(|tally| {
        let handle = tally.node([]);
        let consumer = tally.node([handle.clone()]);
        let frame = claim(&consumer);
        both(
            move || {
                if handle.node().claim() {
                    walk_on(run(handle.node()));
                }
            },
            || walk(frame),
        );
        assert_eq!(tally.runs(), 2);
        assert_eq!(value(consumer), 2);
    });
}

/// The same if the other one has claimed the input and given the claim up.
#[test]
fn a_consumer_becomes_the_only_one_after_a_withdrawn_claim() {
    check(|tally| {
        let handle = tally.node([]);
        let consumer = tally.node([handle.clone()]);
        let frame = claim(&consumer);
        both(
            move || {
                if handle.node().claim() {
                    give_up(handle.node());
                }
            },
            || walk(frame),
        );
        assert_eq!(tally.runs(), 2);
        assert_eq!(value(consumer), 2);
    });
}

/// Gives up a claim that has been in a queue.
fn give_up(node: Node) {
    // SAFETY: the caller's claim.
    unsafe {
        node.begin(None);
        node.set_demand(std::ptr::null());
        walk_on(node.publish(LAZY));
    }
}

/// A claim is withdrawn while one consumer waits, or claims for itself, and another looks.
#[test]
fn a_claim_is_withdrawn_before_consumers() {
    check(|tally| {
        let input = tally.node([]);
        let claimed = claim(&input);
        let consumers = [tally.node([input.clone()]), tally.node([input])];
        let [first, second] = [claim(&consumers[0]), claim(&consumers[1])];
        let other = thread::spawn(move || walk(first));
        both(move || give_up(claimed), || walk(second));
        other.join().unwrap();
        assert_eq!(tally.runs(), 3);
        assert_eq!(consumers.map(value), [2, 2]);
    });
}

/// A node is cancelled while its claimer finishes it. Consumers see the one or the other.
#[test]
fn a_cancel_meets_the_end() {
    check(|tally| {
        let input = tally.node([]);
        let claimed = claim(&input);
        let consumer = tally.node([input.clone()]);
        let frame = claim(&consumer);
        let other = thread::spawn(move || walk_on(run(claimed)));
        let canceller = {
            let input = input.clone();
            thread::spawn(move || input.node().mark_cancelled().map(walk_on).is_ok())
        };
        walk(frame);
        let cancelled = canceller.join().unwrap();
        other.join().unwrap();
        let end = if cancelled { FAILED } else { DONE };
        assert_eq!((state(&input), state(&consumer)), (end, end));
        if cancelled {
            assert!(input.node().error().is_cancelled() && consumer.node().error().is_cancelled());
        }
    });
}

/// The last reference goes while the claimer finishes the node, or gives it up.
#[test]
fn the_last_reference_meets_the_end() {
    for end in [run as fn(Node) -> Waiters, |node| {
        // SAFETY: the claim is the caller's.
        unsafe { node.publish(LAZY) }
    }] {
        check(move |tally| {
            let node = tally.node([tally.done()]);
            let claimed = claim(&node);
            both(move || assert!(end(claimed).is_empty()), || drop(node));
        });
    }
}

/// Two references to a node with an input go at once.
#[test]
fn the_last_two_references_go() {
    check(|tally| {
        let first = tally.node([tally.done()]);
        let second = first.clone();
        both(move || drop(first), || drop(second));
    });
}

/// The value of a persisted node is moved out while the wish for it ends: it is never cloned for the
/// wish, which looks at no value.
#[test]
fn a_value_is_moved_before_the_wish_has_let_go() {
    check(|tally| {
        let handle = tally.done();
        let of_wish = handle.clone();
        assert!(handle.node().watch(Arc::new(|| {})));
        both(move || of_wish.release_watched(), || assert_eq!(value(handle), 1));
        assert_eq!(tally.clones(), 0);
    });
}

/// Somebody looks at the inputs of a node whose claimer has changed them and gives it up.
#[test]
fn a_view_meets_a_withdrawn_claim() {
    check(|tally| {
        let node = tally.node([tally.done()]);
        let claimed = claim(&node);
        let other = tally.done();
        both(
            move || {
                // SAFETY: the claim is this thread's.
                unsafe {
                    drop(claimed.take_edge(0));
                    claimed.set_edge(0, other);
                    assert!(claimed.publish(LAZY).is_empty());
                }
            },
            || assert!(node.node().inputs().len() <= 1),
        );
    });
}

/// Somebody looks at the inputs of a node that another claims and runs.
#[test]
fn a_view_meets_a_claim() {
    check(|tally| {
        let node = tally.node([tally.done()]);
        let seen = node.clone();
        both(
            move || assert!(seen.node().inputs().len() <= 1),
            || {
                while !node.node().claim() {
                    thread::yield_now();
                }
                walk(node.node());
            },
        );
        assert_eq!(value(node), 2);
    });
}

/// A node for a call that is equal to all others of the model, or the one that is there.
fn pure_call(tally: &Tally) -> NodeRef {
    pure::one_of(tally.node([]), TypeId::of::<Tally>(), Compared::new(&()))
}

/// An equal call finds the node while another handle of it goes, or there is a new one.
#[test]
fn an_equal_call_meets_the_last_reference() {
    check(|tally| {
        let first = pure_call(tally);
        let other = tally.clone();
        both(
            move || drop(first),
            move || {
                let second = pure_call(&other);
                walk_on(run(claim(&second)));
                assert_eq!(value(second), 1);
            },
        );
    });
}

/// The last two handles of a pure node go.
#[test]
fn the_last_two_references_of_a_pure_node_go() {
    check(|tally| {
        let first = pure_call(tally);
        let second = pure_call(tally);
        assert!(first.node() == second.node());
        both(move || drop(first), move || drop(second));
    });
}

/// Both handles of a pure node go while an equal call is made.
#[test]
fn an_equal_call_meets_the_last_two_references() {
    check(|tally| {
        let first = pure_call(tally);
        let second = pure_call(tally);
        let other = tally.clone();
        let caller = thread::spawn(move || drop(pure_call(&other)));
        both(move || drop(first), move || drop(second));
        caller.join().unwrap();
    });
}

/// The last reader moves the value out of a pure node, unless an equal call finds it first.
#[test]
fn an_equal_call_meets_the_last_reader() {
    check(|tally| {
        let first = pure_call(tally);
        walk_on(run(claim(&first)));
        let other = tally.clone();
        both(
            move || assert_eq!(value(first), 1),
            move || {
                let second = pure_call(&other);
                if state(&second) == LAZY {
                    walk_on(run(claim(&second)));
                }
                assert_eq!(value(second), 1);
            },
        );
        assert!(tally.runs() + tally.clones() <= 3);
    });
}

/// A claimed pure node loses its last handle, or is found again, before it ends.
#[test]
fn an_equal_call_meets_an_orphan() {
    check(|tally| {
        let first = pure_call(tally);
        let claimed = claim(&first);
        let other = tally.clone();
        let runner = thread::spawn(move || walk_on(run(claimed)));
        both(move || drop(first), move || drop(pure_call(&other)));
        runner.join().unwrap();
    });
}

/// A pure node that is cancelled is not found any more, whoever else has its handle.
#[test]
fn an_equal_call_meets_a_cancel() {
    check(|tally| {
        let first = pure_call(tally);
        let claimed = claim(&first);
        let other = tally.clone();
        let caller = thread::spawn(move || drop(pure_call(&other)));
        both(
            move || {
                let _ = first.node().mark_cancelled().map(walk_on);
                drop(first);
            },
            move || walk_on(run(claimed)),
        );
        caller.join().unwrap();
    });
}
