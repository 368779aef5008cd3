//! What happens to nodes, when, and on which thread.
//!
//! While somebody looks, each thread writes to a ring of its own (`event/ring.rs`): it waits for nobody, and
//! overwrites what is oldest. Each reader has its own place in each ring, so readers do not know of each other,
//! and one that is slow loses events and counts them. While nobody looks, there is one branch.
//!
//! What few nodes have, names of their own and messages of errors, lies in a list beside the rings, the latest
//! of which are kept.

pub(crate) mod ring;
pub(crate) mod slot;

use crate::clock::Clock;
use crate::error::{Name, NodeInfo};
use crate::sync::unmodelled::{Mutex, MutexGuard};
use ring::{Ring, Slot};
use slot::{Data, Kind};
use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// A thread's rings, in slots: it begins with a small one, and takes the next when it has been round. A slot
/// is 32 bytes, so a thread that runs millions of nodes has 8 MiB.
const CAPACITIES: [usize; 3] = [1 << 10, 1 << 14, 1 << 18];
/// The latest rings without a thread that are kept, for readers that have not come to them.
const ENDED: usize = 64;
/// The latest texts that are kept.
const TEXTS: usize = 1 << 14;
/// Events that share a reading of the clock, of those whose time tells little.
const SHARED_TIME: u32 = 16;

/// Something that happened to a node.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Event {
    /// When, by a clock that began before the first reader of this process. For `Needs`, when its node
    /// started or failed.
    pub time: Duration,
    /// The thread on which it happened: a number from 1, of the threads that were looked at.
    pub thread: u32,
    /// A number of the node that no other of this process has had.
    pub node: u64,
    /// What happened.
    pub what: What,
}

/// What happened to a node: see [`Event`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum What {
    /// It was made. The time is that of an event shortly before.
    #[non_exhaustive]
    Built {
        /// The node, with the name of its function.
        node: NodeInfo,
    },
    /// A wish named it: `compute`, `persist` and the like.
    Demanded,
    /// Its function takes the value of another node. These follow `Started`, or `Failed` of a node that
    /// never started, in the order of the arguments.
    #[non_exhaustive]
    Needs {
        /// The number of the other node.
        input: u64,
        /// The other node's function; the place only if it has the attribute.
        from: NodeInfo,
        /// The parameter that takes it.
        param: &'static str,
    },
    /// Its function is called.
    #[non_exhaustive]
    Started {
        /// The node, with its own name if it has one.
        node: NodeInfo,
        /// How it runs.
        runs: Runs,
    },
    /// It has its value. An asynchronous one may say so on another thread than it started on.
    #[non_exhaustive]
    Finished {
        /// The size of the value: that of its type, and the memory behind it for `String` and
        /// for `Vec`s of numbers.
        bytes: u64,
    },
    /// It has an error. It has not started if an input failed, or if it was cancelled before.
    #[non_exhaustive]
    Failed {
        /// The error on one line, unless too many failed since.
        error: Option<Arc<str>>,
    },
    /// Nobody can reach it any more, and its memory is free. The time is that of an event shortly before.
    Released,
}

/// How a node runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Runs {
    /// On a thread of the engine, which does nothing else meanwhile.
    Here,
    /// On a thread of the blocking pool.
    Blocking,
    /// As a task of the runtime.
    Async,
}

/// Readers that there are.
static READERS: AtomicUsize = AtomicUsize::new(0);
static CLOCK: LazyLock<Clock> = LazyLock::new(Clock::begin);
static THREADS: AtomicU32 = AtomicU32::new(1);

/// Whether anybody looks.
#[inline(always)]
pub(crate) fn is_on() -> bool {
    !cfg!(all(test, loom)) && READERS.load(Ordering::Relaxed) != 0
}

/// A ring and whose it is.
#[derive(Debug)]
struct Thread {
    ring: Ring,
    number: u32,
    /// The thread has ended, or has a larger ring. Written by it, once.
    ended: AtomicBool,
}

#[derive(Default)]
struct Threads {
    all: Vec<Arc<Thread>>,
    texts: Texts,
}

#[derive(Default)]
struct Texts {
    latest: VecDeque<Arc<str>>,
    /// How many came before the first.
    before: usize,
}

impl Texts {
    fn get(&self, number: usize) -> Option<Arc<str>> {
        self.latest.get(number.checked_sub(self.before + 1)?).cloned()
    }
}

fn threads() -> MutexGuard<'static, Threads> {
    static ALL: Mutex<Threads> =
        Mutex::new(Threads { all: Vec::new(), texts: Texts { latest: VecDeque::new(), before: 0 } });
    ALL.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Keeps a text, and gives its number, from 1.
pub(crate) fn text(text: &str) -> usize {
    let mut threads = threads();
    let texts = &mut threads.texts;
    if texts.latest.len() == TEXTS {
        texts.latest.pop_front();
        texts.before += 1;
    }
    texts.latest.push_back(text.into());
    texts.before + texts.latest.len()
}

