//! Panics of the user's code.
//!
//! What a panic carries is the user's too, and may panic again when it is dropped. So it is
//! forgotten unless it is text.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// Runs code whose panic concerns nobody: a waker, or the `Drop` of a value that nobody wants.
pub(crate) fn ignore(f: impl FnOnce()) {
    if let Err(payload) = catch_unwind(AssertUnwindSafe(f)) {
        drop(text(payload));
    }
}

/// What a panic says.
pub(crate) fn text(payload: Box<dyn Any + Send>) -> String {
    match payload.downcast::<String>() {
        Ok(text) => *text,
        Err(payload) => match payload.downcast_ref::<&str>() {
            Some(text) => (*text).to_owned(),
            None => {
                std::mem::forget(payload);
                "the panic's payload is not text".to_owned()
            }
        },
    }
}
