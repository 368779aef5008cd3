//! std or the model checker, nothing else.
//!
//! Unit tests that are built with `--cfg loom` get loom's types, which try the interleavings of a
//! model and know what each thread may have seen. All other builds get std's. [`Field`] and [`Track`]
//! are what a node has beside its atomics: they tell loom who touches it, and are nothing otherwise.

#[cfg(all(test, loom))]
pub(crate) use checked::*;
#[cfg(not(all(test, loom)))]
pub(crate) use plain::*;

#[cfg(not(all(test, loom)))]
mod plain {
    use std::cell::UnsafeCell;

    pub(crate) use std::sync::atomic;
    pub(crate) use std::{thread, thread_local};

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

#[cfg(all(test, loom))]
mod checked {
    use loom::cell::UnsafeCell;
    use std::cell::Cell;

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

    pub(crate) use local as thread_local;
    pub(crate) use loom::sync::atomic;
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
    }
}
