//! What happens to nodes, when, and on which thread.
//!
//! While somebody looks, each thread writes to a ring of its own (`event/ring.rs`, `event/write.rs`): it waits
//! for nobody, and overwrites what is oldest. Each reader has its own place in each ring, so readers do not know
//! of each other, and one that is slow loses events and counts them. While nobody looks, there is one branch.

pub(crate) mod ring;
pub(crate) mod slot;
mod write;

pub use write::Counts;
pub(crate) use write::{Writer, text, write};

use crate::error::{Name, NodeInfo};
use crate::task::Task;
use ring::Slot;
use slot::{Data, Kind};
use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;
use write::{CLOCK, LOOKED, Thread, threads};

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
    /// It was made. The time is that of the thread's latest event, or a moment before.
    #[non_exhaustive]
    Built {
        /// The node, with the name of its function.
        node: NodeInfo,
    },
    /// A wish named it: `compute`, `persist` and the like.
    Demanded,
    /// Its function takes the value of another node. These follow `Started`, or `Failed` of a node that
    /// never started, in the order of the arguments; then some of more than 64 may be missing.
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
    /// It has its value. An asynchronous node may say so on another thread than it started on.
    #[non_exhaustive]
    Finished {
        /// The size of the value: that of its type, and the memory behind it for `String` and
        /// for `Vec`s of numbers.
        bytes: u64,
    },
    /// It has an error. It has not started if an input failed, or if it was cancelled before.
    #[non_exhaustive]
    Failed {
        /// The error on one line; `None` if 16,384 later errors and names have taken its place.
        error: Option<Arc<str>>,
    },
    /// Nobody can reach it any more, and its memory is free. The time is that of the thread's next event, or of
    /// the reader's look.
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
/// Whether anybody looks.
#[inline(always)]
pub(crate) fn is_on() -> bool {
    !cfg!(all(test, loom)) && READERS.load(Ordering::Relaxed) != 0
}

/// Numbers for nodes of graphs that are compiled into the binary, which no other node has: the first of so many.
pub(crate) fn numbers(count: u64) -> u64 {
    // Those of other nodes begin at zero, and have a bit more than is ever used.
    static NEXT: AtomicU64 = AtomicU64::new(1 << 47);
    NEXT.fetch_add(count, Ordering::Relaxed)
}

/// Tells of a node of such a graph, and what it needs when it starts.
pub(crate) fn tell_step(
    id: u64,
    client: u16,
    task: &'static Task,
    step: Step,
    inputs: impl Iterator<Item = (u64, &'static Task)>,
) {
    write(|own| match step {
        Step::Started => {
            own.write_start(Kind::Started, None, (id, client), (task, None), None);
            inputs.for_each(|(input, of)| own.write_input(input, id, client, Data::Input(of, None)));
        }
        Step::Finished => own.write(Kind::Finished, id, client, Data::Number(0)),
        Step::Failed => own.write(Kind::Failed, id, client, Data::Number(0)),
        Step::Released => own.write(Kind::Released, id, client, Data::Nothing),
    });
}

/// Slots of one thread, in the order in which it wrote them.
#[derive(Debug)]
pub(crate) struct Batch {
    thread: u32,
    /// The clock's numbers of the thread's latest event before these, and of when they were read.
    time: u64,
    until: u64,
    slots: Vec<Slot>,
    /// The texts that the slots name.
    texts: HashMap<usize, Arc<str>>,
}

/// What brings a node on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Started,
    Finished,
    Failed,
    Released,
}

impl Batch {
    /// The nodes that have come further, in the order of this thread.
    pub(crate) fn steps(&self) -> impl Iterator<Item = (u64, Step)> {
        self.slots.iter().filter_map(|slot| {
            let step = match slot.kind() {
                Kind::Started | Kind::StartedWith | Kind::StartedBlocking | Kind::StartedAsync => {
                    Step::Started
                }
                Kind::Finished => Step::Finished,
                Kind::Failed => Step::Failed,
                Kind::Released => Step::Released,
                _ => return None,
            };
            Some((slot.id(), step))
        })
    }

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

/// How far a reader has come in a ring.
#[derive(Debug)]
struct Place {
    thread: Arc<Thread>,
    next: u64,
    /// The ring is in the list no more: this look is the last.
    is_last: bool,
}

/// Reads what happens to nodes: made by [`Client::events`](crate::Client::events) and [`events`].
///
/// What happened before it was made is not told. Nobody is woken for an event: a reader looks every few
/// milliseconds. One that looks too seldom loses the oldest events, which [`lost`](Events::lost) counts; a
/// thread keeps those of its latest 4 ms at least, unless these are more than 262,144, some 50,000 nodes.
///
/// While there is a reader, each thread that makes, runs or frees nodes has 32 KiB for its events, and up to
/// 10 MiB if its functions are very short.
#[derive(Debug)]
pub struct Events {
    /// Of one client, or of all for zero.
    client: u16,
    /// The rings that it has come to.
    places: Vec<Place>,
    /// The slots of rings that had gone from the list, at the last look.
    gone_slots: u64,
    /// By the threads' numbers, because a thread may have one ring after the other.
    lasts: HashMap<u32, Last>,
    lost: u64,
    /// What was counted before this reader.
    before: Counts,
    /// How full the fullest ring was at the last look, in hundredths.
    fullest: u64,
}

/// Reads what happens to the nodes of all clients, from now on. The first reader of a process takes 5 ms, in which
/// it sets its clock.
///
/// ```
/// # use delayed_runtime as delayed;
/// # use delayed::What;
/// let mut events = delayed::events();
/// assert_eq!(delayed::call(|| 3, ()).wait()?, 3);
/// for event in events.read() {
///     if let What::Started { node, .. } = event.what {
///         println!("{:?}: {} starts on thread {}", event.time, node.name(), event.thread);
///     }
/// }
/// # Ok::<(), delayed::Error>(())
/// ```
pub fn events() -> Events {
    Events::new(0)
}

impl Events {
    pub(crate) fn new(client: u16) -> Events {
        LazyLock::force(&CLOCK);
        // Readers come and go under the lock: the last one clears the list, which is another's first if that comes
        // between.
        let threads = threads();
        READERS.fetch_add(1, Ordering::Relaxed);
        let place = |thread: &Arc<Thread>| Place {
            thread: thread.clone(),
            next: thread.ring.written(),
            is_last: false,
        };
        let places = threads.all.iter().map(place).collect();
        let (before, gone_slots) = (threads.counts(), threads.gone_slots);
        drop(threads);
        Events { client, places, gone_slots, lasts: HashMap::new(), lost: 0, before, fullest: 0 }
    }

