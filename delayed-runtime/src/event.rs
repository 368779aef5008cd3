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
use ring::Slot;
use slot::Kind;
use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
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
}

impl Batch {
    /// The nodes that have started or ended, in their order.
    pub(crate) fn steps(&self) -> impl Iterator<Item = (u64, Step)> {
        self.slots.iter().filter_map(|slot| {
            let step = match slot.kind() {
                Kind::Started | Kind::StartedBlocking | Kind::StartedAsync => Step::Started,
                Kind::Finished => Step::Finished,
                Kind::Failed => Step::Failed,
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

/// Reads what happens to nodes: made by [`Client::events`](crate::Client::events) and [`events`].
///
/// What happened before it was made is not told. A reader that looks too seldom loses the oldest events,
/// which [`lost`](Events::lost) counts; a thread keeps those of its latest 4 ms at
/// least, unless these are more than 262,144, some 50,000 nodes.
#[derive(Debug)]
pub struct Events {
    /// Of one client, or of all for zero.
    client: u16,
    /// The rings that it has come to, and the next slot of each.
    places: Vec<(Arc<Thread>, u64)>,
    /// By the threads' numbers, because a thread may have one ring after the other.
    lasts: HashMap<u32, Last>,
    lost: u64,
    /// What was counted before this reader.
    before: Counts,
    /// How full the fullest ring was at the last look, in hundredths.
    fullest: u64,
}

/// Reads what happens to the nodes of all clients.
pub fn events() -> Events {
    Events::new(0)
}

impl Events {
    pub(crate) fn new(client: u16) -> Events {
        LazyLock::force(&CLOCK);
        READERS.fetch_add(1, Ordering::Relaxed);
        let threads = threads();
        let places = threads.all.iter().map(|thread| (thread.clone(), thread.ring.written())).collect();
        let before = threads.counts();
        drop(threads);
        Events { client, places, lasts: HashMap::new(), lost: 0, before, fullest: 0 }
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

    /// What happened since this reader was made, to the nodes of all clients. No event is too many to be counted.
    pub fn counts(&self) -> Counts {
        threads().counts().since(self.before)
    }

    /// How full the fullest ring was at the last look, in hundredths: above 100 events are lost.
    pub(crate) fn fullest(&self) -> u64 {
        self.fullest
    }

    /// The slots since the last call.
    pub(crate) fn take(&mut self) -> Vec<Batch> {
        for thread in &threads().all {
            if !self.places.iter().any(|(known, _)| Arc::ptr_eq(known, thread)) {
                self.places.push((thread.clone(), 0));
            }
        }
        LOOKED.store(CLOCK.now(), Ordering::Relaxed);
        let mut batches = Vec::new();
        self.fullest = 0;
        self.places.retain_mut(|(thread, next)| {
            // Read before the ring, so that nothing is written to it afterwards.
            let ended = thread.ended.load(Ordering::Acquire);
            let mut slots = Vec::new();
            let (lost, end) = thread.ring.read(*next, &mut slots);
            self.lost += lost;
            if !ended {
                self.fullest = self.fullest.max(100 * (end - *next) / thread.ring.capacity() as u64);
            }
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
                last.time = slots.iter().rev().find_map(time_of).unwrap_or(time);
                let (until, texts) = (CLOCK.now(), texts_of(&slots));
                batches.push(Batch { thread: thread.number, time, until, texts, slots });
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
        for slot in slots {
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
                Kind::Named => unreachable!("left out above"),
            };
            events.push(Event { time: CLOCK.time(time), thread, node, what });
        }
    }
    events.sort_by_key(|event| event.time);
    events
}
