//! The typed handle of a node, and the reference to its value.

use crate::node::{CANCELLED, CLAIMED, DONE, FAILED, LAZY, LOCKED, Node, NodeRef};
use std::fmt;
use std::marker::{PhantomData, PhantomPinned};
use std::ops::Deref;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// What can flow through a graph: every type that is `Send + Sync + 'static`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot flow through a graph, because threads cannot share it",
    label = "not `Send + Sync + 'static`",
    note = "values move between threads and may have several readers, so they are `Send + Sync + 'static`: \
            use `Arc` for `Rc`, `Mutex` for `RefCell`, an owned type for a borrow, or bounds on a type parameter"
)]
pub trait Value: Send + Sync + 'static {}

#[diagnostic::do_not_recommend]
impl<T: ?Sized + Send + Sync + 'static> Value for T {}

/// A handle: a value of type `T` that may not have been computed yet.
///
/// Handles are made by functions with `#[delayed]`, by [`value`](crate::value) and
/// [`call`](crate::call), and by the methods and operators below. A handle is one pointer;
/// cloning it counts a reference. Nothing runs until a handle is computed, persisted or awaited,
/// and then each node runs at most once, however many handles refer to it.
///
/// A node keeps its value as long as a handle or a node that has not run can reach it.
///
/// Handles, owned or borrowed, have the operators that their values have. Between a handle and a
/// number or `bool` of its type, on either side, they work too: `1 - &x`. Comparisons have to give a
/// plain `bool`, so they need values: `x.map(|x| x > 3)`.
#[must_use = "a handle does nothing until it is computed, persisted or awaited"]
pub struct Delayed<T: Value> {
    node: NodeRef,
    value: PhantomData<fn() -> T>,
    /// Not `Unpin`, so that a parameter of any type `T: Unpin` is not taken for one that wants
    /// the handle itself: see [`IntoAny`](crate::IntoAny).
    _pin: PhantomPinned,
}

/// What a node is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum Status {
    /// Nobody has asked for it.
    Lazy,
    /// It is wanted, and waits for its inputs or its turn.
    Waiting,
    /// Its function is running.
    Running,
    /// It has a value.
    Done,
    /// It has an error: its function failed or panicked, an input failed, or it was cancelled.
    Failed,
}

impl Status {
    pub(crate) fn of(node: Node) -> Status {
        match node.word(Ordering::Acquire).state() {
            LAZY | LOCKED => Status::Lazy,
            CLAIMED if node.is_running() => Status::Running,
            CLAIMED => Status::Waiting,
            DONE => Status::Done,
            _ => Status::Failed,
        }
    }
}

impl<T: Send + Sync + 'static> Delayed<T> {
    /// # Safety
    ///
    /// The node's value is a `T`.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) unsafe fn from_node(node: NodeRef) -> Self {
        Delayed { node, value: PhantomData, _pin: PhantomPinned }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn into_node(self) -> NodeRef {
        self.node
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn node(&self) -> Node {
        self.node.node()
    }

    /// The node's name and a number that no other node of this process has: `add-5f3a09c2d41b`.
    pub fn key(&self) -> String {
        self.node().info().key()
    }

    /// The function's name, or the one given with [`named`](Delayed::named).
    pub fn name(&self) -> String {
        self.node().info().name().to_owned()
    }

    /// Gives the node a name of its own, which errors and pictures show: `read(path).named(path)`
    /// says which file could not be read. All handles of the node show the name, and the node's key
    /// begins with it.
    pub fn named(self, name: impl AsRef<str>) -> Self {
        self.node().set_name(name.as_ref());
        self
    }

    /// Gives the node a priority, in place of its function's. Of what is ready, nodes above zero go
    /// first, with what they need, the highest first, and nodes below zero last. It counts from the
    /// next time that the node is demanded; what is running is not interrupted.
    ///
    /// Once a program has a node with a priority, each wish first looks at all nodes that it needs,
    /// which takes about as long as building them did.
    pub fn priority(self, priority: i32) -> Self {
        self.node().set_priority(priority);
        self
    }

    /// Gives the node a time limit, in place of its function's. It counts from when the function is
    /// called, over all attempts and the delays between them. When it is over, what needs the node
    /// fails at once, with an error for which [`is_timeout`](crate::Error::is_timeout) holds. A future
    /// is dropped at its `await`. A function that is not asynchronous cannot be stopped: it keeps its
    /// thread until it returns, and what it returns is thrown away. So that nothing else has to wait for
    /// that, it runs on the blocking pool, as with `blocking`.
    ///
    /// It counts if it is given before the node's turn comes.
    pub fn timeout(self, limit: Duration) -> Self {
        self.node().set_timeout(limit);
        self
    }

    /// What the node is doing now.
    pub fn status(&self) -> Status {
        Status::of(self.node())
    }

    /// The result, if there is one already.
    pub fn try_get(&self) -> Option<Result<Ref<T>, crate::Error>> {
        match self.node().word(Ordering::Acquire).state() {
            // SAFETY: the node is done with a `T`.
            DONE => Some(Ok(unsafe { Ref::new(self.node.clone()) })),
            FAILED | CANCELLED => Some(Err(self.node().error())),
            _ => None,
        }
    }
}

impl<T: Send + Sync + 'static> Clone for Delayed<T> {
    #[cfg_attr(not(debug_assertions), inline(always))]
    fn clone(&self) -> Self {
        // SAFETY: the same node.
        unsafe { Self::from_node(self.node.clone()) }
    }
}

impl<T: Send + Sync + 'static> From<&Delayed<T>> for Delayed<T> {
    fn from(handle: &Delayed<T>) -> Self {
        handle.clone()
    }
}

impl<T: Send + Sync + 'static> fmt::Debug for Delayed<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Delayed").field(&self.key()).finish()
    }
}

/// A shared reference to the value of a node, which keeps the value alive.
pub struct Ref<T> {
    node: NodeRef,
    value: PhantomData<fn() -> T>,
}

impl<T> Ref<T> {
    /// # Safety
    ///
    /// The node is done and its value is a `T`.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) unsafe fn new(node: NodeRef) -> Self {
        Ref { node, value: PhantomData }
    }
}

impl<T> Deref for Ref<T> {
    type Target = T;

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn deref(&self) -> &T {
        // SAFETY: a done node keeps its value while there are two references, or only this one.
        unsafe { self.node.node().peek() }
    }
}

impl<T> Clone for Ref<T> {
    fn clone(&self) -> Self {
        Ref { node: self.node.clone(), value: PhantomData }
    }
}

impl<T> AsRef<T> for Ref<T> {
    fn as_ref(&self) -> &T {
        self
    }
}

impl<T: fmt::Debug> fmt::Debug for Ref<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&**self, f)
    }
}

impl<T: fmt::Display> fmt::Display for Ref<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&**self, f)
    }
}

impl<T: PartialEq> PartialEq for Ref<T> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: PartialEq> PartialEq<T> for Ref<T> {
    fn eq(&self, other: &T) -> bool {
        **self == *other
    }
}

impl<T: Eq> Eq for Ref<T> {}
