//! Threads write: each to its own rings.
//!
//! A thread begins with a small ring and takes a larger one when it has been round, so that only threads
//! that run much have much memory. What few nodes have, names of their own and messages of errors, lies in a
//! list beside the rings, the latest of which are kept.
//!
//! The clock is read where a function begins and ends. When a node is made, the time is that of the thread's
//! latest event or of the latest look of a reader; when one is freed, it is that of the thread's next event.
//! So causes come before effects, and a short function is not disturbed by more than two readings.

use super::ring::{Ring, Slot};
use super::slot::{Data, Kind};
use crate::clock::{self, Clock};
use crate::sync::unmodelled::{Mutex, MutexGuard};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

/// A thread's rings, in slots of 32 bytes.
const CAPACITIES: [usize; 3] = [1 << 10, 1 << 14, 1 << 18];
/// The latest rings without a thread that are kept, for readers that have not come to them.
const ENDED: usize = 64;
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
    pub(super) number: u32,
    /// The thread has ended, or has a larger ring. Written by it, once.
    pub(super) ended: AtomicBool,
}

pub(super) struct Threads {
    pub(super) all: Vec<Arc<Thread>>,
    pub(super) texts: Texts,
}

pub(super) struct Texts {
    latest: VecDeque<Arc<str>>,
    /// How many came before the first.
    before: usize,
}

impl Texts {
    pub(super) fn get(&self, number: usize) -> Option<Arc<str>> {
        self.latest.get(number.checked_sub(self.before + 1)?).cloned()
    }
}

pub(super) fn threads() -> MutexGuard<'static, Threads> {
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
pub(crate) struct Writer {
    thread: Arc<Thread>,
    /// The slots that are written to this ring, and which of the sizes it has.
    written: u64,
    size: usize,
    /// Whether the clock is the processor's counter.
    counts: bool,
    /// What the clock said last, and how many nodes may still be made with it.
    latest: u64,
    made: u32,
}

impl Writer {
    fn open() -> Writer {
        static NUMBERS: AtomicU32 = AtomicU32::new(1);
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let thread = begin(number, CAPACITIES[0]);
        Writer { thread, written: 0, size: 0, counts: CLOCK.counts(), latest: 0, made: 0 }
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
        self.push(Slot::new(kind, time, id, client, data));
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
        // A reader counts the oldest slot of a full ring as lost: the next may be being written in its place.
        if self.written + 1 == CAPACITIES[self.size] as u64 && self.size + 1 < CAPACITIES.len() {
            self.grow();
        }
    }

    #[cold]
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
    static OWN: RefCell<Writer> = RefCell::new(Writer::open());
}

/// Lets this thread write. On a thread that is ending nothing is written. `f` calls nothing that might write.
#[inline]
pub(crate) fn write(f: impl FnOnce(&mut Writer)) {
    let _ = OWN.try_with(|own| f(&mut own.borrow_mut()));
}

/// What it costs to write an event: a reading of the clock, and what else there is to do.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    pub(crate) reading: Duration,
    pub(crate) writing: Duration,
}

impl Cost {
    /// Writes events that nobody reads: the best of some rounds, because others may have the core meanwhile.
    pub(crate) fn measure() -> Cost {
        const EVENTS: u32 = 1 << 10;
        let ring = Ring::new(EVENTS as usize);
        let best = |event: &dyn Fn()| {
            let round = || {
                let begin = Instant::now();
                (0..EVENTS).for_each(|_| event());
                begin.elapsed() / EVENTS
            };
            (0..8).map(|_| round()).min().unwrap_or_default()
        };
        let reading = best(&|| {
            std::hint::black_box(CLOCK.now());
        });
        let writing = best(&|| ring.write(0, Slot::new(Kind::Finished, 0, 1, 0, Data::Nothing)));
        Cost { reading, writing }
    }
}
