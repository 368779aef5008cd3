//! The erased node: layout, reference count, states, casts.
//!
//! A node is one block: [`Header`], then one pointer for each edge (its inputs), then one payload
//! that first holds what the function needs and then what it returned, or the error. A node that
//! an operation of this crate made has the place of the call before its header.
//!
//! # States
//!
//! `word` is the state in its low bits; while the node is claimed the rest is the first of the
//! nodes that wait for it, linked by `next`.
//!
//! ```text
//! LAZY ──> CLAIMED ──> DONE | FAILED      and CLAIMED ──> LAZY when the wish is withdrawn
//!             ├──> CANCELLED ──> FAILED   consumers fail at once, the claimer later
//!             └──> ORPHANED ──> freed     no reference is left; the claimer frees it
//! LAZY <─> LOCKED                         for some instructions, to look at edges or to rename
//! ```
//!
//! Who moves the word from `LAZY` to `CLAIMED` is the claimer. It alone may touch `next`,
//! `demand`, `at`, `end`, the edges and the payload until it publishes. A claim can be handed on
//! through a queue or a list of waiters, which synchronise.
//!
//! # References
//!
//! Handles and edges count, claims do not. So a node with one reference that is an edge can be
//! reached only through its consumer: whoever has claimed the consumer may use plain stores on it
//! and may move its value out. The last reference frees the node, unless it is claimed: then the
//! word says `ORPHANED` and its claimer frees it.

use crate::abort;
use crate::chunk;
use crate::error::{Cause, Error, Name, NodeInfo};
use crate::name;
use crate::task::{Place, Task};
use crate::watch;
use std::cell::Cell;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, Ordering, fence};

pub(crate) const LAZY: usize = 0;
pub(crate) const CLAIMED: usize = 1;
pub(crate) const DONE: usize = 2;
pub(crate) const FAILED: usize = 3;
pub(crate) const LOCKED: usize = 4;
pub(crate) const CANCELLED: usize = 5;
pub(crate) const ORPHANED: usize = 7;
const STATE: usize = 7;

/// Claimed with plain stores, because only the claimer can reach the node.
pub(crate) const EXCLUSIVE: u8 = 1;
/// An input is in the hands of another claimer.
pub(crate) const BLOCKED: u8 = 2;
/// The function is running; for [`Node::is_running`] only.
pub(crate) const RUNNING: u8 = 4;
/// The claimer's flags; the others stay with the node.
const OF_CLAIM: u8 = EXCLUSIVE | BLOCKED | RUNNING;
/// The function has run once and asked for one more input.
pub(crate) const SECOND: u8 = 8;
/// The node has a name of its own.
const NAMED: u8 = 16;
/// The place of the call lies before the header.
const PLACED: u8 = 32;
/// Somebody wants to know when one reference is left.
const WATCHED: u8 = 64;

/// The most edges of a node. More are put into groups.
pub(crate) const MOST_EDGES: usize = 128;

/// A future of an asynchronous node. It writes the value itself.
pub(crate) type NodeFuture = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// What came of calling a node's function.
pub(crate) enum Outcome {
    /// The value is in the payload.
    Done,
    /// The payload is empty.
    Failed(Error),
    /// The first edge is a new input, and the function wants to be called again.
    Again,
    /// The value comes later.
    Future(NodeFuture),
}

/// How the engine treats a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// A function that returns its value.
    Sync,
    /// A function whose value comes later: a future, or a function on the blocking pool.
    Later,
    /// Edges of a node that has too many for itself; it has no value.
    Group,
    /// The end of a graph: it tells who wished for it.
    Sink,
}

/// What differs between nodes of different functions and types.
pub(crate) struct Vtable {
    pub(crate) task: &'static Task,
    pub(crate) kind: Kind,
    /// The number of edges of each parameter; `None` where it differs from call to call.
    pub(crate) shape: &'static [Option<usize>],
    /// Runs although inputs failed.
    pub(crate) tolerant: bool,
    /// Looks at an input only when the one before it is done.
    pub(crate) ordered: bool,
    /// Calls the function. The node is claimed, its inputs are done; both payload and edges are
    /// used up, also when this unwinds.
    pub(crate) run: unsafe fn(Node) -> Outcome,
    /// Drops the payload of a node that has not run.
    pub(crate) drop_call: unsafe fn(Node),
    /// Drops the payload of a node that is done, if that does something.
    pub(crate) drop_value: Option<unsafe fn(Node)>,
    /// Size and alignment of the payload, whichever it holds.
    pub(crate) size: usize,
    pub(crate) align: usize,
}

