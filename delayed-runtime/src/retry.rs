//! Functions that are called again when they fail.
//!
//! The arguments stay in one place for all attempts, which borrow them; what a function takes by value
//! is cloned for each. Attempts without a delay between them follow each other where the first one ran.
//! With a delay the node leaves its thread: it becomes a future, which calls a function that is not
//! asynchronous on the blocking pool.

use crate::call::{Body, Fallibly, Finish, Later};
use crate::engine;
use crate::error::Failure;
use crate::handle::{Delayed, Value};
use crate::node::{Kind, Node, Outcome};
use crate::slot::Slots;
use crate::task::{Function, Task};
use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

/// The longest delay between two attempts, before what is added by chance.
const LONGEST: Duration = Duration::from_secs(60);

/// An argument that is there for each attempt.
#[diagnostic::on_unimplemented(
    message = "a function with `retries` needs `{Self}` again for each attempt, and it is not `Clone`",
    label = "not `Clone`",
    note = "borrow it with a parameter `&{Self}`, which needs no clone, or derive `Clone`"
)]
pub trait Again: Clone {}

#[diagnostic::do_not_recommend]
impl<T: Clone> Again for T {}

/// The argument of one attempt.
#[inline(always)]
pub fn again<T: Again>(argument: &T) -> T {
    argument.clone()
}

/// A failed attempt.
#[derive(Debug)]
pub struct Attempt {
    /// What the function returned.
    pub failure: Failure,
    /// Whether it is worth another attempt.
    pub again: bool,
}

/// Turns a `Result<T, E>` into a `Result<T, Attempt>`.
#[doc(hidden)]
#[macro_export]
macro_rules! __attempt {
    ($result:expr, $again:expr) => {
        match $result {
            ::core::result::Result::Ok(value) => ::core::result::Result::Ok(value),
            ::core::result::Result::Err(error) => {
                let again = $crate::__private::is_worth_it($again, &error);
                match $crate::__keep!(::core::result::Result::<::core::convert::Infallible, _>::Err(error)) {
                    ::core::result::Result::Err(failure) => {
                        ::core::result::Result::Err($crate::__private::Attempt { failure, again })
                    }
                    ::core::result::Result::Ok(never) => match never {},
                }
            }
        }
    };
}

/// Asks the user's predicate, whose parameter's type is thereby known.
pub fn is_worth_it<E>(predicate: impl FnOnce(&E) -> bool, error: &E) -> bool {
    predicate(error)
}

/// How many attempts there were, and what comes between them.
struct Attempts {
    made: u32,
    most: u32,
    delays: Option<ExponentialBackoff>,
}

impl Attempts {
    fn of(task: &Task) -> Self {
        let delays = |first: Duration| {
            let doubling =
                ExponentialBuilder::new().with_min_delay(first.min(LONGEST)).with_max_delay(LONGEST);
            doubling.with_jitter().without_max_times().build()
        };
        Attempts { made: 0, most: task.retries.saturating_add(1), delays: task.backoff.map(delays) }
    }

    /// The delay until the next attempt, or the failure of all.
    fn after(&mut self, attempt: Attempt) -> Result<Duration, Failure> {
        self.made += 1;
        if self.made == self.most || !attempt.again {
            return Err(attempt.failure.after(self.made));
        }
        Ok(self.delays.as_mut().and_then(Iterator::next).unwrap_or_default())
    }
}

type Tried<R> = Result<R, Failure>;

/// What came of the attempts without a delay.
enum First<R> {
    Ended(Tried<R>),
    Goes(Pin<Box<dyn Future<Output = Tried<R>> + Send>>),
}

impl<R: Send + Sync + 'static> Finish<First<R>> for Fallibly {
    type Value = R;
    const KIND: Kind = Kind::Sync;

    unsafe fn finish(node: Node, first: First<R>) -> Outcome {
        // SAFETY: the caller's promise.
        unsafe {
            match first {
                First::Ended(result) => Fallibly::finish(node, result),
                First::Goes(future) => Later::<Fallibly>::finish(node, future),
            }
        }
    }
}

/// A node of a function that can fail, and is then called again.
#[inline]
pub fn call_retrying<N, A, R, F>(args: A, attempt: F) -> Delayed<R>
where
    N: Function + 'static,
    A: Slots<Values: Send + Sync>,
    R: Value,
    F: Fn(&A::Values) -> Result<R, Attempt> + Send + Sync + 'static,
{
    Body::<N, A, _, First<R>, Fallibly>::node(args, |values| first(&N::TASK, values, attempt), None)
}

fn first<V, R, F>(task: &'static Task, values: V, attempt: F) -> First<R>
where
    V: Send + Sync + 'static,
    R: Value,
    F: Fn(&V) -> Result<R, Attempt> + Send + Sync + 'static,
{
    let mut attempts = Attempts::of(task);
    loop {
        let failed = match attempt(&values) {
            Ok(value) => return First::Ended(Ok(value)),
            Err(failed) => failed,
        };
        match attempts.after(failed) {
            Ok(Duration::ZERO) => {}
            Ok(delay) => {
                let call = Arc::new((attempt, values));
                let others = go_on(attempts, delay, move || {
                    let call = call.clone();
                    engine::call_blocking(move || (call.0)(&call.1))
                });
                return First::Goes(Box::pin(others));
            }
            Err(failure) => return First::Ended(Err(failure)),
        }
    }
}

/// Makes attempts, the first one after a delay, until there is nothing to wait for any more.
async fn go_on<R, Fut>(mut attempts: Attempts, mut delay: Duration, attempt: impl Fn() -> Fut) -> Tried<R>
where
    Fut: Future<Output = Result<R, Attempt>>,
{
    loop {
        if !delay.is_zero() {
            tokio::time::sleep(delay).await;
        }
        match attempt().await {
            Ok(value) => return Ok(value),
            Err(failed) => delay = attempts.after(failed)?,
        }
    }
}

/// A node of an asynchronous function that can fail, and is then called again.
#[inline]
pub fn call_async_retrying<N, A, R, Fut, F>(args: A, attempt: F) -> Delayed<R>
where
    N: Function + 'static,
    A: Slots<Values: Send + Sync>,
    R: Value,
    Fut: Future<Output = Result<R, Attempt>> + Send + 'static,
    F: Fn(Arc<A::Values>) -> Fut + Send + Sync + 'static,
{
    let all = |values: A::Values| {
        let values = Arc::new(values);
        go_on(Attempts::of(&N::TASK), Duration::ZERO, move || attempt(values.clone()))
    };
    Body::<N, A, _, _, Later<Fallibly>>::node(args, all, None)
}