/// What a thread writes with.
struct Own {
    thread: RefCell<Arc<Thread>>,
    size: Cell<usize>,
    /// The latest reading of the clock, and how many more events may share it.
    latest: Cell<u64>,
    shared: Cell<u32>,
}

impl Own {
    fn open() -> Own {
        let number = THREADS.fetch_add(1, Ordering::Relaxed);
        Own {
            thread: RefCell::new(begin(number, CAPACITIES[0])),
            size: Cell::new(0),
            latest: Cell::new(CLOCK.now()),
            shared: Cell::new(SHARED_TIME),
        }
    }

    fn now(&self) -> u64 {
        let now = CLOCK.now();
        self.latest.set(now);
        self.shared.set(SHARED_TIME);
        now
    }

    fn about_now(&self) -> u64 {
        match self.shared.get().checked_sub(1) {
            Some(left) => {
                self.shared.set(left);
                self.latest.get()
            }
            None => self.now(),
        }
    }

    fn push(&self, slot: Slot) {
        let thread = self.thread.borrow();
        thread.ring.push(slot);
        if thread.ring.is_full() && self.size.get() + 1 < CAPACITIES.len() {
            drop(thread);
            self.grow();
        }
    }

    #[cold]
    fn grow(&self) {
        self.size.set(self.size.get() + 1);
        let number = self.thread.borrow().number;
        let old = self.thread.replace(begin(number, CAPACITIES[self.size.get()]));
        end(&old);
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        end(&self.thread.borrow());
    }
}

fn begin(number: u32, capacity: usize) -> Arc<Thread> {
    let thread = Arc::new(Thread { ring: Ring::new(capacity), number, ended: AtomicBool::new(false) });
    threads().all.push(thread.clone());
    thread
}

fn end(thread: &Thread) {
    thread.ended.store(true, Ordering::Release);
    let mut threads = threads();
    let ended = |thread: &Arc<Thread>| thread.ended.load(Ordering::Relaxed);
    let mut too_many = threads.all.iter().filter(|thread| ended(thread)).count().saturating_sub(ENDED);
    threads.all.retain(|thread| {
        let goes = too_many > 0 && ended(thread);
        too_many -= usize::from(goes);
        !goes
    });
}

thread_local! {
    static OWN: Own = Own::open();
}

/// When an event is said to have happened.
#[derive(Clone, Copy)]
pub(crate) enum When {
    Now,
    AboutNow,
    /// The slot's number is no time.
    Never(u64),
}

/// Writes an event of this thread. On a thread that is ending it is lost.
pub(crate) fn emit(kind: Kind, when: When, id: u64, client: u16, data: Data) {
    let _ = OWN.try_with(|own| {
        let number = match when {
            When::Now => own.now(),
            When::AboutNow => own.about_now(),
            When::Never(number) => number,
        };
        own.push(Slot::new(kind, number, id, client, data));
    });
}

/// What `f` writes on this thread, which no reader is told.
pub(crate) fn unseen(f: impl FnOnce()) -> Vec<Event> {
    let thread = Arc::new(Thread { ring: Ring::new(CAPACITIES[1]), number: 0, ended: AtomicBool::new(true) });
    LazyLock::force(&CLOCK);
    let written = OWN.try_with(|own| {
        let real = own.thread.replace(thread.clone());
        // The largest, so that it is not replaced when it is full.
        let size = own.size.replace(CAPACITIES.len());
        f();
        own.size.set(size);
        own.thread.replace(real);
    });
    let mut slots = Vec::new();
    if written.is_ok() {
        thread.ring.read(0, &mut slots);
    }
    decode(vec![Batch { thread: 0, time: 0, slots, texts: HashMap::new() }])
}

/// Slots of one thread, in the order in which it wrote them.
#[derive(Debug)]
pub(crate) struct Batch {
    thread: u32,
    /// The clock's number of the thread's latest event before these.
    time: u64,
    slots: Vec<Slot>,
    /// The texts that the slots name.
    texts: HashMap<usize, Arc<str>>,
}

impl Batch {
    /// How many slots there are.
    pub(crate) fn len(&self) -> usize {
        self.slots.len()
    }
}

/// What the next batch of a thread needs of the one before.
#[derive(Clone, Copy, Debug, Default)]
struct Last {
    time: u64,
    /// A name without its node.
    named: Option<Slot>,
}

/// Reads what happens to nodes: made by [`Client::events`](crate::Client::events) and [`events`].
///
/// What happened before it was made is not told. A reader that looks too seldom loses the oldest events,
/// which [`lost`](Events::lost) counts; a thread keeps the latest 262,144, which are some 50,000 nodes.
#[derive(Debug)]
pub struct Events {
    /// Of one client, or of all for zero.
    client: u16,
    /// The rings that it has come to, and the next slot of each.
    places: Vec<(Arc<Thread>, u64)>,
    /// By the threads' numbers, because a thread may have one ring after the other.
    lasts: HashMap<u32, Last>,
    lost: u64,
}

