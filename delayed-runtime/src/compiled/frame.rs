//! One run of a graph: which nodes are claimed and done, and how threads go through it.
//!
//! Its owner takes the first node that is ready, in the order of the function as written; helpers take the
//! last one, so that they meet late. A node that leaves the function, or panics, sets a limit: what stands behind
//! it does not begin any more. What stands before it still runs, because it may leave before. (Where in a node a
//! panic was is not known; it counts as at the node's first statement.)

use super::{Word, inside};
use crate::clock;
use crate::engine::{Engine, Post, Posted, give_place};
use crate::event::{self, Step};
use crate::sync::Mutex;
use crate::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use crate::sync::thread::{self, Thread};
use crate::task::Task;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::ptr::NonNull;
use std::sync::Arc;

/// How often a thread looks for a node that is ready before it goes, or sleeps.
const LOOKS: u32 = if cfg!(all(test, loom)) {
    0
} else if cfg!(miri) {
    2
} else {
    300
};

/// What a node says that does not leave the function. Others say at which statement they leave.
pub const GOES_ON: u32 = u32::MAX;

/// What is known of a graph when the program is compiled.
#[derive(Debug)]
pub struct Plan {
    /// The nodes, in the order of the function as written; without the last expression.
    pub nodes: &'static [Task],
    /// For each node, in words of 64, the nodes that it needs.
    pub needs: &'static [u64],
    /// For each node, its first statement that does something: it does not begin if one before has left.
    pub begins: &'static [u32],
}

/// The [nodes](Plan::nodes) of a graph, each with its name, line and column. One call for all, because each call
/// would take rustc some time.
pub const fn nodes<const N: usize>(file: &'static str, of: [(&'static str, u32, u32); N]) -> [Task; N] {
    let mut nodes = [const { Task::new("", "", 0, 0, &[]) }; N];
    let mut at = 0;
    while at < N {
        let (name, line, column) = of[at];
        nodes[at] = Task::new(name, file, line, column, &[]);
        at += 1;
    }
    nodes
}

impl Plan {
    fn words(&self) -> usize {
        self.nodes.len().div_ceil(64)
    }

    /// The nodes that one needs, in words.
    #[inline(always)]
    pub(super) fn needs_of(&self, node: usize) -> &'static [u64] {
        let words = self.words();
        &self.needs[node * words..][..words]
    }
}

/// What a run is, for its owner and helpers.
#[repr(C)]
pub(super) struct Frame<'a> {
    posted: Posted,
    plan: &'static Plan,
    node: &'a dyn Fn(usize) -> u32,
    claimed: &'a [Word],
    done: &'a [Word],
    /// How many nodes are claimed at a time.
    batch: u32,
    /// Nodes that begin with this statement or a later one do not begin.
    limit: AtomicU32,
    /// Where the first panic was, and what it said.
    panic: Mutex<Option<(u32, Box<dyn Any + Send>)>>,
    /// The owner sleeps until a node is done.
    sleeps: AtomicBool,
    owner: Thread,
    /// For those who look: the number of the first node, and the client's.
    first: u64,
    client: u16,
}

/// What a look for a node found.
enum Look {
    /// Nodes of a word.
    Nodes(usize, u64),
    /// Others run what is left, or what the others need.
    Wait,
    End,
}

impl<'a> Frame<'a> {
    pub(super) fn new(
        plan: &'static Plan,
        words: &'a [Word],
        node: &'a dyn Fn(usize) -> u32,
        client: u16,
    ) -> Self {
        let (claimed, done) = words.split_at(plan.words());
        Frame {
            posted: Posted { work: Frame::help },
            plan,
            node,
            claimed,
            done,
            batch: 1,
            limit: AtomicU32::new(GOES_ON),
            panic: Mutex::new(None),
            sleeps: AtomicBool::new(false),
            owner: thread::current(),
            first: if event::is_on() { event::numbers(plan.nodes.len() as u64) } else { 0 },
            client,
        }
    }

    /// Runs all nodes on this thread.
    pub(super) fn run_alone(&self) {
        while let Look::Nodes(word, nodes) = self.look(false, Some(1)) {
            self.run_nodes(word, nodes, false);
        }
    }

