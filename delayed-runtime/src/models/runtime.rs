//! A runtime for models: its blocking pool has loom's threads. It runs no tasks.

use loom::thread::JoinHandle;
use std::cell::RefCell;
use std::ops::Deref;
use std::rc::Rc;
use std::sync::LazyLock;
use tokio::runtime::{Builder, Runtime};

static RUNTIME: LazyLock<Runtime> =
    LazyLock::new(|| Builder::new_current_thread().build().expect("a runtime without drivers"));

thread_local! {
    // A model's threads are all on one thread of the system.
    static STARTED: RefCell<Vec<Rc<JoinHandle<()>>>> = const { RefCell::new(Vec::new()) };
}

/// Waits for the threads of the pool.
pub(crate) fn join() {
    while let Some(thread) = STARTED.with_borrow_mut(Vec::pop) {
        Rc::into_inner(thread).expect("who starts a loop lets go of it").join().unwrap();
    }
}

pub(crate) struct Handle(tokio::runtime::Handle);

impl Handle {
    pub(crate) fn of_models() -> Self {
        Handle(RUNTIME.handle().clone())
    }

    pub(crate) fn spawn_blocking(&self, f: impl FnOnce() + Send + 'static) -> Rc<JoinHandle<()>> {
        let thread = Rc::new(loom::thread::spawn(f));
        STARTED.with_borrow_mut(|started| started.push(thread.clone()));
        thread
    }
}

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
