//! The one error: which node has no value, why, who needed it, and what else failed.

mod others;

pub(crate) use others::Failures;
use others::Others;

use crate::panic;
use crate::task::Place;
use crate::visible;
use std::any::Any;
use std::error::Error as StdError;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// The longest chain of consumers that an error remembers.
const CHAIN: usize = 32;

/// A function's name, or one that a node was given.
#[derive(Clone)]
pub(crate) enum Name {
    OfFunction(&'static str),
    Given(Arc<str>),
}

/// Which node: its name, its key, and where its function was defined.
#[derive(Clone)]
pub struct NodeInfo {
    pub(crate) name: Name,
    pub(crate) id: u64,
    pub(crate) place: Place,
}

impl NodeInfo {
    /// The function's name, or the one given with [`Delayed::named`](crate::Delayed::named).
    pub fn name(&self) -> &str {
        match &self.name {
            Name::OfFunction(name) => name,
            Name::Given(name) => name,
        }
    }

    /// The name and a number that no other node of this process has: `add-5f3a09c2d41b`.
    pub fn key(&self) -> String {
        format!("{}-{:012x}", self.name(), scatter(self.id))
    }

    /// The key as it is shown to people.
    pub(crate) fn shown_key(&self) -> String {
        format!("{}-{:012x}", visible::name(self.name()), scatter(self.id))
    }

    /// The source file of the function, or of the call for what this crate's own operations made.
    pub fn file(&self) -> &'static str {
        self.place.file
    }

    /// The line in [`file`](NodeInfo::file), from 1.
    pub fn line(&self) -> u32 {
        self.place.line
    }

    /// The column in [`line`](NodeInfo::line), from 1.
    pub fn column(&self) -> u32 {
        self.place.column
    }
}

/// Spreads ids that follow each other over 48 bits; a bijection, so that keys stay unique.
fn scatter(id: u64) -> u64 {
    const MASK: u64 = (1 << 48) - 1;
    let x = id.wrapping_mul(0x9E37_79B9_7F4B) & MASK;
    let x = x ^ (x >> 25);
    x.wrapping_mul(0xD6E8_FEB8_6659) & MASK
}

impl fmt::Debug for NodeInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}:{}:{})", self.shown_key(), self.file(), self.line(), self.column())
    }
}

type BoxError = Box<dyn StdError + Send + Sync>;

/// What a fallible function returned, kept so that `downcast_ref` finds it.
pub(crate) trait Kept: Send + Sync {
    fn error(&self) -> &(dyn StdError + Send + Sync + 'static);
    fn value(&self) -> Option<&dyn Any>;
}

impl Kept for BoxError {
    fn error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        &**self
    }
    fn value(&self) -> Option<&dyn Any> {
        None
    }
}

/// An error type such as `anyhow::Error`, which is no `std::error::Error` but shows one.
struct Shown<E>(E);

impl<E: AsRef<dyn StdError + Send + Sync> + Send + Sync + 'static> Kept for Shown<E> {
    fn error(&self) -> &(dyn StdError + Send + Sync + 'static) {
        self.0.as_ref()
    }
    fn value(&self) -> Option<&dyn Any> {
        Some(&self.0)
    }
}

/// The error of a fallible function on its way into its node.
pub struct Failure {
    kept: Box<dyn Kept>,
    /// How often the function was called.
    attempts: u32,
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self.kept.error(), f)
    }
}

impl Failure {
    pub(crate) fn from_box(error: BoxError) -> Self {
        Failure::keep(error)
    }

    fn keep(kept: impl Kept + 'static) -> Self {
        Failure { kept: Box::new(kept), attempts: 1 }
    }

    pub(crate) fn after(self, attempts: u32) -> Self {
        Failure { attempts, ..self }
    }
}

