//! Where a value lies between the node that makes it and those that use it.

use std::cell::{Cell, UnsafeCell};
use std::fmt;
use std::mem::MaybeUninit;

/// The value of one binding, on the caller's stack.
///
/// What is done with it is inlined by the optimiser and not by force, which without one took more time than all
/// else.
pub struct Slot<T> {
    value: UnsafeCell<MaybeUninit<T>>,
    full: Cell<bool>,
}

// SAFETY: all that can be done with a shared slot is unsafe. Which thread may do what is up to the generated
// code, which asks the types by `moves` and `shares`; in asynchronous graphs one task has all nodes, and moves
// values from thread to thread as it is moved.
unsafe impl<T: Send> Sync for Slot<T> {}

/// An empty slot: a node makes the value.
///
/// A function of its own, because rustc goes through all that an associated one asks of a type that is not yet
/// known each time it learns of one: a tenth of what a graph takes to compile.
#[inline]
pub const fn empty<T>() -> Slot<T> {
    Slot { value: UnsafeCell::new(MaybeUninit::uninit()), full: Cell::new(false) }
}

impl<T> Slot<T> {
    /// With an argument.
    #[inline]
    pub const fn with(value: T) -> Self {
        Slot { value: UnsafeCell::new(MaybeUninit::new(value)), full: Cell::new(true) }
    }

    /// Puts the value in.
    ///
    /// # Safety
    ///
    /// Only by the node that makes it, once.
    #[inline]
    pub unsafe fn put(&self, value: T) {
        // SAFETY: the caller's promise: nobody else has the slot yet.
        unsafe { (*self.value.get()).write(value) };
        self.full.set(true);
    }

    /// Borrows the value where it lies. That the borrow ends in time is checked in the function as written.
    ///
    /// # Safety
    ///
    /// After [`put`](Slot::put). The value is not taken, or what borrows it is not used after that.
    #[inline]
    pub unsafe fn get<'a>(&self) -> &'a T {
        // SAFETY: the caller's promise.
        unsafe { (*self.value.get()).assume_init_ref() }
    }

    /// Moves the value out, or copies it if that can be done.
    ///
    /// # Safety
    ///
    /// After [`put`](Slot::put), by the only node that uses the value or by the last expression, and again only
    /// if the type is `Copy`.
    #[inline]
    pub unsafe fn take(&self) -> T {
        self.full.set(false);
        // SAFETY: the caller's promise.
        unsafe { (*self.value.get()).assume_init_read() }
    }
}

impl<T> Drop for Slot<T> {
    #[inline]
    fn drop(&mut self) {
        if std::mem::needs_drop::<T>() && self.full.get() {
            // SAFETY: it was put in and not taken.
            unsafe { self.value.get_mut().assume_init_drop() }
        }
    }
}

impl<T> fmt::Debug for Slot<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Slot").finish_non_exhaustive()
    }
}

/// What may go from one node of a graph to another.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent between threads, and this binding goes from one node of the graph to another",
    label = "`{Self}` is not `Send`",
    note = "put the statements that use it into one block, so that it stays inside one node: \
            `let total = {{ let handle = open(); read(&handle) }};`"
)]
pub trait Moves {}
impl<T: Send> Moves for T {}

/// What several nodes of a graph may use.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be shared between threads, and several nodes of the graph use this binding",
    label = "`{Self}` is not `Send` and `Sync`",
    note = "put the statements that use it into one block, so that it stays inside one node: \
            `let total = {{ let cell = Cell::new(0); read(&cell) }};`"
)]
pub trait Shares {}
impl<T: Send + Sync> Shares for T {}

/// What a node may leave the function with.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be sent between threads, and a node of the graph may return it",
    label = "`{Self}` is not `Send`",
    note = "return early only in the last expression, or return a type that is `Send`"
)]
pub trait Returns {}
impl<T: Send> Returns for T {}

/// Asks that the binding may go from one node to another.
#[inline]
pub fn moves<T: Moves>(_: &Slot<T>) {}

/// Asks that several nodes may use the binding.
#[inline]
pub fn shares<T: Shares>(_: &Slot<T>) {}

/// Asks that a node may leave the function with a value.
#[inline]
pub fn returns<T: Returns>(_: &super::Exit<T>) {}
