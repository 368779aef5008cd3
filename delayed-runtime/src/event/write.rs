//! Threads write: each to its own rings.
//!
//! A thread begins with a small ring and takes a larger one when it goes round too soon, so that only threads
//! that run many short functions have much memory. What few nodes have, names of their own and messages of
//! errors, lies in a list beside the rings, the latest of which are kept.
//!
//! The clock is read where a function begins and ends. When a node is made, the time is that of the thread's
//! latest event or of the latest look of a reader; when one is freed, it is that of the thread's next event.
//! So causes come before effects, and a short function is not disturbed by more than two readings.

use super::is_on;
use super::ring::{Ring, Slot};
use super::slot::{Data, Input, Kind};
use crate::clock::{self, Clock};
use crate::sync::unmodelled::{Mutex, MutexGuard};
use crate::task::Task;
use std::cell::RefCell;
use std::collections::VecDeque;
use std::panic::Location;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::Duration;

/// A thread's rings, in slots of 32 bytes. The smaller ones stay in the caches of a core.
const CAPACITIES: [usize; 4] = [1 << 10, 1 << 14, 1 << 16, 1 << 18];
/// A thread that goes round in less than this takes a larger ring: readers may look more seldom.
const SOON: Duration = Duration::from_millis(4);
/// The slots of rings without a thread that are kept, for readers that have not come to them: 64 MiB.
const ENDED: usize = 1 << 21;
/// The longest text that is kept, in characters.
const TEXT: usize = 1000;
/// The latest texts that are kept.
const TEXTS: usize = 1 << 14;
/// Nodes that are made one after the other with one reading of the clock.
const MADE: u32 = 64;

pub(super) static CLOCK: LazyLock<Clock> = LazyLock::new(Clock::begin);
/// What the clock said when a reader looked last. A hint.
pub(super) static LOOKED: AtomicU64 = AtomicU64::new(0);

/// A ring and whose it is.
#[derive(Debug)]
pub(super) struct Thread {
    pub(super) ring: Ring,
    pub(super) counts: Counters,
    pub(super) number: u32,
    /// The thread has ended, or has a larger ring. Written by it, once, under the list's lock.
    pub(super) ended: AtomicBool,
    /// The ring is in the list no more. Written once, under the list's lock.
    pub(super) gone: AtomicBool,
}

impl Thread {
    /// `ended`: it is never in the list.
    fn new(number: u32, capacity: usize, ended: bool) -> Arc<Thread> {
        Arc::new(Thread {
            ring: Ring::new(capacity),
            counts: Counters::default(),
            number,
            ended: AtomicBool::new(ended),
            gone: AtomicBool::new(ended),
        })
    }
}

/// How many events of each kind there were. Written by their thread.
#[derive(Debug, Default)]
pub(super) struct Counters([AtomicU64; COUNTED]);

/// Of the kinds, those that are counted.
const COUNTED: usize = 5;

impl Counters {
    #[inline(always)]
    fn count(&self, kind: Kind) {
        let at = match kind {
            Kind::Built => 0,
            Kind::Started | Kind::StartedWith | Kind::StartedBlocking | Kind::StartedAsync => 1,
            Kind::Finished => 2,
            Kind::Failed => 3,
            Kind::Released => 4,
            Kind::Demanded | Kind::Needs | Kind::Named => return,
        };
        self.0[at].store(self.0[at].load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }
}

/// How many nodes were made, and so on, while somebody looked.
///
/// Each event is counted, also those that a slow reader loses. A node that began before is counted from there
/// on; one that is cancelled as it ends may count as finished and failed; `flatten` and `after` start twice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Counts {
    /// Nodes that were made.
    pub built: u64,
    /// Functions that were called.
    pub started: u64,
    /// Nodes that have got their value.
    pub finished: u64,
    /// Nodes that have failed, started or not.
    pub failed: u64,
    /// Nodes that nobody can reach any more.
    pub released: u64,
}

impl Counts {
    fn add(&mut self, counters: &Counters) {
        let [built, started, finished, failed, released] = &counters.0;
        let add = |sum: &mut u64, counter: &AtomicU64| *sum += counter.load(Ordering::Relaxed);
        add(&mut self.built, built);
        add(&mut self.started, started);
        add(&mut self.finished, finished);
        add(&mut self.failed, failed);
        add(&mut self.released, released);
    }