/// The errors that a delayed function may return.
#[diagnostic::on_unimplemented(
    message = "a delayed function cannot fail with `{Self}`",
    label = "`{Self}` does not convert into `Box<dyn Error + Send + Sync>`",
    note = "implement `std::error::Error` (and `Send + Sync + 'static`) for the error type, or return a `String` or an `anyhow::Error`"
)]
pub trait NodeError {
    #[doc(hidden)]
    fn into_failure(self) -> Failure;
}

#[diagnostic::do_not_recommend]
impl<E: Into<BoxError>> NodeError for E {
    fn into_failure(self) -> Failure {
        Failure::from_box(self.into())
    }
}

/// The choice for error types that show an error by `AsRef`: they stay whole.
pub trait KeepShown<E> {
    /// Keeps the error as it is.
    fn keep(&self, error: E) -> Failure;
}

impl<E: AsRef<dyn StdError + Send + Sync> + Send + Sync + 'static> KeepShown<E> for &Keeping<E> {
    fn keep(&self, error: E) -> Failure {
        Failure::keep(Shown(error))
    }
}

/// The choice for all others: they become a box.
pub trait KeepBoxed<E> {
    /// Boxes the error.
    fn keep(&self, error: E) -> Failure
    where
        E: NodeError;
}

impl<E> KeepBoxed<E> for Keeping<E> {
    fn keep(&self, error: E) -> Failure
    where
        E: NodeError,
    {
        error.into_failure()
    }
}

/// A probe of the error type `E`.
pub struct Keeping<E>(std::marker::PhantomData<fn() -> E>);

impl<E> fmt::Debug for Keeping<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Keeping")
    }
}

impl<E> Keeping<E> {
    /// A probe of the type of `error`.
    pub fn of(_error: &E) -> Self {
        Keeping(std::marker::PhantomData)
    }
}

/// Turns a `Result<T, E>` into a `Result<T, Failure>`. `anyhow::Error` is kept whole, because
/// converting it into a box hides what is inside it from `downcast_ref`.
#[doc(hidden)]
#[macro_export]
macro_rules! __keep {
    ($result:expr) => {
        match $result {
            ::core::result::Result::Ok(value) => ::core::result::Result::Ok(value),
            ::core::result::Result::Err(error) => {
                #[allow(unused_imports)]
                use $crate::__private::{KeepBoxed as _, KeepShown as _};
                let keeping = $crate::__private::Keeping::of(&error);
                ::core::result::Result::Err((&&keeping).keep(error))
            }
        }
    };
}

pub(crate) enum Cause {
    Failed(Failure),
    Panicked(String),
    TimedOut(Duration),
    Cancelled,
    ShutDown,
    Misused(String),
}

struct Origin {
    node: NodeInfo,
    cause: Cause,
}

impl Drop for Origin {
    /// What a function returned is the user's, and so is its `Drop`. The last error may go in the middle of
    /// the engine, which must not unwind there.
    fn drop(&mut self) {
        let cause = std::mem::replace(&mut self.cause, Cause::Cancelled);
        panic::ignore(|| drop(cause));
    }
}

#[derive(Clone)]
struct Inner {
    origin: Arc<Origin>,
    /// The last of the chain of consumers.
    chain: Option<Arc<Link>>,
    /// The chain was cut.
    more: bool,
    others: Option<Arc<Others>>,
}

/// A consumer in a chain. Those that are nearer to the failed node are shared with their own errors.
struct Link {
    consumer: NodeInfo,
    nearer: Option<Arc<Link>>,
    length: usize,
}

/// Why a node has no value.
///
/// `Display` is one line. `Debug` is a small report, and what `main() -> Result<(), Error>` prints:
///
/// ```text
/// `parse_row` failed: invalid digit found in string
///   at src/main.rs:41:4, key parse_row-71c2a90f03de
///   needed by mean_delay, report
///   and 1 more node failed:
///     `parse_row` failed: number too large, at src/main.rs:41:4, key parse_row-0c11d4e6a870
/// ```
///
/// An error is about one node, the first that failed in the order of the arguments. If other inputs
/// of a consumer had failed too when it did, they are its [`others`](Error::others).
///
/// Cloning is cheap: every consumer of a failed node has the same error.
#[derive(Clone)]
pub struct Error(Arc<Inner>);