    /// Runs all nodes, with helpers of `engine`; `wakes` one, and claims up to `batch` nodes at a time.
    pub(super) fn run_shared(&mut self, engine: &Arc<Engine>, wakes: bool, batch: u32) {
        self.batch = batch;
        let this = &*self;
        // SAFETY: the frame outlives the post, which waits for the last helper.
        let Some(post) = (unsafe { engine.board.post(NonNull::from(this).cast()) }) else {
            return this.run_alone();
        };
        let mut calls = Calls { engine, post: &post, last: clock::ticks() };
        if wakes {
            calls.call();
        }
        let mut looks = 0;
        loop {
            match this.look(false, Some(batch)) {
                Look::Nodes(word, nodes) => {
                    looks = 0;
                    this.run_nodes(word, nodes, false);
                    if !post.has_helper() {
                        calls.call_if_late();
                    }
                }
                Look::Wait if looks != LOOKS => {
                    looks += 1;
                    pause();
                }
                Look::Wait => give_place(|| this.sleep()),
                Look::End => return,
            }
        }
    }

    /// Whether no node has left the function.
    ///
    /// # Panics
    ///
    /// If a node has, before the first one that left.
    pub(super) fn result(self) -> bool {
        let limit = self.limit.load(Ordering::Relaxed);
        let panic = self.panic.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
        match panic {
            Some((at, panic)) if at == limit => resume_unwind(panic),
            // What a panic carries may panic when it is dropped.
            panic => crate::panic::ignore(|| drop(panic)),
        }
        limit == GOES_ON
    }