/// The payload's size for a call `F` and a value `R`.
pub(crate) const fn payload_size<F, R>() -> usize {
    let (f, r) = (size_of::<F>(), size_of::<R>());
    let larger = if f > r { f } else { r };
    if larger > size_of::<Error>() { larger } else { size_of::<Error>() }
}

/// The payload's alignment for a call `F` and a value `R`.
pub(crate) const fn payload_align<F, R>() -> usize {
    let (f, r) = (align_of::<F>(), align_of::<R>());
    let larger = if f > r { f } else { r };
    if larger > chunk::ALIGN { larger } else { chunk::ALIGN }
}

#[repr(C)]
struct Header {
    vtable: &'static Vtable,
    word: AtomicPtr<Header>,
    /// The claimer's: its parent frame, the next waiter, or the next of a list to free.
    next: *mut Header,
    /// The claimer's: an `Arc<Demand>` while the claim lies in a queue or a list.
    demand: *const (),
    /// Handles and edges.
    references: AtomicU32,
    /// Written once, when the node is made.
    edges: u8,
    /// The claimer's: the input it looks at, and the first one that it has offered to others.
    at: u8,
    end: u8,
    /// Written by the claimer, and by `set_name`.
    flags: AtomicU8,
}

const EDGE: usize = size_of::<*mut Header>();

const fn align_up(n: usize, align: usize) -> usize {
    (n + align - 1) & !(align - 1)
}

/// A pointer to a node. It owns nothing: see [`NodeRef`].
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Node(NonNull<Header>);

// SAFETY: a node is touched by the rules above, which synchronise; payloads are `Send + Sync`.
unsafe impl Send for Node {}
// SAFETY: as above.
unsafe impl Sync for Node {}

/// A state and the first waiter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word(*mut Header);

impl Word {
    fn new(state: usize) -> Self {
        Word(ptr::without_provenance_mut(state))
    }

    #[inline(always)]
    pub(crate) fn state(self) -> usize {
        self.0.addr() & STATE
    }

    #[inline(always)]
    pub(crate) fn waiters(self) -> Waiters {
        Waiters(self.0.map_addr(|address| address & !STATE))
    }
}

/// Claimed nodes linked by `next`, taken out of a word.
pub(crate) struct Waiters(*mut Header);

impl Iterator for Waiters {
    type Item = Node;

    fn next(&mut self) -> Option<Node> {
        let first = Node(NonNull::new(self.0)?);
        // SAFETY: taking the list took the claims of its nodes.
        self.0 = unsafe { (*first.0.as_ptr()).next };
        Some(first)
    }
}

impl Waiters {
    pub(crate) fn none() -> Self {
        Waiters(ptr::null_mut())
    }

    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_null()
    }
}

// Fields that anybody with a reference may read.
impl Node {
    #[inline(always)]
    fn header(self) -> *mut Header {
        self.0.as_ptr()
    }