impl Error {
    pub(crate) fn new(node: NodeInfo, cause: Cause) -> Self {
        let origin = Arc::new(Origin { node, cause });
        Error(Arc::new(Inner { origin, chain: None, more: false, others: None }))
    }

    pub(crate) fn misuse(name: &'static str, place: Place, what: String) -> Self {
        Error::new(NodeInfo { name: Name::OfFunction(name), id: 0, place }, Cause::Misused(what))
    }

    pub(crate) fn panicked(node: NodeInfo, payload: Box<dyn Any + Send>) -> Self {
        Error::new(node, Cause::Panicked(panic::text(payload)))
    }

    /// The same error as `consumer` sees it, which needed the value.
    pub(crate) fn through(&self, consumer: NodeInfo) -> Self {
        let inner = &*self.0;
        if inner.more {
            return self.clone();
        }
        let length = inner.chain.as_ref().map_or(0, |last| last.length);
        if length == CHAIN {
            return Error(Arc::new(Inner { more: true, ..inner.clone() }));
        }
        let link = Link { consumer, nearer: inner.chain.clone(), length: length + 1 };
        Error(Arc::new(Inner { chain: Some(Arc::new(link)), ..inner.clone() }))
    }

    /// The node that failed. For an error that no node caused (a client that could not start,
    /// say), what was called and where.
    pub fn node(&self) -> &NodeInfo {
        &self.0.origin.node
    }

    /// Whether it is the node itself that failed, and not what it needed.
    #[cfg(feature = "tracing")]
    pub(crate) fn is_of(&self, node: &NodeInfo) -> bool {
        self.node().id == node.id
    }

    /// The nodes that needed the failed one, nearest first: at most 32 of them.
    pub fn chain(&self) -> impl ExactSizeIterator<Item = &NodeInfo> + '_ {
        let mut chain = Vec::with_capacity(CHAIN);
        let mut next = self.0.chain.as_deref();
        while let Some(link) = next {
            chain.push(&link.consumer);
            next = link.nearer.as_deref();
        }
        chain.into_iter().rev()
    }

    /// The other failures of what the node needed, as far as they were known when it failed: each node
    /// that failed once, in the order of the arguments, at most 32. Of a wish for several handles, the
    /// failures of the other handles.
    ///
    /// Each is an error with a node, a cause, and a chain, which ends where it met this error. It has no
    /// others of its own.
    ///
    /// ```
    /// # use delayed_runtime as delayed;
    /// # let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    /// # runtime.block_on(async {
    /// let parse = |text: &'static str| delayed::call(move || text.parse::<i64>(), ()).flatten();
    /// let sum: delayed::Delayed<i64> = ["1", "two", "3", "four"].map(parse).into_iter().sum();
    /// let [result] = delayed::settle([sum]).await;
    /// let error = result.unwrap_err();
    /// for failure in std::iter::once(&error).chain(error.others()) {
    ///     println!("{}, line {}", failure.node().file(), failure.node().line());
    /// }
    /// # assert_eq!(error.others().len(), 1);
    /// # });
    /// ```
    pub fn others(&self) -> impl ExactSizeIterator<Item = &Error> + '_ {
        self.0.others.as_ref().map_or(&[][..], |others| &others.list).iter()
    }

    /// How many other nodes failed, also those that [`others`](Error::others) leaves out. Where several
    /// errors that leave some out have met, there may be more: it is unknown which are the same.
    pub fn others_count(&self) -> usize {
        self.0.others.as_ref().map_or(0, |others| others.count)
    }

    /// Whether the node's function panicked. This and what follows is about [`node`](Error::node) alone;
    /// ask the [`others`](Error::others) themselves.
    pub fn is_panic(&self) -> bool {
        matches!(self.0.origin.cause, Cause::Panicked(_))
    }

    /// Whether the node was cancelled, with `cancel()`.
    pub fn is_cancelled(&self) -> bool {
        matches!(self.0.origin.cause, Cause::Cancelled)
    }

    /// Whether the node was cancelled, by somebody or by its time limit.
    pub(crate) fn is_given_up(&self) -> bool {
        matches!(self.0.origin.cause, Cause::Cancelled | Cause::TimedOut(_))
    }

    /// Whether the node took longer than its time limit, or its function failed with the `Elapsed` of
    /// `tokio::time::timeout`.
    pub fn is_timeout(&self) -> bool {
        matches!(self.0.origin.cause, Cause::TimedOut(_))
            || self.downcast_ref::<tokio::time::error::Elapsed>().is_some()
    }

    /// The first error of type `E` in what the function returned: the error itself, or one of its
    /// sources, also inside `anyhow::Error` and `Box<dyn Error>`.
    pub fn downcast_ref<E: StdError + 'static>(&self) -> Option<&E> {
        let Cause::Failed(Failure { kept, .. }) = &self.0.origin.cause else { return None };
        if let Some(found) = kept.value().and_then(|v| v.downcast_ref()) {
            return Some(found);
        }
        let mut next: Option<&(dyn StdError + 'static)> = Some(kept.error());
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref() {
                return Some(found);
            }
            next = error.source();
        }
        None
    }
}

