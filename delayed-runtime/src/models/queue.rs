//! Queues for models, in the place of crossbeam's, of which loom knows nothing: what is taken was put
//! there before, and whether a queue is empty is known without any order.

use loom::sync::Mutex;
use loom::sync::atomic::{AtomicUsize, Ordering};
use std::collections::VecDeque;
use std::sync::Arc;

pub(crate) use crossbeam_deque::Steal;

pub(crate) struct Injector<T> {
    length: AtomicUsize,
    items: Mutex<VecDeque<T>>,
}

impl<T> Injector<T> {
    pub(crate) fn new() -> Self {
        Injector { length: AtomicUsize::new(0), items: Mutex::new(VecDeque::new()) }
    }

    pub(crate) fn len(&self) -> usize {
        self.length.load(Ordering::Relaxed)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(crate) fn push(&self, item: T) {
        let mut items = self.items.lock().unwrap();
        items.push_back(item);
        self.length.store(items.len(), Ordering::Relaxed);
    }

    pub(crate) fn steal(&self) -> Steal<T> {
        self.take(VecDeque::pop_front).map_or(Steal::Empty, Steal::Success)
    }

    fn take(&self, pop: impl Fn(&mut VecDeque<T>) -> Option<T>) -> Option<T> {
        let mut items = self.items.lock().unwrap();
        let item = pop(&mut items);
        self.length.store(items.len(), Ordering::Relaxed);
        item
    }
}

pub(crate) struct Worker<T>(Arc<Injector<T>>);

impl<T> Worker<T> {
    pub(crate) fn new_lifo() -> Self {
        Worker(Arc::new(Injector::new()))
    }

    pub(crate) fn stealer(&self) -> Stealer<T> {
        Stealer(self.0.clone())
    }

    pub(crate) fn push(&self, item: T) {
        self.0.push(item);
    }

    pub(crate) fn pop(&self) -> Option<T> {
        self.0.take(VecDeque::pop_back)
    }
}

pub(crate) struct Stealer<T>(Arc<Injector<T>>);

impl<T> Stealer<T> {
    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn steal(&self) -> Steal<T> {
        self.0.steal()
    }
}