    /// The reader only counts, and holds no ring.
    pub(crate) fn only_counts(mut self) -> Events {
        self.places = Vec::new();
        self
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

    /// How many events were overwritten before they were read, so far. A start may count as one with its first
    /// `Needs`.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// How much happened since this reader was made, to the nodes of all clients.
    pub fn counts(&self) -> Counts {
        threads().counts().since(self.before)
    }

    /// How full the fullest ring was at the last look, in hundredths: above 100 events are lost.
    pub(crate) fn fullest(&self) -> u64 {
        self.fullest
    }

    /// The slots since the last call.
    pub(crate) fn take(&mut self) -> Vec<Batch> {
        self.find_rings();
        LOOKED.store(CLOCK.now(), Ordering::Relaxed);
        let mut batches = Vec::new();
        self.fullest = 0;
        for Place { thread, next, .. } in &mut self.places {
            let mut slots = Vec::new();
            let (lost, end) = thread.ring.read(*next, &mut slots);
            self.lost += lost;
            if !thread.ended.load(Ordering::Relaxed) {
                self.fullest = self.fullest.max(100 * (end - *next) / thread.ring.capacity() as u64);
            }
            *next = end;
            if self.client != 0 {
                slots.retain(|slot| [0, self.client].contains(&slot.client()));
                slots.shrink_to_fit();
            }
            if !slots.is_empty() {
                let last = self.lasts.entry(thread.number).or_default();
                if let Some(named) = last.named {
                    slots.insert(0, named);
                }
                let time = last.time;
                last.named = slots.last().filter(|slot| slot.kind() == Kind::Named).copied();
                last.time = slots.iter().rev().find_map(time_of).unwrap_or(time);
                let (until, texts) = (CLOCK.now(), texts_of(&slots));
                batches.push(Batch { thread: thread.number, time, until, texts, slots });
            }
        }
        // A ring stays known while it is in the list, or it would be read again.
        self.places.retain(|place| !place.is_last);
        batches
    }

    /// Comes to rings that are new in the list; of those that came and went meanwhile all is lost.
    fn find_rings(&mut self) {
        let threads = threads();
        let mut gone = threads.gone_slots - std::mem::replace(&mut self.gone_slots, threads.gone_slots);
        for place in &mut self.places {
            place.is_last = place.thread.gone.load(Ordering::Relaxed);
            if place.is_last {
                gone -= place.thread.ring.written();
            }
        }
        self.lost += gone;
        for thread in &threads.all {
            if !self.places.iter().any(|place| Arc::ptr_eq(&place.thread, thread)) {
                self.places.push(Place { thread: thread.clone(), next: 0, is_last: false });
            }
        }
    }
}

impl Drop for Events {
    fn drop(&mut self) {
        let mut threads = threads();
        if READERS.fetch_sub(1, Ordering::Relaxed) == 1 {
            threads.forget_all();
        }
    }
}

/// What the clock said when the thread wrote the slot, where it was asked.
fn time_of(slot: &Slot) -> Option<u64> {
    let asked = !matches!(slot.kind(), Kind::Built | Kind::Needs | Kind::Named | Kind::Released);
    asked.then_some(slot.numbers[0])
}

/// What `f` writes on this thread, which no reader is told.
pub(crate) fn unseen(f: impl FnOnce()) -> Vec<Event> {
    let slots = write::unseen(f);
    decode(vec![Batch { thread: 0, time: 0, until: CLOCK.now(), slots, texts: HashMap::new() }])
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
    for Batch { thread, mut time, mut until, mut slots, texts } in batches {
        for slot in slots.iter_mut().rev() {
            until = time_of(slot).unwrap_or(until);
            if slot.kind() == Kind::Released {
                slot.numbers[0] = until;
            }
        }
        let mut name: Option<(u64, Arc<str>)> = None;
        for slot in slots.into_iter().flat_map(Slot::apart) {
            let (node, kind) = (slot.id(), slot.kind());
            if kind == Kind::Named {
                name = texts.get(&slot.number()).map(|text| (node, text.clone()));
                continue;
            }
            if kind != Kind::Needs {
                time = slot.numbers[0].max(time);
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
                Kind::Named | Kind::StartedWith => unreachable!("left out, or apart, above"),
            };
            events.push(Event { time: CLOCK.time(time), thread, node, what });
        }
    }
    events.sort_by_key(|event| event.time);
    events
}
