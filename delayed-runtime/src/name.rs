//! Names that single nodes were given.
//!
//! Few nodes have one, so they lie in a table beside the nodes, by address. A node's entry is
//! removed when its memory is freed.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};

static NAMES: LazyLock<Mutex<HashMap<usize, Arc<str>>>> = LazyLock::new(Mutex::default);

fn names() -> MutexGuard<'static, HashMap<usize, Arc<str>>> {
    NAMES.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

pub(crate) fn set(address: usize, name: &str) {
    names().insert(address, name.into());
}

pub(crate) fn get(address: usize) -> Option<Arc<str>> {
    names().get(&address).cloned()
}

pub(crate) fn remove(address: usize) {
    names().remove(&address);
}
