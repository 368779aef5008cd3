//! How a node leaves the function: by `?`, `return` or the `else` of a `let`.

use crate::sync::unmodelled::Mutex;
use std::convert::Infallible;
use std::fmt;
use std::ops::ControlFlow;

/// What the function returns if a node leaves it: of several, the first in the function as written.
pub struct Exit<R>(Mutex<Option<(u32, R)>>);

impl<R> Exit<R> {
    /// No node has left.
    #[allow(clippy::new_without_default, reason = "only generated code makes one")]
    pub const fn new() -> Self {
        Exit(Mutex::new(None))
    }

    /// Leaves the function at its statement `at`, which is what the node then says.
    pub fn leave(&self, at: u32, value: R) -> u32 {
        let mut left = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let later = match &*left {
            Some((before, _)) if *before < at => Some((at, value)),
            _ => left.replace((at, value)),
        };
        drop(left);
        // Which may be the user's code.
        drop(later);
        at
    }

    /// What the function returns.
    ///
    /// # Panics
    ///
    /// If no node has left.
    pub fn value(&self) -> R {
        let left = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).take();
        left.expect("a node says that it leaves after it has").1
    }
}

impl<R> fmt::Debug for Exit<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exit").finish_non_exhaustive()
    }
}

/// What `?` goes with in a node. `std::ops::Try` is not stable.
#[diagnostic::on_unimplemented(
    message = "`?` in a statement of a graph goes with `Result`, `Option` and `ControlFlow`, not with `{Self}`",
    label = "`?` cannot be used here",
    note = "use a `match` and `return`"
)]
pub trait Branch<T, R> {
    /// Goes on with what the expression gives, or leaves with what the function returns, before that is converted.
    fn branch(self) -> ControlFlow<R, T>;
}

#[diagnostic::do_not_recommend]
impl<T, E> Branch<T, Result<Infallible, E>> for Result<T, E> {
    #[inline(always)]
    fn branch(self) -> ControlFlow<Result<Infallible, E>, T> {
        match self {
            Ok(value) => ControlFlow::Continue(value),
            Err(error) => ControlFlow::Break(Err(error)),
        }
    }
}

#[diagnostic::do_not_recommend]
impl<T> Branch<T, Option<Infallible>> for Option<T> {
    #[inline(always)]
    fn branch(self) -> ControlFlow<Option<Infallible>, T> {
        match self {
            Some(value) => ControlFlow::Continue(value),
            None => ControlFlow::Break(None),
        }
    }
}

#[diagnostic::do_not_recommend]
impl<B, C> Branch<C, ControlFlow<B, Infallible>> for ControlFlow<B, C> {
    #[inline(always)]
    fn branch(self) -> ControlFlow<ControlFlow<B, Infallible>, C> {
        match self {
            ControlFlow::Continue(value) => ControlFlow::Continue(value),
            ControlFlow::Break(value) => ControlFlow::Break(ControlFlow::Break(value)),
        }
    }
}
