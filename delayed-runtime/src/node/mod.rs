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
//! LAZY <─> LOCKED                         for some instructions, to look at edges
//! DONE ──> MOVED                          the value was moved out although a persisted node's wish
//!                                         still has its reference; it never looks at the value
//! ```
//!
//! Who moves the word from `LAZY` to `CLAIMED` is the claimer. It alone may touch `next`,
//! `demand`, `at`, `flags`, the edges and the payload until it publishes. A claim can be handed on
//! through a queue or a list of waiters, which synchronise.
//!
//! # References
//!
//! Handles and edges count, claims do not. So a node with one reference that is an edge can be
//! reached only through its consumer: whoever has claimed the consumer may use plain stores on it
//! and may move its value out. The last reference frees the node, unless it is claimed: then the
//! word says `ORPHANED` and its claimer frees it.

mod claim;
pub(crate) mod group;
mod inputs;
mod observed;
mod order;
mod reference;
mod state;

pub(crate) use inputs::Inputs;
pub(crate) use reference::NodeRef;
pub(crate) use state::{Seen, Waiters, Word};

use crate::chunk;
use crate::error::{Cause, Error, Name, NodeInfo};
use crate::event;
use crate::given::{self, Given};
use crate::sync::atomic::{AtomicPtr, AtomicU8, AtomicU32, Ordering};
use crate::sync::{Field, Track};
use crate::task::{Place, Task};
use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::ptr::{self, NonNull};
#[cfg(feature = "tracing")]
use std::sync::Arc;
use std::time::Duration;

pub(crate) const LAZY: usize = 0;
pub(crate) const CLAIMED: usize = 1;
pub(crate) const DONE: usize = 2;
pub(crate) const FAILED: usize = 3;
pub(crate) const LOCKED: usize = 4;
pub(crate) const CANCELLED: usize = 5;
const MOVED: usize = 6;
pub(crate) const ORPHANED: usize = 7;
const STATE: usize = 7;

/// A claimer's flag: claimed with plain stores, because only the claimer can reach the node.
pub(crate) const EXCLUSIVE: u8 = 1;
/// A claimer's flag: an input is in the hands of another claimer, or is left to others.
pub(crate) const BLOCKED: u8 = 2;
/// A claimer's flag: the function is running; for [`Node::is_running`] only.
pub(crate) const RUNNING: u8 = 4;
/// A claimer's flag that the next claimer finds again: the function has run once and asked for one
/// more input.
pub(crate) const SECOND: u8 = 8;
/// A claimer's flag: whoever walks on from here begins with the last input.
pub(crate) const BACKWARD: u8 = 16;
/// A claimer's flag: the node is a frame whose inputs others may claim.
pub(crate) const OFFERED: u8 = 32;
/// A claimer's flag: the node waits in a list.
pub(crate) const PARKED: u8 = 64;
/// Together, claimer's flags: the node is the newest frame of a walk that lies in a queue.
const PAUSED: u8 = BLOCKED | PARKED;
/// A claimer's flag: the order of the node's inputs is the other way round.
const FLIPPED: u8 = 128;

/// A mark of the node: something was given to it alone.
const GIVEN: u8 = 1;
/// A mark of the node: the place of the call lies before the header.
const PLACED: u8 = 2;
/// A mark of the node: its block is a large one, or somebody was told of it.
const SPECIAL: u8 = 4;
/// What freeing a node has to look at.
const OF_BLOCK: u8 = GIVEN | PLACED | SPECIAL;
/// A mark of the node: it is better to look at its last input first if nobody else needs its inputs.
const MAY_FLIP: u8 = 8;
/// The marks that are a number: how many values the node's graph holds at once.
const HOLDS: u8 = 0xF0;
const HOLDS_ONE: u8 = 0x10;
/// The most edges of a node. More are put into groups.
pub(crate) const MOST_EDGES: usize = 128;

/// Ids have 48 bits, which keys show and events have room for.
const IDS: u64 = (1 << 48) - 1;
/// A payload and edges that make a small block, if any does.
const FEW_BYTES: usize = 256;
const FEW_EDGES: usize = 32;
const FEW_ARE_SMALL: bool =
    !chunk::is_large(size_of::<Header>() + FEW_EDGES * EDGE + FEW_BYTES, chunk::ALIGN);

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
    /// The value comes later. Boxed once more, so that an outcome is returned in registers.
    Future(Box<NodeFuture>),
}

