//! The ring of one thread: it writes and never waits, any number of others read what is still there.
//!
//! `head` counts the slots that are written; slot `n` lies at `n % capacity`. The writer announces nothing
//! before it overwrites a slot, because slot `head` is the only one that it may be writing. A reader copies
//! slots and then looks at `head` again: what the writer has come to meanwhile is not counted as read. Words
//! are atomics, so that a torn slot is a wrong number and no undefined behaviour, and it is thrown away.

use crate::sync::atomic::{AtomicPtr, AtomicU64, Ordering, fence};
use std::ptr;

/// One event: two numbers, and two pointers to what lives as long as the process, or numbers as such.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Slot {
    pub(crate) numbers: [u64; 2],
    pub(crate) pointers: [*mut (); 2],
}

// SAFETY: the pointers are to what never ends and never changes, or to nothing.
unsafe impl Send for Slot {}
// SAFETY: as above.
unsafe impl Sync for Slot {}

#[derive(Debug)]
struct Cells {
    numbers: [AtomicU64; 2],
    pointers: [AtomicPtr<()>; 2],
}

#[derive(Debug)]
pub(crate) struct Ring {
    /// The owner's.
    head: AtomicU64,
    /// The owner's; readers look twice.
    cells: Box<[Cells]>,
}

impl Ring {
    /// `capacity` is a power of two.
    pub(crate) fn new(capacity: usize) -> Ring {
        let cell = |_| Cells {
            numbers: [AtomicU64::new(0), AtomicU64::new(0)],
            pointers: [AtomicPtr::new(ptr::null_mut()), AtomicPtr::new(ptr::null_mut())],
        };
        Ring { head: AtomicU64::new(0), cells: (0..capacity).map(cell).collect() }
    }

    fn cell(&self, number: u64) -> &Cells {
        &self.cells[number as usize & (self.cells.len() - 1)]
    }

    /// Writes slot number `head`, which is the one after the last. For the owner alone, who counts them.
    #[inline(always)]
    pub(crate) fn write(&self, head: u64, slot: Slot) {
        // A reader that sees a word of this slot sees `head` too, after its own fence.
        fence(Ordering::Release);
        let cell = self.cell(head);
        for at in 0..2 {
            cell.numbers[at].store(slot.numbers[at], Ordering::Relaxed);
            cell.pointers[at].store(slot.pointers[at], Ordering::Relaxed);
        }
        // Pairs with the Acquire of readers.
        self.head.store(head + 1, Ordering::Release);
    }

    pub(crate) fn capacity(&self) -> usize {
        self.cells.len()
    }

    /// How many slots were written so far.
    pub(crate) fn written(&self) -> u64 {
        self.head.load(Ordering::Acquire)
    }

    /// Appends the slots from number `from` on that are there; gives how many are lost, and the number
    /// to go on from.
    pub(crate) fn read(&self, from: u64, into: &mut Vec<Slot>) -> (u64, u64) {
        let capacity = self.cells.len() as u64;
        let head = self.written();
        let first = from.max(head.saturating_sub(capacity));
        let start = into.len();
        into.extend((first..head).map(|number| {
            let cell = self.cell(number);
            Slot {
                numbers: [0, 1].map(|at| cell.numbers[at].load(Ordering::Relaxed)),
                pointers: [0, 1].map(|at| cell.pointers[at].load(Ordering::Relaxed)),
            }
        }));
        // Pairs with the fence of `write`.
        fence(Ordering::Acquire);
        let now = self.head.load(Ordering::Relaxed);
        let whole = first.max((now + 1).saturating_sub(capacity)).min(head);
        into.drain(start..start + (whole - first) as usize);
        (whole - from, head)
    }
}

#[cfg(all(test, loom))]
mod models {
    use super::*;
    use crate::sync::thread;
    use std::sync::Arc;

    fn slot(number: u64) -> Slot {
        let pointer = ptr::without_provenance_mut(number as usize);
        Slot { numbers: [number; 2], pointers: [pointer; 2] }
    }

    /// A reader beside a writer that goes round gets whole slots in their order, and all are read or lost.
    #[test]
    fn a_reader_meets_a_writer() {
        let mut builder = loom::model::Builder::new();
        builder.preemption_bound = Some(3);
        builder.check(|| {
            let ring = Arc::new(Ring::new(2));
            let writer = {
                let ring = ring.clone();
                thread::spawn(move || (0..4).for_each(|number| ring.write(number, slot(number))))
            };
            let mut slots = Vec::new();
            let (lost, next) = ring.read(0, &mut slots);
            writer.join().unwrap();
            let (more, end) = ring.read(next, &mut slots);
            assert_eq!(end, 4);
            assert_eq!(lost + more + slots.len() as u64, 4);
            assert!(slots.iter().all(|read| *read == slot(read.numbers[0])));
            assert!(slots.is_sorted_by(|a, b| a.numbers[0] < b.numbers[0]));
        });
    }
}