    #[inline(always)]
    pub(crate) fn vtable(self) -> &'static Vtable {
        // SAFETY: written before the node was shared, never after.
        unsafe { (*self.header()).vtable }
    }

    #[inline(always)]
    pub(crate) fn edges(self) -> usize {
        // SAFETY: as for `vtable`.
        usize::from(unsafe { (*self.header()).edges })
    }

    #[inline(always)]
    fn atomic_word(&self) -> &AtomicPtr<Header> {
        // SAFETY: the node is live while it is reachable or claimed; the field is atomic.
        unsafe { &(*self.header()).word }
    }

    #[inline(always)]
    fn references(&self) -> &AtomicU32 {
        // SAFETY: as for `atomic_word`.
        unsafe { &(*self.header()).references }
    }

    #[inline(always)]
    fn flags(&self) -> &AtomicU8 {
        // SAFETY: as for `atomic_word`.
        unsafe { &(*self.header()).flags }
    }

    #[inline(always)]
    pub(crate) fn word(self, order: Ordering) -> Word {
        Word(self.atomic_word().load(order))
    }

    pub(crate) fn address(self) -> usize {
        self.header().addr()
    }

    /// A number that no other node of this process has had.
    pub(crate) fn id(self) -> u64 {
        let (block, size, align) = self.block();
        // SAFETY: the block is live as the node is.
        unsafe { chunk::serial(block, chunk::is_large(size, align)) }
    }

    pub(crate) fn place(self) -> Place {
        let task = self.vtable().task;
        if self.flags().load(Ordering::Relaxed) & PLACED == 0 {
            return Place { file: task.file, line: task.line, column: task.column };
        }
        // SAFETY: the flag says that the place lies before the header.
        Place::from(unsafe { *self.0.cast::<&'static std::panic::Location<'static>>().sub(1).as_ptr() })
    }

    pub(crate) fn info(self) -> NodeInfo {
        let named = self.flags().load(Ordering::Relaxed) & NAMED != 0;
        let given = named.then(|| name::get(self.address())).flatten();
        let name = given.map_or(Name::OfFunction(self.vtable().task.name), Name::Given);
        NodeInfo { name, id: self.id(), place: self.place() }
    }

    pub(crate) fn is_running(self) -> bool {
        self.flags().load(Ordering::Relaxed) & RUNNING != 0
    }

    /// Calls `watcher` when one reference is left, until `watch::remove`. False if the node has a
    /// watcher already.
    pub(crate) fn watch(self, watcher: std::sync::Arc<dyn Fn() + Send + Sync>) -> bool {
        let is_new = watch::add(self.address(), watcher);
        if is_new {
            self.flags().fetch_or(WATCHED, Ordering::Relaxed);
        }
        is_new
    }

    /// Gives the node a name of its own.
    pub(crate) fn set_name(self, name: &str) {
        name::set(self.address(), name);
        self.flags().fetch_or(NAMED, Ordering::Relaxed);
    }
}

// Making and freeing.
impl Node {
    /// A node with a state, one reference, and neither edges nor payload written.
    #[inline(always)]
    pub(crate) fn allocate(
        vtable: &'static Vtable,
        edges: usize,
        state: usize,
        place: Option<&'static std::panic::Location<'static>>,
    ) -> Node {
        let before = if place.is_some() { EDGE } else { 0 };
        let (size, align) = layout(vtable, edges, before);
        let block = chunk::allocate(size, align);
        // SAFETY: the block has room for the place, the header, the edges and the payload.
        unsafe {
            let header = block.add(padding(before, align)).cast::<Header>();
            if let Some(place) = place {
                header.cast::<&'static std::panic::Location<'static>>().sub(1).write(place);
            }
            header.write(Header {
                vtable,
                word: AtomicPtr::new(Word::new(state).0),
                next: ptr::null_mut(),
                demand: ptr::null(),
                references: AtomicU32::new(1),
                edges: edges as u8,
                at: 0,
                end: 0,
                flags: AtomicU8::new(if before == 0 { 0 } else { PLACED }),
            });
            Node(header)
        }
    }

    fn block(self) -> (NonNull<u8>, usize, usize) {
        let placed = self.flags().load(Ordering::Relaxed) & PLACED != 0;
        let before = if placed { EDGE } else { 0 };
        let (size, align) = layout(self.vtable(), self.edges(), before);
        // SAFETY: the header was put there by `allocate`.
        (unsafe { self.0.cast::<u8>().sub(padding(before, align)) }, size, align)
    }

    /// Frees the node's memory.
    ///
    /// # Safety
    ///
    /// Nobody else can reach the node; payload and edges hold nothing.
    #[inline(always)]
    pub(crate) unsafe fn deallocate(self) {
        if self.flags().load(Ordering::Relaxed) & NAMED != 0 {
            name::remove(self.address());
        }
        let (block, size, align) = self.block();
        // SAFETY: the caller's promise; the layout is the one of `allocate`.
        unsafe { chunk::free(block, size, align) }
    }

    #[inline(always)]
    fn slot<T>(self) -> NonNull<T> {
        let offset = align_up(size_of::<Header>() + self.edges() * EDGE, align_of::<T>());
        // SAFETY: the payload has room for a `T` at its own alignment.
        unsafe { self.0.cast::<u8>().add(offset).cast() }
    }

    #[inline(always)]
    fn edge_slot(self, index: usize) -> NonNull<Node> {
        debug_assert!(index < self.edges());
        // SAFETY: the edges follow the header.
        unsafe { self.0.add(1).cast::<Node>().add(index) }
    }