impl Error {
    fn text(&self) -> String {
        let Origin { node, cause } = &*self.0.origin;
        let name = visible::name(node.name());
        match cause {
            Cause::Failed(Failure { kept, attempts: 1 }) => format!("`{name}` failed: {}", kept.error()),
            Cause::Failed(Failure { kept, attempts }) => {
                format!("`{name}` failed in each of {attempts} attempts: {}", kept.error())
            }
            Cause::Panicked(text) => format!("`{name}` panicked: {text}"),
            Cause::TimedOut(limit) => format!("`{name}` took longer than {limit:?}"),
            Cause::Cancelled => format!("`{name}` was cancelled"),
            Cause::ShutDown => format!("`{name}` was not finished: its client was shut down"),
            Cause::Misused(what) => format!("`{name}`: {what}"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.text();
        let mut lines = text.lines();
        f.write_str(&visible::line(lines.next().unwrap_or_default()))?;
        if lines.next().is_some() {
            f.write_str(" …")?;
        }
        match &self.0.others {
            Some(others) => write!(f, " ({others})"),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let node = self.node();
        let text = visible::lines(&self.text());
        write!(f, "{text}\n  at {}:{}:{}", node.file(), node.line(), node.column())?;
        if node.id != 0 {
            write!(f, ", key {}", node.shown_key())?;
        }
        let mut chain = self.chain();
        if let Some(first) = chain.next() {
            write!(f, "\n  needed by {}", visible::name(first.name()))?;
            for consumer in chain {
                write!(f, ", {}", visible::name(consumer.name()))?;
            }
            if self.0.more {
                f.write_str(", …")?;
            }
        }
        let mut cause = self.source().and_then(StdError::source);
        while let Some(error) = cause {
            write!(f, "\n  caused by: {}", visible::lines(&error.to_string()))?;
            cause = error.source();
        }
        let Some(others) = &self.0.others else { return Ok(()) };
        write!(f, "\n  {others}:")?;
        for other in &others.list {
            let node = other.node();
            write!(f, "\n    {other}, at {}:{}:{}", node.file(), node.line(), node.column())?;
            write!(f, ", key {}", node.shown_key())?;
        }
        if others.count > others.list.len() { f.write_str("\n    …") } else { Ok(()) }
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        match &self.0.origin.cause {
            Cause::Failed(Failure { kept, .. }) => Some(kept.error()),
            _ => None,
        }
    }
}