    pub(super) fn since(self, before: Counts) -> Counts {
        Counts {
            built: self.built - before.built,
            started: self.started - before.started,
            finished: self.finished - before.finished,
            failed: self.failed - before.failed,
            released: self.released - before.released,
        }
    }
}

pub(super) struct Threads {
    pub(super) all: Vec<Arc<Thread>>,
    /// Of rings that are in the list no more: what was counted, and how many slots were written.
    gone: Counts,
    pub(super) gone_slots: u64,
    pub(super) texts: Texts,
}

pub(super) struct Texts {
    latest: VecDeque<Arc<str>>,
    /// How many came before the first.
    before: usize,
}

impl Threads {
    /// Lets go of the oldest rings without a thread, until those left have no more slots than [`ENDED`]: of all of
    /// them if nobody looks.
    fn forget(&mut self) {
        let most = if is_on() { ENDED } else { 0 };
        let ended = |thread: &Arc<Thread>| thread.ended.load(Ordering::Relaxed);
        let slots = |thread: &Arc<Thread>| thread.ring.capacity();
        let mut kept: usize = self.all.iter().filter(|thread| ended(thread)).map(slots).sum();
        let Threads { all, gone, gone_slots, .. } = self;
        all.retain(|thread| {
            let goes = kept > most && ended(thread);
            if goes {
                kept -= slots(thread);
                gone.add(&thread.counts);
                *gone_slots += thread.ring.written();
                thread.gone.store(true, Ordering::Relaxed);
            }
            !goes
        });
    }

    /// Nobody looks any more.
    pub(super) fn forget_all(&mut self) {
        self.forget();
        self.texts.before += std::mem::take(&mut self.texts.latest).len();
    }

    pub(super) fn counts(&self) -> Counts {
        let mut counts = self.gone;
        self.all.iter().for_each(|thread| counts.add(&thread.counts));
        counts
    }
}

impl Texts {
    pub(super) fn get(&self, number: usize) -> Option<Arc<str>> {
        self.latest.get(number.checked_sub(self.before + 1)?).cloned()
    }
}

pub(super) fn threads() -> MutexGuard<'static, Threads> {
    static ALL: Mutex<Threads> = Mutex::new(Threads {
        all: Vec::new(),
        gone: Counts { built: 0, started: 0, finished: 0, failed: 0, released: 0 },
        gone_slots: 0,
        texts: Texts { latest: VecDeque::new(), before: 0 },
    });
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
    let end = text.char_indices().nth(TEXT).map_or(text.len(), |(end, _)| end);
    texts.latest.push_back(text[..end].into());
    texts.before + texts.latest.len()
}

/// What a thread writes with.
pub(crate) struct Writer {
    thread: Arc<Thread>,
    /// The slots that are written to this ring, and which of the sizes it has.
    written: u64,
    size: usize,
    /// Whether the clock is the processor's counter.
    counts: bool,
    /// When it was last at the end of the ring.
    began: u64,
    /// What the clock said last, and how many nodes may still be made with it.
    latest: u64,
    made: u32,
}

impl Writer {
    fn open() -> Writer {
        static NUMBERS: AtomicU32 = AtomicU32::new(1);
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        Writer::on(begin(number, CAPACITIES[0]), 0)
    }

    /// Writes to a ring, from its first slot on.
    fn on(thread: Arc<Thread>, size: usize) -> Writer {
        Writer { thread, written: 0, size, counts: CLOCK.counts(), began: 0, latest: 0, made: 0 }
    }

    fn now(&mut self) -> u64 {
        self.latest = if self.counts { clock::ticks() } else { CLOCK.now() };
        self.latest
    }

    /// A moment that has passed, not long ago.
    fn lately(&mut self) -> u64 {
        match self.made.checked_sub(1) {
            Some(left) => {
                self.made = left;
                self.latest = self.latest.max(LOOKED.load(Ordering::Relaxed));
            }
            None => {
                self.made = MADE;
                self.now();
            }
        }
        self.latest
    }