    /// # Safety
    ///
    /// The payload is empty, and the caller made or claimed the node.
    #[inline(always)]
    pub(crate) unsafe fn write<T>(self, payload: T) {
        // SAFETY: the caller's promise.
        unsafe { self.slot().write(payload) }
    }

    /// # Safety
    ///
    /// The payload is a `T`, which nobody reads afterwards.
    #[inline(always)]
    pub(crate) unsafe fn read<T>(self) -> T {
        // SAFETY: the caller's promise.
        unsafe { self.slot().read() }
    }

    /// # Safety
    ///
    /// The payload is a `T`, and stays so for the lifetime of the reference.
    #[inline(always)]
    pub(crate) unsafe fn peek<'a, T>(self) -> &'a T {
        // SAFETY: the caller's promise.
        unsafe { self.slot().as_ref() }
    }

    /// The error of a failed or cancelled input.
    pub(crate) fn error(self) -> Error {
        if self.word(Ordering::Acquire).state() == FAILED {
            // SAFETY: a failed node's payload is its error as long as the node lives.
            return unsafe { self.peek::<Error>() }.clone();
        }
        Error::new(self.info(), Cause::Cancelled)
    }
}

const fn padding(before: usize, align: usize) -> usize {
    align_up(before, if align > chunk::ALIGN { align } else { chunk::ALIGN })
}

#[inline(always)]
const fn layout(vtable: &Vtable, edges: usize, before: usize) -> (usize, usize) {
    let align = vtable.align;
    let payload = align_up(size_of::<Header>() + edges * EDGE, align);
    (align_up(padding(before, align) + payload + vtable.size, chunk::ALIGN), align)
}

// What only the claimer may do (or who made the node, before it shared it).
impl Node {
    /// # Safety
    ///
    /// The edge is written, and the caller has the node's claim or its only reference.
    #[inline(always)]
    pub(crate) unsafe fn edge(self, index: usize) -> Node {
        // SAFETY: the caller's promise.
        unsafe { self.edge_slot(index).read() }
    }

    /// # Safety
    ///
    /// The caller made or claimed the node; what the edge held is given up.
    #[inline(always)]
    pub(crate) unsafe fn set_edge(self, index: usize, input: NodeRef) {
        // SAFETY: the caller's promise.
        unsafe { self.edge_slot(index).write(input.into_raw()) }
    }

    /// # Safety
    ///
    /// The caller has the node's claim, and the edge holds a reference that nobody uses afterwards.
    #[inline(always)]
    pub(crate) unsafe fn take_edge(self, index: usize) -> NodeRef {
        // SAFETY: the caller's promise.
        NodeRef(unsafe { self.edge(index) })
    }

    /// # Safety
    ///
    /// As for [`take_edge`](Node::take_edge), for each edge from `from` on.
    pub(crate) unsafe fn release_edges(self, from: usize) {
        for index in from..self.edges() {
            // SAFETY: the caller's promise.
            drop(unsafe { self.take_edge(index) });
        }
    }

    /// Makes the node a frame of a walk.
    ///
    /// # Safety
    ///
    /// The caller has the node's claim.
    #[inline(always)]
    pub(crate) unsafe fn begin(self, parent: Option<Node>) {
        // SAFETY: the caller's promise.
        unsafe {
            let header = self.header();
            (*header).next = parent.map_or(ptr::null_mut(), |p| p.header());
            (*header).at = 0;
            (*header).end = if self.vtable().ordered { 1 } else { (*header).edges };
        }
    }

    /// # Safety
    ///
    /// The caller has the node's claim.
    #[inline(always)]
    pub(crate) unsafe fn parent(self) -> Option<Node> {
        // SAFETY: the caller's promise.
        NonNull::new(unsafe { (*self.header()).next }).map(Node)
    }

    /// # Safety
    ///
    /// The caller has the node's claim.
    #[inline(always)]
    pub(crate) unsafe fn at(self) -> usize {
        // SAFETY: the caller's promise.
        usize::from(unsafe { (*self.header()).at })
    }

    /// # Safety
    ///
    /// The caller has the node's claim.
    #[inline(always)]
    pub(crate) unsafe fn set_at(self, at: usize) {
        // SAFETY: the caller's promise.
        unsafe { (*self.header()).at = at as u8 }
    }