    /// Runs nodes as a helper.
    ///
    /// # Safety
    ///
    /// `posted` is that of a frame that stays meanwhile.
    unsafe fn help(posted: NonNull<Posted>) -> bool {
        // SAFETY: the caller's promise; `posted` is the first field.
        let frame = unsafe { posted.cast::<Frame<'_>>().as_ref() };
        inside(|| {
            let (mut helped, mut looks) = (false, 0);
            loop {
                match frame.look(true, Some(frame.batch)) {
                    Look::Nodes(word, nodes) => {
                        (helped, looks) = (true, 0);
                        frame.run_nodes(word, nodes, true);
                        // Exchanges have one order: this thread sees that the owner sleeps, or the owner, in
                        // `sleep`, what this thread has done before.
                        if frame.sleeps.swap(false, Ordering::AcqRel) {
                            frame.owner.unpark();
                        }
                    }
                    Look::Wait if looks != LOOKS => {
                        looks += 1;
                        pause();
                    }
                    Look::Wait | Look::End => return helped,
                }
            }
        })
    }

    /// Looks for nodes that are ready, the last ones or the first, and claims as many.
    fn look(&self, last: bool, claims: Option<u32>) -> Look {
        let words = self.done.len();
        let limit = self.limit.load(Ordering::Acquire);
        let mut is_over = true;
        for at in 0..words {
            let at = if last { words - 1 - at } else { at };
            let allowed = self.allowed(at, limit);
            let claimed = self.claimed[at].0.load(Ordering::Acquire);
            let done = self.done[at].0.load(Ordering::Acquire);
            is_over &= (allowed | claimed) & !done == 0;
            let mut open = allowed & !claimed;
            // The others get their part of what is left.
            let most = claims.unwrap_or(1).min(open.count_ones().div_ceil(4));
            let mut ready = 0_u64;
            while open != 0 && ready.count_ones() < most {
                let bit = if last { 63 - open.leading_zeros() } else { open.trailing_zeros() };
                open &= !(1 << bit);
                if self.is_ready(64 * at + bit as usize) {
                    ready |= 1 << bit;
                }
            }
            let ours = match claims {
                Some(_) if ready != 0 => ready & !self.claimed[at].0.fetch_or(ready, Ordering::AcqRel),
                _ => ready,
            };
            if ours != 0 {
                return Look::Nodes(at, ours);
            }
            // Others were faster.
            is_over &= ready == 0;
        }
        if is_over { Look::End } else { Look::Wait }
    }

    /// The nodes of a word that stand before the limit.
    #[inline(always)]
    fn allowed(&self, word: usize, limit: u32) -> u64 {
        let nodes = (self.plan.nodes.len() - 64 * word).min(64);
        if limit == GOES_ON {
            return u64::MAX >> (64 - nodes);
        }
        let begins = &self.plan.begins[64 * word..][..nodes];
        begins.iter().rev().fold(0, |mask, begin| mask << 1 | u64::from(*begin < limit))
    }

    #[inline(always)]
    fn is_ready(&self, node: usize) -> bool {
        // Acquire for what those nodes have made.
        self.plan
            .needs_of(node)
            .iter()
            .zip(self.done)
            .all(|(needs, done)| needs & !done.0.load(Ordering::Acquire) == 0)
    }

    /// Runs nodes of a word that are claimed, from the last one to the first, or from the first one.
    fn run_nodes(&self, word: usize, nodes: u64, last: bool) {
        let mut left = nodes;
        while left != 0 {
            let bit = if last { 63 - left.leading_zeros() } else { left.trailing_zeros() };
            let node = 64 * word + bit as usize;
            // A node that leaves lowers the limit before it is done. Who has seen, by `is_ready`, that it is done sees
            // the limit now, if not before, and does not begin what lacks its value.
            if self.plan.begins[node] >= self.limit.load(Ordering::Relaxed) {
                break;
            }
            left &= !(1 << bit);
            self.run_node(node);
        }
        // Release: those who need the nodes see what they have made.
        self.done[word].0.fetch_or(nodes & !left, Ordering::Release);
        if left != 0 {
            self.give_back(word, left, last);
        }
    }

    /// Gives back nodes that stand behind the limit, and runs those that do not.
    #[cold]
    fn give_back(&self, word: usize, nodes: u64, last: bool) {
        let behind = nodes & !self.allowed(word, self.limit.load(Ordering::Relaxed));
        self.claimed[word].0.fetch_and(!behind, Ordering::Release);
        if nodes & !behind != 0 {
            self.run_nodes(word, nodes & !behind, last);
        }
    }

    fn run_node(&self, node: usize) {
        self.tell(node, Step::Started);
        match catch_unwind(AssertUnwindSafe(|| (self.node)(node))) {
            Ok(GOES_ON) => {}
            Ok(statement) => drop(self.limit.fetch_min(statement, Ordering::AcqRel)),
            Err(panic) => {
                self.tell(node, Step::Failed);
                return self.panicked(node, panic);
            }
        }
        self.tell(node, Step::Finished);
    }

    #[cold]
    fn panicked(&self, node: usize, panic: Box<dyn Any + Send>) {
        let begin = self.plan.begins[node];
        let mut first = self.panic.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        self.limit.fetch_min(begin, Ordering::AcqRel);
        let later = match &*first {
            Some((before, _)) if *before <= begin => Some((begin, panic)),
            _ => first.replace((begin, panic)),
        };
        drop(first);
        crate::panic::ignore(|| drop(later));
    }

    /// Blocks until a node is done, or something else wakes this thread.
    fn sleep(&self) {
        self.sleeps.swap(true, Ordering::AcqRel);
        if matches!(self.look(false, None), Look::Wait) {
            thread::park();
        }
        // No store, which would break the order.
        self.sleeps.swap(false, Ordering::AcqRel);
    }

    #[inline(always)]
    fn tell(&self, node: usize, step: Step) {
        if self.first != 0 && event::is_on() {
            self.tell_those_who_look(node, step);
        }
    }

    #[cold]
    fn tell_those_who_look(&self, node: usize, step: Step) {
        let id = self.first + node as u64;
        let needs = self.plan.needs_of(node);
        let inputs = (0..node).filter(|input| needs[input / 64] >> (input % 64) & 1 == 1);
        let inputs = inputs.map(|input| (self.first + input as u64, &self.plan.nodes[input]));
        event::tell_step(id, self.client, &self.plan.nodes[node], step, inputs);
    }
}

/// How an owner calls for helpers.
struct Calls<'a> {
    engine: &'a Arc<Engine>,
    post: &'a Post<'a>,
    /// When it did last, or began.
    last: u64,
}

impl Calls<'_> {
    fn call(&self) {
        self.post.ask();
        self.engine.start_loops();
    }

    /// Calls if enough time has passed that a thread would have come.
    fn call_if_late(&mut self) {
        let now = clock::ticks();
        if now.wrapping_sub(self.last) > u64::from(super::profile::WORTH_A_WAKE) {
            self.last = now;
            self.call();
        }
    }
}

#[inline(always)]
fn pause() {
    #[cfg(all(test, loom))]
    loom::thread::yield_now();
    #[cfg(not(all(test, loom)))]
    std::hint::spin_loop();
}