/// Reads what happens to the nodes of all clients.
pub fn events() -> Events {
    Events::new(0)
}

impl Events {
    pub(crate) fn new(client: u16) -> Events {
        LazyLock::force(&CLOCK);
        let places = threads().all.iter().map(|thread| (thread.clone(), thread.ring.written())).collect();
        READERS.fetch_add(1, Ordering::Relaxed);
        Events { client, places, lasts: HashMap::new(), lost: 0 }
    }

    /// What the reader's clock says: see [`Event::time`].
    pub fn now(&self) -> Duration {
        CLOCK.time(CLOCK.now())
    }

    /// The events since the last call, oldest first. Never blocks a thread that runs nodes.
    ///
    /// Nodes are made, released and often fail without a client, so a client's reader gets these events of all.
    pub fn read(&mut self) -> Vec<Event> {
        decode(self.take())
    }

    /// How many events were overwritten before they were read, so far.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// The slots since the last call.
    pub(crate) fn take(&mut self) -> Vec<Batch> {
        for thread in &threads().all {
            if !self.places.iter().any(|(known, _)| Arc::ptr_eq(known, thread)) {
                self.places.push((thread.clone(), 0));
            }
        }
        let mut batches = Vec::new();
        self.places.retain_mut(|(thread, next)| {
            // Read before the ring, so that nothing is written to it afterwards.
            let ended = thread.ended.load(Ordering::Acquire);
            let mut slots = Vec::new();
            let (lost, end) = thread.ring.read(*next, &mut slots);
            self.lost += lost;
            *next = end;
            if self.client != 0 {
                slots.retain(|slot| [0, self.client].contains(&slot.client()));
            }
            if !slots.is_empty() {
                let last = self.lasts.entry(thread.number).or_default();
                if let Some(named) = last.named {
                    slots.insert(0, named);
                }
                let time = last.time;
                last.named = slots.last().filter(|slot| slot.kind() == Kind::Named).copied();
                let timed = |slot: &&Slot| !matches!(slot.kind(), Kind::Needs | Kind::Named);
                last.time = slots.iter().rfind(timed).map_or(time, |slot| slot.numbers[0]);
                batches.push(Batch { thread: thread.number, time, texts: texts_of(&slots), slots });
            }
            // An ended ring stays known while it is in the list, or it would be read again.
            !ended || Arc::strong_count(thread) > 1
        });
        batches
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        READERS.fetch_sub(1, Ordering::Relaxed);
    }
}

fn texts_of(slots: &[Slot]) -> HashMap<usize, Arc<str>> {
    let mut named = slots.iter().filter(|slot| matches!(slot.kind(), Kind::Named | Kind::Failed)).peekable();
    if named.peek().is_none() {
        return HashMap::new();
    }
    let threads = threads();
    named.filter_map(|slot| Some((slot.number(), threads.texts.get(slot.number())?))).collect()
}

/// Events by time; those of one thread in their order.
pub(crate) fn decode(batches: Vec<Batch>) -> Vec<Event> {
    let mut events = Vec::with_capacity(batches.iter().map(|batch| batch.slots.len()).sum());
    for Batch { thread, time, slots, texts, .. } in batches {
        let mut time = CLOCK.time(time);
        let mut name: Option<(u64, Arc<str>)> = None;
        for slot in slots {
            let (node, kind) = (slot.id(), slot.kind());
            if kind == Kind::Named {
                name = texts.get(&slot.number()).map(|text| (node, text.clone()));
                continue;
            }
            if kind != Kind::Needs {
                time = CLOCK.time(slot.numbers[0]);
            }
            let info = |id| {
                let (function, place) = slot.function();
                let given = name.as_ref().filter(|(of, _)| *of == id).map(|(_, name)| name.clone());
                NodeInfo { name: given.map_or(Name::OfFunction(function), Name::Given), id, place }
            };
            let what = match kind {
                Kind::Built => What::Built { node: info(node) },
                Kind::Demanded => What::Demanded,
                Kind::Needs => {
                    let input = slot.numbers[0];
                    What::Needs { input, from: info(input), param: slot.param() }
                }
                Kind::Started => What::Started { node: info(node), runs: Runs::Here },
                Kind::StartedBlocking => What::Started { node: info(node), runs: Runs::Blocking },
                Kind::StartedAsync => What::Started { node: info(node), runs: Runs::Async },
                Kind::Finished => What::Finished { bytes: slot.number() as u64 },
                Kind::Failed => What::Failed { error: texts.get(&slot.number()).cloned() },
                Kind::Released => What::Released,
                Kind::Named => unreachable!("left out above"),
            };
            events.push(Event { time, thread, node, what });
        }
    }
    events.sort_by_key(|event| event.time);
    events
}