/// How the engine treats a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// A function that returns its value.
    Sync,
    /// The same, on the blocking pool.
    Blocking,
    /// A function that returns a future of its value.
    Future,
    /// Edges of a node that has too many for itself; it has no value.
    Group,
    /// The end of a graph: it tells who wished for it.
    Sink,
}

impl Kind {
    /// Whether all nodes of this kind run apart from the loops.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) const fn is_apart(self) -> bool {
        matches!(self, Kind::Blocking | Kind::Future)
    }
}

/// What differs between nodes of different functions and types.
pub(crate) struct Vtable {
    pub(crate) task: &'static Task,
    /// [`Task::number`].
    pub(crate) number: u32,
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
    /// The size of the value of a node that is done, in bytes, with what is known of the memory behind it.
    pub(crate) measure: unsafe fn(Node) -> usize,
    /// Size and alignment of the payload, whichever it holds.
    pub(crate) size: usize,
    pub(crate) align: usize,
}

impl Vtable {
    /// The parameter of each of a node's edges, then nothing.
    pub(crate) fn params(&self, edges: usize) -> impl Iterator<Item = Option<&'static &'static str>> {
        let fixed: usize = self.shape.iter().map(|edges| edges.unwrap_or(1)).sum();
        let mut first_open = true;
        let shape = self.shape.iter().enumerate().flat_map(move |(index, edges_of_it)| {
            let count = match edges_of_it {
                Some(count) => *count,
                // Only the first such argument has more than one edge: see `Edges::push_many`.
                None if std::mem::take(&mut first_open) => (edges + 1).saturating_sub(fixed),
                None => 1,
            };
            std::iter::repeat_n(self.task.params.get(index), count)
        });
        shape.chain(std::iter::repeat(None))
    }
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
    next: Field<*mut Header>,
    /// The claimer's: an `Arc<Demand>` while the claim lies in a queue or a list.
    demand: Field<*const ()>,
    /// Handles and edges.
    references: AtomicU32,
    /// Written once, when the node is made.
    edges: u8,
    /// The claimer's: the input it looks at.
    at: Field<u8>,
    /// The claimer's flags, which others may read.
    flags: AtomicU8,
    /// Written when the node is made, and where something is given to it alone.
    marks: AtomicU8,
    /// Of the block, the edges and the payload.
    memory_track: Track,
    edges_track: Track,
    payload_track: Track,
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

// Fields that anybody with a reference may read.
impl Node {
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn pointer(self) -> *mut Header {
        self.0.as_ptr()
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn header(&self) -> &Header {
        // SAFETY: the node is live while it is reachable or claimed; what changes is a cell.
        let header = unsafe { self.0.as_ref() };
        header.memory_track.read();
        header
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn vtable(self) -> &'static Vtable {
        self.header().vtable
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn edges(self) -> usize {
        usize::from(self.header().edges)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn atomic_word(&self) -> &AtomicPtr<Header> {
        &self.header().word
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn references(&self) -> &AtomicU32 {
        &self.header().references
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn flags(&self) -> &AtomicU8 {
        &self.header().flags
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn marks(&self) -> &AtomicU8 {
        &self.header().marks
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn word(self, order: Ordering) -> Word {
        Word(self.atomic_word().load(order))
    }

    /// Asks for the header of a node that will be looked at soon.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn prefetch(self) {
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        // SAFETY: a hint to the processor, which touches nothing.
        unsafe {
            std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(self.pointer().cast());
        }
    }

    pub(crate) fn address(self) -> usize {
        self.pointer().addr()
    }

    /// A number that no other node of this process has had, as long as there were fewer than some 10^12.
    pub(crate) fn id(self) -> u64 {
        let placed = self.marks().load(Ordering::Relaxed) & PLACED != 0;
        let vtable = self.vtable();
        // Most nodes: known to be small without the exact layout.
        if FEW_ARE_SMALL
            && !placed
            && vtable.align <= chunk::ALIGN
            && vtable.size <= FEW_BYTES
            && self.edges() <= FEW_EDGES
        {
            // SAFETY: the block is live as the node is.
            return unsafe { chunk::serial(self.0.cast(), false) } & IDS;
        }
        let (block, size, align) = self.block();
        // SAFETY: the block is live as the node is.
        unsafe { chunk::serial(block, chunk::is_large(size, align)) & IDS }
    }

    pub(crate) fn place(self) -> Place {
        let task = self.vtable().task;
        match self.call_site() {
            Some(call) => Place::from(call),
            None => Place { file: task.file, line: task.line, column: task.column },
        }
    }

    /// Where an operation of this crate was called.
    pub(crate) fn call_site(self) -> Option<&'static Location<'static>> {
        let placed = self.marks().load(Ordering::Relaxed) & PLACED != 0;
        // SAFETY: the flag says that the place lies before the header.
        placed.then(|| unsafe { *self.0.cast::<&'static Location<'static>>().sub(1).as_ptr() })
    }

    pub(crate) fn info(self) -> NodeInfo {
        let given = self.given(|given| given.name.clone());
        let name = given.map_or(Name::OfFunction(self.vtable().task.name), Name::Given);
        NodeInfo { name, id: self.id(), place: self.place() }
    }

    pub(crate) fn is_running(self) -> bool {
        self.has(RUNNING)
    }

    /// Gives the node a name of its own.
    pub(crate) fn set_name(self, name: &str) {
        self.give(|given| given.name = Some(name.into()));
    }

    /// Gives the node a priority of its own.
    pub(crate) fn set_priority(self, priority: i32) {
        self.give(|given| given.priority = Some(priority));
        given::has_priority();
    }

    pub(crate) fn priority(self) -> i32 {
        self.given(|given| given.priority).unwrap_or(self.vtable().task.priority)
    }

    /// Gives the node a time limit of its own.
    pub(crate) fn set_timeout(self, timeout: Duration) {
        self.give(|given| given.timeout = Some(timeout));
    }

    /// How long the node may run.
    pub(crate) fn timeout(self) -> Option<Duration> {
        self.given(|given| given.timeout).or(self.vtable().task.timeout)
    }

    /// Says why the node is about to be cancelled. Whoever sees it cancelled sees this.
    pub(crate) fn set_timed_out(self, limit: Duration) {
        self.give(|given| given.timed_out = Some(limit));
    }

    /// Why the node is cancelled.
    pub(crate) fn cause_of_cancel(self) -> Cause {
        self.given(|given| given.timed_out).map_or(Cause::Cancelled, Cause::TimedOut)
    }

    #[cfg(feature = "tracing")]
    pub(crate) fn set_span(self, span: given::Span) {
        self.give(|given| given.span = Some(Arc::new(span)));
    }

    #[cfg(feature = "tracing")]
    pub(crate) fn span(self) -> Option<Arc<given::Span>> {
        self.given(|given| given.span.clone())
    }

    #[cfg(feature = "tracing")]
    pub(crate) fn take_span(self) -> Option<Arc<given::Span>> {
        self.given(|given| given.span.take())
    }

    /// Whether something was given to this node alone.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn is_given(self) -> bool {
        self.marks().load(Ordering::Relaxed) & GIVEN != 0
    }

    /// Whether the node leaves the loops when it is its turn.
    pub(crate) fn runs_apart(self) -> bool {
        self.vtable().kind.is_apart() || self.given(|given| given.timeout).is_some()
    }

    /// Whether the node may leave the loops at some time: when it runs, or to be tried again.
    pub(crate) fn may_run_apart(self) -> bool {
        self.vtable().task.retries > 0 || self.runs_apart()
    }

    fn give(self, what: impl FnOnce(&mut Given)) {
        given::give(self.address(), what);
        self.marks().fetch_or(GIVEN, Ordering::Relaxed);
    }

    fn given<R>(self, what: impl FnOnce(&mut Given) -> Option<R>) -> Option<R> {
        if self.is_given() { given::look(self.address(), what) } else { None }
    }
}

// Making and freeing.
impl Node {
    /// A node with a state, one reference, and neither edges nor payload written.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn allocate(
        vtable: &'static Vtable,
        edges: usize,
        state: usize,
        place: Option<&'static Location<'static>>,
    ) -> Node {
        let (before, placed) = if place.is_some() { (EDGE, PLACED) } else { (0, 0) };
        let (size, align) = layout(vtable, edges, before);
        let special = if chunk::is_large(size, align) { SPECIAL } else { 0 };
        let block = chunk::allocate(size, align);
        // SAFETY: the block has room for the place, the header, the edges and the payload.
        unsafe {
            let header = block.add(padding(before, align)).cast::<Header>();
            if let Some(place) = place {
                header.cast::<&'static Location<'static>>().sub(1).write(place);
            }
            header.write(Header {
                vtable,
                word: AtomicPtr::new(Word::new(state).0),
                next: Field::new(ptr::null_mut()),
                demand: Field::new(ptr::null()),
                references: AtomicU32::new(1),
                edges: edges as u8,
                at: Field::new(0),
                flags: AtomicU8::new(0),
                marks: AtomicU8::new(placed | special),
                memory_track: Track::new(),
                edges_track: Track::new(),
                payload_track: Track::new(),
            });
            Node(header)
        }
    }

    fn block(self) -> (NonNull<u8>, usize, usize) {
        let placed = self.marks().load(Ordering::Relaxed) & PLACED != 0;
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
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) unsafe fn deallocate(self) {
        if self.marks().load(Ordering::Relaxed) & OF_BLOCK == 0 {
            self.header().memory_track.end();
            // SAFETY: the caller's promise; without a mark the block is small and begins here.
            return unsafe { chunk::free_small(self.0.cast()) };
        }
        // SAFETY: the caller's promise.
        unsafe { self.deallocate_with_care() }
    }

    /// # Safety
    ///
    /// As for [`deallocate`](Node::deallocate).
    #[inline(never)]
    unsafe fn deallocate_with_care(self) {
        if event::is_on() && self.marks().load(Ordering::Relaxed) & SPECIAL != 0 {
            self.tell_released();
        }
        if self.marks().load(Ordering::Relaxed) & GIVEN != 0 {
            given::remove(self.address());
        }
        let (block, size, align) = self.block();
        self.header().memory_track.end();
        // SAFETY: the caller's promise; the layout is the one of `allocate`.
        unsafe { chunk::free(block, size, align) }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn slot<T>(self) -> NonNull<T> {
        let offset = align_up(size_of::<Header>() + self.edges() * EDGE, align_of::<T>());
        // SAFETY: the payload has room for a `T` at its own alignment.
        unsafe { self.0.cast::<u8>().add(offset).cast() }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn edge_slot(self, index: usize) -> NonNull<Node> {
        debug_assert!(index < self.edges());
        // SAFETY: the edges follow the header.
        unsafe { self.0.add(1).cast::<Node>().add(index) }
    }

    /// # Safety
    ///
    /// The payload is empty, and the caller made or claimed the node.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) unsafe fn write<T>(self, payload: T) {
        self.header().payload_track.write();
        // SAFETY: the caller's promise.
        unsafe { self.slot().write(payload) }
    }

    /// # Safety
    ///
    /// The payload is a `T`, which nobody reads afterwards.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) unsafe fn read<T>(self) -> T {
        self.header().payload_track.write();
        // SAFETY: the caller's promise.
        unsafe { self.slot().read() }
    }

    /// # Safety
    ///
    /// The payload is a `T`, and stays so for the lifetime of the reference.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) unsafe fn peek<'a, T>(self) -> &'a T {
        self.header().payload_track.read();
        // SAFETY: the caller's promise.
        unsafe { self.slot().as_ref() }
    }

    /// The error of a failed or cancelled input.
    pub(crate) fn error(self) -> Error {
        if self.word(Ordering::Acquire).state() == FAILED {
            // SAFETY: a failed node's payload is its error as long as the node lives.
            return unsafe { self.peek::<Error>() }.clone();
        }
        Error::new(self.info(), self.cause_of_cancel())
    }
}

const fn padding(before: usize, align: usize) -> usize {
    align_up(before, if align > chunk::ALIGN { align } else { chunk::ALIGN })
}

#[cfg_attr(not(debug_assertions), inline(always))]
const fn layout(vtable: &Vtable, edges: usize, before: usize) -> (usize, usize) {
    let align = vtable.align;
    let payload = align_up(size_of::<Header>() + edges * EDGE, align);
    (align_up(padding(before, align) + payload + vtable.size, chunk::ALIGN), align)
}

impl std::fmt::Debug for Node {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Node({:#x})", self.address())
    }
}
