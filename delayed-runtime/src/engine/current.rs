//! Which engine is current on this thread.

use super::Engine;
use crate::sync;
use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

sync::thread_local! {
    /// The engines that were entered, with the numbers of their guards.
    static CURRENT: RefCell<Vec<(u64, Arc<Engine>)>> = const { RefCell::new(Vec::new()) };
}

/// The number of what is not left by a guard.
const SCOPED: u64 = 0;

/// The engine that was entered last, if any.
pub(crate) fn current() -> Option<Arc<Engine>> {
    CURRENT.with_borrow(|current| current.last().map(|(_, engine)| engine.clone()))
}

/// Makes an engine the current one until [`leave`] is called with the number.
pub(crate) fn enter(engine: &Arc<Engine>) -> u64 {
    static NUMBERS: AtomicU64 = AtomicU64::new(SCOPED + 1);
    let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
    CURRENT.with_borrow_mut(|current| current.push((number, engine.clone())));
    number
}

/// Ends an [`enter`], which need not be the last one.
pub(crate) fn leave(number: u64) {
    CURRENT.with_borrow_mut(|current| current.retain(|(n, _)| *n != number));
}

/// Runs `f` with an engine as the current one.
pub(super) fn with_engine<R>(engine: &Arc<Engine>, f: impl FnOnce() -> R) -> R {
    struct Restore(usize);
    impl Drop for Restore {
        fn drop(&mut self) {
            CURRENT.with_borrow_mut(|current| current.truncate(self.0));
        }
    }
    let _restore = CURRENT.with_borrow_mut(|current| {
        current.push((SCOPED, engine.clone()));
        Restore(current.len() - 1)
    });
    f()
}