    /// The last input that has not been offered and lies behind the one looked at, if any.
    ///
    /// # Safety
    ///
    /// The caller has the node's claim.
    pub(crate) unsafe fn take_offer(self) -> Option<Node> {
        // SAFETY: the caller's promise.
        unsafe {
            let header = self.header();
            if (*header).end <= (*header).at.saturating_add(1) {
                return None;
            }
            (*header).end -= 1;
            Some(self.edge(usize::from((*header).end)))
        }
    }

    #[inline(always)]
    pub(crate) fn has(self, flag: u8) -> bool {
        self.flags().load(Ordering::Relaxed) & flag != 0
    }

    /// Sets flags of the claim; `EXCLUSIVE`, `BLOCKED`, … are the claimer's alone.
    #[inline(always)]
    pub(crate) fn mark(self, set: u8, clear: u8) {
        if clear & OF_CLAIM == clear && self.has(EXCLUSIVE) {
            // Nobody else can reach the node, so nobody names it meanwhile.
            let flags = self.flags().load(Ordering::Relaxed);
            self.flags().store(flags & !clear | set, Ordering::Relaxed);
        } else {
            if clear != 0 {
                self.flags().fetch_and(!clear, Ordering::Relaxed);
            }
            if set != 0 {
                self.flags().fetch_or(set, Ordering::Relaxed);
            }
        }
    }

    /// Leaves an `Arc<Demand>` with a claim that goes into a queue or a list.
    ///
    /// # Safety
    ///
    /// The caller has the node's claim.
    pub(crate) unsafe fn set_demand(self, demand: *const ()) {
        // SAFETY: the caller's promise.
        unsafe { (*self.header()).demand = demand }
    }

    /// # Safety
    ///
    /// The caller has the node's claim, which came from a queue or a list.
    pub(crate) unsafe fn demand(self) -> *const () {
        // SAFETY: the caller's promise.
        unsafe { (*self.header()).demand }
    }
}

/// What one sees of an input.
pub(crate) enum Seen {
    Done,
    Failed,
    /// It was lazy, and the caller has claimed it.
    Claimed,
    /// Somebody else has claimed it.
    Busy,
}

// Changes of state.
impl Node {
    /// Looks at an input and claims it if it is lazy.
    #[inline(always)]
    pub(crate) fn look(self) -> Seen {
        loop {
            let word = self.word(Ordering::Acquire);
            match word.state() {
                DONE => return Seen::Done,
                LAZY => {
                    if self.is_unique() {
                        // Unique first, state second: whoever had another reference may have
                        // finished the node and given the reference back since `word` was read.
                        if self.word(Ordering::Relaxed) == word {
                            self.atomic_word().store(Word::new(CLAIMED).0, Ordering::Relaxed);
                            let flags = self.flags().load(Ordering::Relaxed) & !OF_CLAIM;
                            self.flags().store(flags | EXCLUSIVE, Ordering::Relaxed);
                            return Seen::Claimed;
                        }
                    } else if self.claim() {
                        return Seen::Claimed;
                    }
                }
                CLAIMED | ORPHANED => return Seen::Busy,
                LOCKED => std::thread::yield_now(),
                _ => return Seen::Failed,
            }
        }
    }

    /// Claims a lazy node.
    #[inline(always)]
    pub(crate) fn claim(self) -> bool {
        // Acquire pairs with the release of whoever withdrew an earlier claim.
        let claimed = self.exchange(Word::new(LAZY), Word::new(CLAIMED), Ordering::Acquire).is_ok();
        if claimed && self.has(OF_CLAIM) {
            self.mark(0, OF_CLAIM);
        }
        claimed
    }

    #[inline(always)]
    fn exchange(self, from: Word, to: Word, success: Ordering) -> Result<(), Word> {
        match self.atomic_word().compare_exchange(from.0, to.0, success, Ordering::Acquire) {
            Ok(_) => Ok(()),
            Err(now) => Err(Word(now)),
        }
    }

    /// Tries to become a waiter of `input`, which was seen claimed with `word`.
    ///
    /// # Safety
    ///
    /// The caller has this node's claim, and loses it when this succeeds.
    pub(crate) unsafe fn wait_for(self, input: Node, word: Word) -> Result<(), Word> {
        // SAFETY: the caller's promise.
        unsafe { (*self.header()).next = word.waiters().0 };
        let with_self = Word(self.header().map_addr(|address| address | CLAIMED));
        // Release gives the claim to whoever takes the list.
        input.exchange(word, with_self, Ordering::AcqRel)
    }

