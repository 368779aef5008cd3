//! What threads share, from std and others or from the model checker; nothing else.
//!
//! Unit tests that are built with `--cfg loom` get loom's types, which try the interleavings of a
//! model and know what each thread may have seen; queues, clock and runtime are then those of
//! `models/`. All other builds get the real ones. [`Field`] and [`Track`]
//! are what a node has beside its atomics: they tell loom who touches it, and are nothing otherwise.

#[cfg(all(test, loom))]
pub(crate) use checked::*;
#[cfg(not(all(test, loom)))]
pub(crate) use plain::*;

#[cfg(not(all(test, loom)))]
mod plain {
    use std::cell::UnsafeCell;

    #[cfg(tsan)]
    pub(crate) use super::seen::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
    pub(crate) use crossbeam_deque::{Injector, Steal, Stealer, Worker};
    pub(crate) use crossbeam_utils::Backoff;
    pub(crate) use std::sync::atomic;
    #[cfg(not(tsan))]
    pub(crate) use std::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};
    pub(crate) use std::time::Instant;
    pub(crate) use std::{thread, thread_local};
    pub(crate) use tokio::runtime::Handle;

    /// A field that belongs to one thread at a time.
    #[repr(transparent)]
    pub(crate) struct Field<T>(UnsafeCell<T>);

    impl<T: Copy> Field<T> {
        pub(crate) const fn new(value: T) -> Self {
            Field(UnsafeCell::new(value))
        }

        /// # Safety
        ///
        /// Nobody writes the field meanwhile.
        #[inline(always)]
        pub(crate) unsafe fn get(&self) -> T {
            // SAFETY: the caller's promise.
            unsafe { self.0.get().read() }
        }

        /// # Safety
        ///
        /// The field is the caller's.
        #[inline(always)]
        pub(crate) unsafe fn set(&self, value: T) {
            // SAFETY: the caller's promise.
            unsafe { self.0.get().write(value) }
        }
    }

    /// Memory whose accesses are told to the model checker.
    pub(crate) struct Track;

    impl Track {
        pub(crate) const fn new() -> Self {
            Track
        }

        #[inline(always)]
        pub(crate) fn read(&self) {}

        #[inline(always)]
        pub(crate) fn write(&self) {}

        /// From here on every access is an error.
        #[inline(always)]
        pub(crate) fn end(&self) {}
    }
}

/// A function that locks a value of the process: of each run of a model its own.
macro_rules! global {
    ($(#[$doc:meta])* $visible:vis fn $name:ident() -> $of:ty) => {
        $(#[$doc])*
        $visible fn $name() -> $crate::sync::MutexGuard<'static, $of> {
            #[cfg(not(all(test, loom)))]
            static GLOBAL: std::sync::LazyLock<$crate::sync::Mutex<$of>> = std::sync::LazyLock::new(Default::default);
            #[cfg(all(test, loom))]
            loom::lazy_static! {
                static ref GLOBAL: $crate::sync::Mutex<$of> = $crate::sync::Mutex::new(Default::default());
            }
            GLOBAL.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
        }
    };
}
pub(crate) use global;

/// Locks that are no part of a model.
pub(crate) mod unmodelled {
    #[cfg(tsan)]
    pub(crate) use super::seen::{Mutex, MutexGuard};
    #[cfg(not(tsan))]
    pub(crate) use std::sync::{Mutex, MutexGuard};
}

/// For the thread sanitizer, which sees the steps of a lock only if they are compiled for it. std's are
/// not: it comes compiled.
#[cfg(tsan)]
mod seen {
    pub(crate) use parking_lot::{MutexGuard, RwLockReadGuard, RwLockWriteGuard};
    use std::sync::LockResult;

    #[derive(Default)]
    pub(crate) struct Mutex<T>(parking_lot::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) const fn new(value: T) -> Self {
            Mutex(parking_lot::Mutex::new(value))
        }

        pub(crate) fn lock(&self) -> LockResult<MutexGuard<'_, T>> {
            Ok(self.0.lock())
        }
    }

    #[derive(Default)]
    pub(crate) struct RwLock<T>(parking_lot::RwLock<T>);

    impl<T> RwLock<T> {
        pub(crate) fn read(&self) -> LockResult<RwLockReadGuard<'_, T>> {
            Ok(self.0.read())
        }

        pub(crate) fn write(&self) -> LockResult<RwLockWriteGuard<'_, T>> {
            Ok(self.0.write())
        }
    }
}

