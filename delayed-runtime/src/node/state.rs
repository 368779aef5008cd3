//! Changes of state.

use super::reference::free;
use super::{
    CANCELLED, CLAIMED, DONE, EXCLUSIVE, FAILED, Header, LAZY, LOCKED, MOVED, Node, NodeRef, ORPHANED,
    SECOND, STATE,
};
use crate::error::Error;
use crate::panic;
use crate::sync::atomic::Ordering;
use crate::sync::thread;
use std::ptr::{self, NonNull};

/// A state and the first waiter.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Word(pub(super) *mut Header);

impl Word {
    pub(super) fn new(state: usize) -> Self {
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
        self.0 = unsafe { first.header().next.get() };
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

/// What one sees of an input.
pub(crate) enum Seen {
    Done,
    Failed,
    /// It was lazy, and the caller has claimed it.
    Claimed,
    /// Somebody else has claimed it.
    Busy,
}

impl Node {
    #[inline(always)]
    pub(crate) fn is_lazy(self) -> bool {
        self.word(Ordering::Relaxed).state() == LAZY
    }

    /// Looks at an input and claims it if it is lazy. `offered`: others may claim it too, although
    /// the consumer is the caller's.
    #[inline(always)]
    pub(crate) fn look(self, offered: bool) -> Seen {
        let word = self.word(Ordering::Acquire);
        if word == Word::new(DONE) {
            return Seen::Done;
        }
        // Unique first, state second: whoever had another reference may have finished the node and
        // given the reference back since `word` was read. Acquire, because a claim may have been
        // withdrawn meanwhile.
        if word == Word::new(LAZY) && !offered && self.is_unique() && self.word(Ordering::Acquire) == word {
            self.atomic_word().store(Word::new(CLAIMED).0, Ordering::Relaxed);
            self.begin_claim(EXCLUSIVE);
            return Seen::Claimed;
        }
        self.look_at_shared(word)
    }

    fn look_at_shared(self, mut word: Word) -> Seen {
        loop {
            match word.state() {
                LAZY if self.claim() => return Seen::Claimed,
                LAZY => {}
                DONE | MOVED => return Seen::Done,
                CLAIMED | ORPHANED => return Seen::Busy,
                LOCKED => thread::yield_now(),
                _ => return Seen::Failed,
            }
            word = self.word(Ordering::Acquire);
        }
    }

    /// Whether it has ended without a value.
    pub(crate) fn has_failed(self) -> bool {
        matches!(self.word(Ordering::Acquire).state(), FAILED | CANCELLED)
    }

    /// How the node ended, if it has.
    pub(crate) fn ended(self) -> Option<Result<(), Error>> {
        match self.word(Ordering::Acquire).state() {
            DONE | MOVED => Some(Ok(())),
            FAILED | CANCELLED => Some(Err(self.error())),
            _ => None,
        }
    }

    /// Claims a lazy node.
    #[inline(always)]
    pub(crate) fn claim(self) -> bool {
        // Acquire pairs with the release of whoever withdrew an earlier claim.
        let claimed = self.exchange(Word::new(LAZY), Word::new(CLAIMED), Ordering::Acquire).is_ok();
        if claimed {
            self.begin_claim(0);
        }
        claimed
    }

    /// Forgets the flags of an earlier claim.
    #[inline(always)]
    fn begin_claim(self, exclusive: u8) {
        let kept = self.flags().load(Ordering::Relaxed) & SECOND;
        self.flags().store(kept | exclusive, Ordering::Relaxed);
    }

    #[inline(always)]
    pub(super) fn exchange(self, from: Word, to: Word, success: Ordering) -> Result<(), Word> {
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
        unsafe { self.header().next.set(word.waiters().0) };
        let with_self = Word(self.pointer().map_addr(|address| address | CLAIMED));
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
        unsafe { self.header().next.set(parent.map_or(ptr::null_mut(), Node::pointer)) }
    }

    /// Says that a done node's value was moved out, while a wish that never looks at it has its
    /// reference.
    pub(super) fn set_moved(self) {
        self.atomic_word().store(Word::new(MOVED).0, Ordering::Release);
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
    #[inline(always)]
    pub(crate) unsafe fn publish(self, state: usize) -> Waiters {
        // Release: what was written is visible to whoever sees the state.
        if self.exchange(Word::new(CLAIMED), Word::new(state), Ordering::Release).is_ok() {
            return Waiters::none();
        }
        // SAFETY: the caller's promise.
        unsafe { self.publish_to_others(state) }
    }

    /// # Safety
    ///
    /// As for [`publish`](Node::publish).
    #[inline(never)]
    unsafe fn publish_to_others(self, mut state: usize) -> Waiters {
        let mut word = self.word(Ordering::Relaxed);
        loop {
            match word.state() {
                ORPHANED => {
                    // Pairs with the release of the last reference; no fence, as in `release_one_of_several`.
                    self.word(Ordering::Acquire);
                    // SAFETY: an orphan belongs to its claimer.
                    unsafe { free(self, state) };
                    return Waiters::none();
                }
                CANCELLED if state != FAILED => {
                    // SAFETY: the caller's promise.
                    unsafe {
                        self.drop_payload(state);
                        self.write(Error::new(self.info(), self.cause_of_cancel()));
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
                Err(now) if now.state() == LOCKED => thread::yield_now(),
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
            panic::ignore(|| unsafe { drop_fn(self) });
        };
        match state {
            MOVED => {}
            DONE => {
                if let Some(drop_value) = vtable.drop_value {
                    drop_payload(drop_value);
                }
            }
            // SAFETY: a failed node's payload is an error.
            FAILED => drop_payload(|node| drop(unsafe { node.read::<Error>() })),
            _ => {
                drop_payload(vtable.drop_call);
                // SAFETY: the node has not run, so its edges are whole.
                unsafe { self.release_edges(0) };
            }
        }
    }
}