    /// Puts the parent back after a failed [`wait_for`](Node::wait_for).
    ///
    /// # Safety
    ///
    /// The caller has the node's claim.
    pub(crate) unsafe fn set_parent(self, parent: Option<Node>) {
        // SAFETY: the caller's promise.
        unsafe { (*self.header()).next = parent.map_or(ptr::null_mut(), |p| p.header()) }
    }

    /// Publishes a node that nobody else can reach.
    #[inline(always)]
    pub(crate) fn publish_exclusive(self, state: usize) {
        self.atomic_word().store(Word::new(state).0, Ordering::Release);
    }

    /// Gives up the claim: `DONE` with a value or `FAILED` with an error in the payload, `LAZY`
    /// with payload and edges as they were. Returns who waited. The node must not be touched
    /// afterwards.
    ///
    /// # Safety
    ///
    /// The caller has the node's claim, and the payload is what `state` says.
    pub(crate) unsafe fn publish(self, mut state: usize) -> Waiters {
        let mut word = self.word(Ordering::Relaxed);
        loop {
            match word.state() {
                ORPHANED => {
                    fence(Ordering::Acquire);
                    // SAFETY: an orphan belongs to its claimer.
                    unsafe { free(self, state) };
                    return Waiters::none();
                }
                CANCELLED if state != FAILED => {
                    // SAFETY: the caller's promise.
                    unsafe {
                        self.drop_payload(state);
                        self.write(Error::new(self.info(), Cause::Cancelled));
                    }
                    state = FAILED;
                }
                _ => {}
            }
            // Release: what was written is visible to whoever sees the state. Acquire: the waiters.
            match self.exchange(word, Word::new(state), Ordering::AcqRel) {
                Ok(()) => return word.waiters(),
                Err(now) => word = now,
            }
        }
    }

    /// Takes the waiters of a claimed node, which stays claimed.
    pub(crate) fn take_waiters(self) -> Waiters {
        let mut word = self.word(Ordering::Relaxed);
        loop {
            if word.state() != CLAIMED {
                return Waiters::none();
            }
            match self.exchange(word, Word::new(CLAIMED), Ordering::AcqRel) {
                Ok(()) => return word.waiters(),
                Err(now) => word = now,
            }
        }
    }

    /// Marks a claimed node as cancelled and returns who waited for it. `Err` with what it is if
    /// it is not claimed.
    pub(crate) fn mark_cancelled(self) -> Result<Waiters, usize> {
        let mut word = self.word(Ordering::Relaxed);
        loop {
            if word.state() != CLAIMED {
                return Err(word.state());
            }
            match self.exchange(word, Word::new(CANCELLED), Ordering::AcqRel) {
                Ok(()) => return Ok(word.waiters()),
                Err(now) => word = now,
            }
        }
    }

    /// The inputs of a lazy node, or nothing if the node is not lazy.
    pub(crate) fn inputs(self) -> Vec<NodeRef> {
        let inputs = |node: Node| {
            // SAFETY: while the node is locked its edges hold references.
            (0..node.edges()).map(|index| unsafe { node.edge(index).acquire() }).collect()
        };
        self.lock(inputs).unwrap_or_default()
    }

    /// Runs `look` on a lazy node while nobody can claim it. `None` if the node is not lazy.
    fn lock<R>(self, look: impl FnOnce(Node) -> R) -> Option<R> {
        struct Unlock(Node);
        impl Drop for Unlock {
            fn drop(&mut self) {
                self.0.atomic_word().store(Word::new(LAZY).0, Ordering::Release);
            }
        }
        loop {
            match self.exchange(Word::new(LAZY), Word::new(LOCKED), Ordering::Acquire) {
                Ok(()) => {
                    let unlock = Unlock(self);
                    return Some(look(unlock.0));
                }
                Err(now) if now.state() == LOCKED => std::thread::yield_now(),
                Err(_) => return None,
            }
        }
    }