#[cfg(all(test, loom))]
mod checked {
    use loom::cell::UnsafeCell;
    use std::cell::{Cell, RefCell};

    /// `thread_local!` with what std's keys have.
    macro_rules! local {
        ($($(#[$meta:meta])* $visible:vis static $name:ident: $of:ty = const { $init:expr };)*) => {$(
            $(#[$meta])*
            $visible static $name: $crate::sync::LocalKey<$of> = {
                loom::thread_local!(static KEY: $of = $init);
                $crate::sync::LocalKey(&KEY)
            };
        )*};
    }

    pub(crate) use crate::models::clock::{Backoff, Instant};
    pub(crate) use crate::models::queue::{Injector, Steal, Stealer, Worker};
    pub(crate) use crate::models::runtime::Handle;
    pub(crate) use local as thread_local;
    pub(crate) use loom::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard, atomic};
    pub(crate) use loom::thread;

    pub(crate) struct Field<T>(UnsafeCell<T>);

    impl<T: Copy> Field<T> {
        #[track_caller]
        pub(crate) fn new(value: T) -> Self {
            Field(UnsafeCell::new(value))
        }

        #[track_caller]
        pub(crate) unsafe fn get(&self) -> T {
            // SAFETY: the caller's promise, which loom checks.
            self.0.with(|value| unsafe { value.read() })
        }

        #[track_caller]
        pub(crate) unsafe fn set(&self, value: T) {
            // SAFETY: the caller's promise, which loom checks.
            self.0.with_mut(|field| unsafe { field.write(value) })
        }
    }

    pub(crate) struct Track {
        cell: UnsafeCell<()>,
        ended: Cell<bool>,
    }

    impl Track {
        #[track_caller]
        pub(crate) fn new() -> Self {
            Track { cell: UnsafeCell::new(()), ended: Cell::new(false) }
        }

        #[track_caller]
        pub(crate) fn read(&self) {
            assert!(!self.ended.get(), "read after the end");
            self.cell.with(|_| ());
        }

        #[track_caller]
        pub(crate) fn write(&self) {
            assert!(!self.ended.get(), "written after the end");
            self.cell.with_mut(|_| ());
        }

        #[track_caller]
        pub(crate) fn end(&self) {
            self.write();
            self.ended.set(true);
        }
    }

    /// Loom's threads share one thread of the system, so they need thread locals of their own.
    pub(crate) struct LocalKey<T: 'static>(pub(crate) &'static loom::thread::LocalKey<T>);

    impl<T: 'static> LocalKey<T> {
        pub(crate) fn try_with<R>(
            &'static self,
            f: impl FnOnce(&T) -> R,
        ) -> Result<R, loom::thread::AccessError> {
            self.0.try_with(f)
        }
    }

    impl<T: 'static> LocalKey<RefCell<T>> {
        pub(crate) fn with_borrow<R>(&'static self, f: impl FnOnce(&T) -> R) -> R {
            self.0.with(|cell| f(&cell.borrow()))
        }

        pub(crate) fn with_borrow_mut<R>(&'static self, f: impl FnOnce(&mut T) -> R) -> R {
            self.0.with(|cell| f(&mut cell.borrow_mut()))
        }
    }

    impl<T: 'static> LocalKey<Cell<T>> {
        pub(crate) fn get(&'static self) -> T
        where
            T: Copy,
        {
            self.0.with(Cell::get)
        }

        pub(crate) fn set(&'static self, value: T) {
            self.0.with(|cell| cell.set(value));
        }

        pub(crate) fn replace(&'static self, value: T) -> T {
            self.0.with(|cell| cell.replace(value))
        }

        pub(crate) fn take(&'static self) -> T
        where
            T: Default,
        {
            self.0.with(Cell::take)
        }
    }
}
