//! References, and what happens when the last one goes.

use super::{CANCELLED, CLAIMED, DONE, Header, Kind, MOVED, Node, ORPHANED, Word};
use crate::abort;
use crate::pure;
use crate::sync;
use crate::sync::atomic::Ordering;
use crate::watch;
use std::cell::Cell;
use std::mem::ManuallyDrop;
use std::ptr::{self, NonNull};
use std::sync::Arc;

/// In the count: somebody wants to know when one reference is left, which is that of a wish for a
/// persisted node.
const WATCHED: u32 = 1 << 31;
/// The wish's reference and one other.
const LAST_BUT_THE_WISH: u32 = WATCHED | 2;
/// In the count: `pure.rs` can find the node, and make a reference of it.
const UNIFIED: u32 = 1 << 30;
/// One reference, of a node that can be found.
const UNIFIED_ALONE: u32 = UNIFIED | 1;
/// The most references, so far from the bits above that no race can reach them.
const MOST_REFERENCES: u32 = UNIFIED / 2;

/// A counted reference to a node.
pub(crate) struct NodeRef(pub(super) Node);

impl NodeRef {
    /// Takes over one reference.
    ///
    /// # Safety
    ///
    /// The caller has a reference, and gives it up.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) unsafe fn from_raw(node: Node) -> Self {
        NodeRef(node)
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn into_raw(self) -> Node {
        ManuallyDrop::new(self).0
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn node(&self) -> Node {
        self.0
    }

    /// The value, moved out if this is the last reference and cloned if not.
    ///
    /// # Safety
    ///
    /// The node is done and its value is a `T`.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) unsafe fn take<T: Clone>(self) -> T {
        // SAFETY: the caller's promise.
        unsafe {
            // One look at the count, because a wish may give its reference back meanwhile.
            match self.0.readers() {
                Readers::ThisAlone => self.take_unique(),
                Readers::ThisAndTheWish => self.take_before_the_wish(),
                Readers::Several => {
                    let value = self.0.peek::<T>().clone();
                    self.into_raw().release_one_of_several();
                    value
                }
            }
        }
    }

    /// The value, moved out.
    ///
    /// # Safety
    ///
    /// The node is done, its value is a `T`, and nobody else can read it: [`Node::has_one_reader`].
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) unsafe fn take_last<T>(self) -> T {
        // SAFETY: the caller's promise.
        unsafe {
            match self.0.is_unique() {
                true => self.take_unique(),
                false => self.take_before_the_wish(),
            }
        }
    }

    /// # Safety
    ///
    /// The node is done, its value is a `T`, and this is the only reference.
    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn take_unique<T>(self) -> T {
        // SAFETY: the caller's promise.
        unsafe {
            let value = self.0.read();
            self.into_raw().deallocate();
            value
        }
    }

    /// # Safety
    ///
    /// The node is done, its value is a `T`, and the only other reference is that of a wish.
    #[cold]
    unsafe fn take_before_the_wish<T>(self) -> T {
        // SAFETY: the caller's promise.
        let value = unsafe { self.0.read() };
        self.0.set_moved();
        value
    }
}

/// Who may look at a node's value.
enum Readers {
    ThisAlone,
    /// The other reference is that of a wish, which never looks at the value.
    ThisAndTheWish,
    Several,
}

impl NodeRef {
    /// Gives back the reference of a wish that has [`watch`](Node::watch)ed. In one step, so that at
    /// no time it looks like the reference of somebody who may read the value.
    pub(crate) fn release_watched(self) {
        let node = self.into_raw();
        let address = node.address();
        let before = watch::remove(address, || node.references().fetch_sub(WATCHED + 1, Ordering::AcqRel));
        match before ^ WATCHED {
            1 => release_last(node),
            UNIFIED_ALONE => pure::unreferenced(address),
            _ => {}
        }
    }
}

impl Node {
    /// Whether there is one reference. The Acquire pairs with the release of those given back.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn is_unique(self) -> bool {
        self.references().load(Ordering::Acquire) == 1
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn readers(self) -> Readers {
        // Acquire as in `is_unique`.
        match self.references().load(Ordering::Acquire) {
            1 => Readers::ThisAlone,
            LAST_BUT_THE_WISH => Readers::ThisAndTheWish,
            count if count & UNIFIED != 0 => self.readers_without_the_table(count),
            _ => Readers::Several,
        }
    }

    /// The same of a node that `pure.rs` can find, which then does so no more.
    #[cold]
    fn readers_without_the_table(self, count: u32) -> Readers {
        match count ^ UNIFIED {
            1 if pure::withdraw(self, count) => Readers::ThisAlone,
            LAST_BUT_THE_WISH if pure::withdraw(self, count) => Readers::ThisAndTheWish,
            _ => Readers::Several,
        }
    }

    /// Whether whoever has a reference is the only one who may look at the value.
    pub(crate) fn has_one_reader(self) -> bool {
        !matches!(self.readers(), Readers::Several)
    }

    /// Whether only the wish for a persisted node has a reference.
    pub(crate) fn is_left_to_the_wish(self) -> bool {
        self.references().load(Ordering::Acquire) & !UNIFIED == WATCHED | 1
    }

    /// Calls `watcher` when one reference is left, until [`unwatch`](Node::unwatch). False if the
    /// node has a watcher already.
    pub(crate) fn watch(self, watcher: Arc<dyn Fn() + Send + Sync>) -> bool {
        watch::add(self.address(), watcher, || {
            self.references().fetch_or(WATCHED, Ordering::AcqRel);
        })
    }