    /// Empties the payload, and the edges of a node that has not run. Panics of the values' own
    /// `Drop` end here: the value is gone, and nobody is left to tell.
    ///
    /// # Safety
    ///
    /// The caller has the node's claim or its last reference; `state` says what the payload is.
    pub(crate) unsafe fn drop_payload(self, state: usize) {
        let vtable = self.vtable();
        let drop_payload = |drop_fn: unsafe fn(Node)| {
            // SAFETY: the caller's promise; the payload is not looked at again if this unwinds.
            let _ = catch_unwind(AssertUnwindSafe(|| unsafe { drop_fn(self) }));
        };
        match state {
            DONE => {
                if let Some(drop_value) = vtable.drop_value {
                    drop_payload(drop_value);
                }
            }
            // SAFETY: the caller's promise.
            FAILED => drop(unsafe { self.read::<Error>() }),
            _ => {
                drop_payload(vtable.drop_call);
                // SAFETY: the node has not run, so its edges are whole.
                unsafe { self.release_edges(0) };
            }
        }
    }
}

thread_local! {
    /// Nodes that wait to be freed by the outermost `free` on this thread, linked by `next`;
    /// `None` when there is none.
    static TO_FREE: Cell<Option<*mut Header>> = const { Cell::new(None) };
}

/// Frees a node, and what only it referred to, without recursion.
///
/// # Safety
///
/// Nobody else can reach the node; `state` says what its payload is.
unsafe fn free(node: Node, state: usize) {
    if state == DONE && node.vtable().drop_value.is_none() {
        // SAFETY: the caller's promise; the payload needs no drop, the edges are used up.
        return unsafe { node.deallocate() };
    }
    // The state goes into the word, because a node may have to wait for its turn.
    node.atomic_word().store(Word::new(state).0, Ordering::Relaxed);
    let link = |rest| {
        // SAFETY: the caller's promise.
        unsafe { (*node.header()).next = rest }
    };
    match TO_FREE.try_with(|list| {
        list.get().inspect(|&rest| {
            link(rest);
            list.set(Some(node.header()));
        })
    }) {
        Ok(Some(_)) => return,
        Ok(None) => {}
        // The thread is ending: what hangs on this node is freed by recursion, if at all.
        Err(_) => {
            // SAFETY: the caller's promise.
            return unsafe { empty_and_deallocate(node) };
        }
    }
    link(ptr::null_mut());
    let mut next = NonNull::new(node.header());
    while let Some(header) = next {
        let node = Node(header);
        // SAFETY: nodes in the list belong to the list.
        unsafe {
            TO_FREE.set(Some((*node.header()).next));
            empty_and_deallocate(node);
        }
        next = NonNull::new(TO_FREE.get().unwrap_or(ptr::null_mut()));
    }
    TO_FREE.set(None);
}

/// # Safety
///
/// Nobody else can reach the node; its word says what its payload is.
unsafe fn empty_and_deallocate(node: Node) {
    // SAFETY: the caller's promise.
    unsafe {
        node.drop_payload(node.word(Ordering::Relaxed).state());
        node.deallocate();
    }
}

/// A counted reference to a node.
pub(crate) struct NodeRef(Node);

impl NodeRef {
    /// Takes over one reference.
    ///
    /// # Safety
    ///
    /// The caller has a reference, and gives it up.
    #[inline(always)]
    pub(crate) unsafe fn from_raw(node: Node) -> Self {
        NodeRef(node)
    }

    #[inline(always)]
    pub(crate) fn into_raw(self) -> Node {
        ManuallyDrop::new(self).0
    }

    #[inline(always)]
    pub(crate) fn node(&self) -> Node {
        self.0
    }

    /// The value, moved out if this is the last reference and cloned if not.
    ///
    /// # Safety
    ///
    /// The node is done and its value is a `T`.
    #[inline(always)]
    pub(crate) unsafe fn take<T: Clone>(self) -> T {
        // SAFETY: the caller's promise.
        unsafe {
            if self.0.is_unique() {
                return self.take_unique();
            }
            self.0.peek::<T>().clone()
        }
    }

    /// The value, moved out.
    ///
    /// # Safety
    ///
    /// The node is done, its value is a `T`, and this is the last reference.
    #[inline(always)]
    pub(crate) unsafe fn take_unique<T>(self) -> T {
        let node = self.into_raw();
        // SAFETY: the caller's promise.
        unsafe {
            let value = node.read();
            node.deallocate();
            value
        }
    }
}

