//! A runtime for models: its blocking pool has loom's threads. It runs no tasks.

use loom::thread::JoinHandle;
use std::cell::RefCell;
use std::ops::Deref;
use std::sync::LazyLock;
use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().build().expect("a runtime without drivers"));

thread_local! {
    // A model's threads are all on one thread of the system.
    static STARTED: RefCell<Vec<JoinHandle<()>>> = const { RefCell::new(Vec::new()) };
}

/// Waits for the threads of the pool.
pub(crate) fn join() {
    while let Some(thread) = STARTED.with_borrow_mut(Vec::pop) {
        thread.join().unwrap();
    }
}

pub(crate) struct Handle(tokio::runtime::Handle);

impl Handle {
    pub(crate) fn of_models() -> Self {
        Handle(RUNTIME.handle().clone())
    }

    pub(crate) fn spawn_blocking(&self, f: impl FnOnce() + Send + 'static) -> Started {
        let thread = loom::thread::spawn(f);
        STARTED.with_borrow_mut(|started| started.push(thread));
        Started
    }
}

/// In the place of tokio's handle of what was started.
pub(crate) struct Started;

impl From<tokio::runtime::Handle> for Handle {
    fn from(handle: tokio::runtime::Handle) -> Self {
        Handle(handle)
    }
}

impl Deref for Handle {
    type Target = tokio::runtime::Handle;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}