    /// Ends a [`watch`](Node::watch) of a wish that is withdrawn, before it gives its reference back.
    pub(crate) fn unwatch(self) {
        watch::remove(self.address(), || {
            self.references().fetch_and(!WATCHED, Ordering::AcqRel);
        });
    }

    /// A new reference.
    ///
    /// # Safety
    ///
    /// The caller knows of a reference that lives as long as this call, or has the lock of `pure.rs`, where
    /// the node is found.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) unsafe fn acquire(self) -> NodeRef {
        // Relaxed as in `Arc`: a new reference is made from one that is already there, or under the lock.
        if self.references().fetch_add(1, Ordering::Relaxed) & !(WATCHED | UNIFIED) > MOST_REFERENCES {
            std::process::abort();
        }
        NodeRef(self)
    }
}

impl Clone for NodeRef {
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn clone(&self) -> Self {
        // SAFETY: `self` is a reference.
        unsafe { self.0.acquire() }
    }
}

impl Drop for NodeRef {
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn drop(&mut self) {
        let references = self.0.references();
        // With one reference there is nobody to race with.
        if references.load(Ordering::Acquire) == 1 {
            return release_last(self.0);
        }
        self.0.release_one_of_several();
    }
}

impl Node {
    /// Gives back a reference that was not the only one a moment ago.
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn release_one_of_several(self) {
        let address = self.address();
        // Release gives what was done through this reference to whoever frees the node.
        match self.references().fetch_sub(1, Ordering::Release) {
            1 => {
                // A fence would do, but the thread sanitizer does not know fences.
                self.references().load(Ordering::Acquire);
                release_last(self);
            }
            // From here the node may be gone.
            count if count >= UNIFIED => one_less(address, count),
            _ => {}
        }
    }
}

/// After a reference was given back whose loss may concern somebody.
#[inline(never)]
fn one_less(address: usize, before: u32) {
    match before & !UNIFIED {
        LAST_BUT_THE_WISH => watch::one_is_left(address),
        1 => pure::unreferenced(address),
        _ => {}
    }
}

// What `pure.rs` needs, which alone calls these, under its lock but for the last.
impl Node {
    /// Says that the node can be found from now on.
    pub(crate) fn set_unified(self) {
        self.references().fetch_or(UNIFIED, Ordering::Relaxed);
    }

    /// Says that the node is not found any more; true if nobody refers to it either.
    pub(crate) fn clear_unified(self) -> bool {
        self.references().fetch_and(!UNIFIED, Ordering::AcqRel) == UNIFIED
    }

    pub(crate) fn is_unreferenced(self) -> bool {
        self.has_count(UNIFIED)
    }

    pub(crate) fn has_count(self, count: u32) -> bool {
        // Acquire as in `is_unique`.
        self.references().load(Ordering::Acquire) == count
    }

    /// Frees a node that nobody refers to and that cannot be found any more, or leaves it to its claimer.
    pub(crate) fn release_unified(self) {
        release_last(self);
    }
}

#[inline(never)]
fn release_last(node: Node) {
    loop {
        let word = node.word(Ordering::Acquire);
        match word.state() {
            CLAIMED | CANCELLED => {
                let orphan = || node.exchange(word, Word::new(ORPHANED), Ordering::AcqRel).is_ok();
                // The future of a node that runs apart is not wanted any more.
                let orphaned =
                    if node.may_run_apart() { abort::with(node.address(), orphan) } else { orphan() };
                if orphaned {
                    return;
                }
            }
            // SAFETY: the last reference is gone and nobody has a claim.
            state => return unsafe { free(node, state) },
        }
    }
}

impl std::fmt::Debug for NodeRef {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Debug::fmt(&self.0, f)
    }
}

sync::thread_local! {
    /// Nodes that wait to be freed by the outermost `free` on this thread, linked by `next`;
    /// `None` when there is none.
    static TO_FREE: Cell<Option<*mut Header>> = const { Cell::new(None) };
}

/// Frees a node, and what only it referred to, without recursion.
///
/// # Safety
///
/// Nobody else can reach the node; `state` says what its payload is.
pub(super) unsafe fn free(node: Node, state: usize) {
    if state == MOVED || (state == DONE && node.vtable().drop_value.is_none()) {
        // SAFETY: the caller's promise; the payload needs no drop, the edges are used up.
        return unsafe { node.deallocate() };
    }
    // The state goes into the word, because a node may have to wait for its turn.
    node.atomic_word().store(Word::new(state).0, Ordering::Relaxed);
    let link = |rest| {
        // SAFETY: the caller's promise.
        unsafe { node.header().next.set(rest) }
    };
    // A sink ends a wish, and whoever waits for that may be below on this thread's stack.
    if node.vtable().kind == Kind::Sink {
        // SAFETY: the caller's promise.
        return unsafe { empty_and_deallocate(node) };
    }
    match TO_FREE.try_with(|list| {
        list.get().inspect(|&rest| {
            link(rest);
            list.set(Some(node.pointer()));
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
    let mut next = NonNull::new(node.pointer());
    while let Some(header) = next {
        let node = Node(header);
        // SAFETY: nodes in the list belong to the list.
        unsafe {
            TO_FREE.set(Some(node.header().next.get()));
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