impl Node {
    /// Whether there is one reference. The Acquire pairs with the release of those given back.
    #[inline(always)]
    pub(crate) fn is_unique(self) -> bool {
        self.references().load(Ordering::Acquire) == 1
    }

    pub(crate) fn count(self) -> u32 {
        self.references().load(Ordering::Acquire)
    }

    /// A new reference.
    ///
    /// # Safety
    ///
    /// The caller knows of a reference that lives as long as this call.
    #[inline(always)]
    pub(crate) unsafe fn acquire(self) -> NodeRef {
        // Relaxed as in `Arc`: a new reference is made from one that is already there.
        if self.references().fetch_add(1, Ordering::Relaxed) > u32::MAX / 2 {
            std::process::abort();
        }
        NodeRef(self)
    }
}

impl Clone for NodeRef {
    #[inline(always)]
    fn clone(&self) -> Self {
        // SAFETY: `self` is a reference.
        unsafe { self.0.acquire() }
    }
}

impl Drop for NodeRef {
    #[inline(always)]
    fn drop(&mut self) {
        let references = self.0.references();
        // With one reference there is nobody to race with.
        if references.load(Ordering::Acquire) == 1 {
            return release_last(self.0);
        }
        let (watched, address) = (self.0.has(WATCHED), self.0.address());
        // Release gives what was done through this reference to whoever frees the node.
        match references.fetch_sub(1, Ordering::Release) {
            1 => {
                fence(Ordering::Acquire);
                release_last(self.0);
            }
            // From here the node may be gone.
            2 if watched => watch::one_is_left(address),
            _ => {}
        }
    }
}

#[inline(never)]
fn release_last(node: Node) {
    loop {
        let word = node.word(Ordering::Acquire);
        match word.state() {
            CLAIMED | CANCELLED => {
                let orphan = || node.exchange(word, Word::new(ORPHANED), Ordering::AcqRel).is_ok();
                // The future of a node that runs later is not wanted any more.
                let orphaned = if node.vtable().kind == Kind::Later {
                    abort::after(node.address(), orphan)
                } else {
                    orphan()
                };
                if orphaned {
                    return;
                }
            }
            // SAFETY: the last reference is gone and nobody has a claim.
            state => return unsafe { free(node, state) },
        }
    }
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Node({:#x})", self.address())
    }
}

impl std::fmt::Debug for NodeRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&self.0, f)
    }
}

/// Reads a claimed node's edges one after the other. What is left is released when it is dropped,
/// so a function that unwinds leaks none.
#[derive(Debug)]
pub(crate) struct Inputs {
    node: Node,
    at: usize,
}

impl Inputs {
    /// # Safety
    ///
    /// The caller has the node's claim, its inputs are done, and nobody else uses its edges.
    #[inline(always)]
    pub(crate) unsafe fn new(node: Node) -> Self {
        Inputs { node, at: 0 }
    }

    #[inline(always)]
    pub(crate) fn next(&mut self) -> NodeRef {
        let at = self.at;
        self.at += 1;
        // SAFETY: each edge is taken once, by the promise of `new`.
        unsafe { self.node.take_edge(at) }
    }

    /// The node whose inputs these are.
    pub(crate) fn consumer(&self) -> Node {
        self.node
    }

    /// The input that `next` takes after `skip` others.
    pub(crate) fn ahead(&self, skip: usize) -> Node {
        // SAFETY: as in `next`.
        unsafe { self.node.edge(self.at + skip) }
    }
}

impl Drop for Inputs {
    #[inline(always)]
    fn drop(&mut self) {
        if self.at < self.node.edges() {
            // SAFETY: these edges were not taken.
            unsafe { self.node.release_edges(self.at) };
        }
    }
}

/// Many inputs in one edge.
///
/// A group's edges stay with it when it is done; `at` then says which of them have been taken.
pub(crate) mod group {
    use super::*;

    static TASK: Task = Task::builtin("group", &[]);
    static ALL_DONE: Vtable = vtable(false);
    static ALL_ENDED: Vtable = vtable(true);

    const fn vtable(tolerant: bool) -> Vtable {
        Vtable {
            task: &TASK,
            kind: Kind::Group,
            shape: &[None],
            tolerant,
            ordered: false,
            run,
            drop_call: |_| {},
            drop_value: Some(drop_value),
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
}