    /// Writes an event that happens now, or that has no time of its own.
    #[inline(always)]
    pub(crate) fn write(&mut self, kind: Kind, id: u64, client: u16, data: Data) {
        let time = match kind {
            Kind::Built => self.lately(),
            Kind::Released | Kind::Named => 0,
            _ => self.now(),
        };
        self.write_at(time, kind, id, client, data);
    }

    #[inline(always)]
    fn write_at(&mut self, time: u64, kind: Kind, id: u64, client: u16, data: Data) {
        self.thread.counts.count(kind);
        self.push(Slot::new(kind, time, id, client, data));
    }

    /// Writes that a node starts, and, if a slot has room for both, its first input; gives whether it has.
    /// `now`: the processor's counter, if it was just read.
    #[inline(always)]
    pub(crate) fn write_start(
        &mut self,
        kind: Kind,
        now: Option<u64>,
        (id, client): (u64, u16),
        (task, place): (&'static Task, Option<&'static Location<'static>>),
        first: Option<Input>,
    ) -> bool {
        let time = match now {
            Some(now) if self.counts => {
                self.latest = now;
                now
            }
            _ => self.now(),
        };
        if kind == Kind::Started
            && place.is_none()
            && let Some(slot) = first.and_then(|first| Slot::started_with(time, id, client, task, first))
        {
            self.thread.counts.count(Kind::StartedWith);
            self.push(slot);
            return true;
        }
        self.write_at(time, kind, id, client, Data::Task(task, place));
        false
    }

    /// Writes that a node needs another.
    #[inline(always)]
    pub(crate) fn write_input(&mut self, input: u64, id: u64, client: u16, data: Data) {
        self.push(Slot::new(Kind::Needs, input, id, client, data));
    }

    #[inline(always)]
    fn push(&mut self, slot: Slot) {
        self.thread.ring.write(self.written, slot);
        self.written += 1;
        // One before the end: a reader counts the oldest slot of a full ring as lost, because the next may be
        // being written in its place. A mask and no division, because capacities are powers of two.
        if (self.written + 1) & (CAPACITIES[self.size] as u64 - 1) == 0 {
            self.went_round();
        }
    }

    #[cold]
    #[inline(never)]
    fn went_round(&mut self) {
        let now = self.now();
        let began = std::mem::replace(&mut self.began, now);
        let took = CLOCK.time(now).saturating_sub(CLOCK.time(began));
        if self.size + 1 < CAPACITIES.len() && (self.size == 0 || took < SOON) {
            self.grow();
        }
    }

    fn grow(&mut self) {
        self.size += 1;
        self.written = 0;
        let larger = begin(self.thread.number, CAPACITIES[self.size]);
        let full = std::mem::replace(&mut self.thread, larger);
        end(&full);
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        end(&self.thread);
    }
}

fn begin(number: u32, capacity: usize) -> Arc<Thread> {
    let thread = Thread::new(number, capacity, false);
    threads().all.push(thread.clone());
    thread
}

fn end(thread: &Thread) {
    let mut threads = threads();
    thread.ended.store(true, Ordering::Relaxed);
    threads.forget();
}

thread_local! {
    static OWN: RefCell<Writer> = RefCell::new(Writer::open());
}

/// Lets this thread write. On a thread that is ending nothing is written. `f` calls nothing that might write.
#[inline(always)]
pub(crate) fn write(f: impl FnOnce(&mut Writer)) {
    let _ = OWN.try_with(|own| f(&mut own.borrow_mut()));
}

/// What `f` writes on this thread, which no reader is told: the latest of it, if it is much.
pub(super) fn unseen(f: impl FnOnce()) -> Vec<Slot> {
    let thread = Thread::new(0, CAPACITIES[1], true);
    // The largest size, so that the ring is not replaced when it is full.
    let writer = Writer::on(thread.clone(), CAPACITIES.len() - 1);
    let mut slots = Vec::new();
    if let Ok(real) = OWN.try_with(|own| own.replace(writer)) {
        f();
        let _ = OWN.try_with(|own| own.replace(real));
        thread.ring.read(0, &mut slots);
    }
    slots
}
