//! How nodes are made of functions.
//!
//! One [`Vtable`] for each combination of function and argument types; what the functions here
//! instantiate is kept thin, because a program has one copy for each call with other types. What the optimiser
//! would not inline into them is inlined by force, but not in a build with debug assertions, where each copy would
//! be three times as long.

use crate::argument::{Callable, IntoArgs};
use crate::context;
use crate::error::{Cause, Error, Failure, NodeError};
use crate::given;
use crate::handle::{self, Delayed};
use crate::node::{self, DONE, Inputs, Kind, LAZY, Node, NodeRef, Outcome, Vtable};
use crate::pure;
use crate::slot::{Edges, Loading, Slots};
use crate::task::Function;
use std::any::{Any, TypeId};
use std::future::Future;
use std::marker::PhantomData;
use std::panic::Location;

/// What distinguishes the four kinds of functions: how to get from their return value to an
/// outcome.
pub(crate) trait Finish<R>: 'static {
    /// What the payload holds afterwards.
    type Value: Send + Sync + 'static;
    const KIND: Kind;

    /// # Safety
    ///
    /// The caller has the node's claim, and its payload is empty.
    unsafe fn finish(node: Node, returned: R) -> Outcome;
}

pub(crate) struct Plainly;
pub(crate) struct Fallibly;
pub(crate) struct Later<How>(How);

impl<R: Send + Sync + 'static> Finish<R> for Plainly {
    type Value = R;
    const KIND: Kind = Kind::Sync;

    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn finish(node: Node, returned: R) -> Outcome {
        // SAFETY: the caller's promise.
        unsafe { node.write(returned) };
        Outcome::Done
    }
}

impl<R: Send + Sync + 'static> Finish<Result<R, Failure>> for Fallibly {
    type Value = R;
    const KIND: Kind = Kind::Sync;

    #[cfg_attr(not(debug_assertions), inline(always))]
    unsafe fn finish(node: Node, returned: Result<R, Failure>) -> Outcome {
        match returned {
            // SAFETY: the caller's promise.
            Ok(value) => unsafe { Plainly::finish(node, value) },
            Err(failure) => failed(node, failure),
        }
    }
}

#[cold]
fn failed(node: Node, failure: Failure) -> Outcome {
    Outcome::Failed(Error::new(node.info(), Cause::Failed(failure)))
}

impl<Fut, How> Finish<Fut> for Later<How>
where
    Fut: Future<Output: Send> + Send + 'static,
    How: Finish<Fut::Output>,
{
    type Value = How::Value;
    const KIND: Kind = Kind::Future;

    unsafe fn finish(node: Node, future: Fut) -> Outcome {
        Outcome::Future(Box::new(Box::pin(async move {
            let returned = future.await;
            // SAFETY: the claim went with the future; the payload stays empty until here.
            unsafe { How::finish(node, returned) }
        })))
    }
}

/// The payload of a node that has not run: the plain arguments and the function.
type Call<A, F> = (<A as Slots>::Rest, F);

pub(crate) struct Body<N, A, F, R, How>(PhantomData<(N, A, F, R, How)>);

impl<N, A, F, R, How> Body<N, A, F, R, How>
where
    N: Function + 'static,
    A: Slots,
    F: FnOnce(A::Values) -> R + Send + 'static,
    How: Finish<R>,
{
    const VTABLE: Vtable = Vtable {
        task: &N::TASK,
        number: N::TASK.number(),
        kind: match How::KIND {
            Kind::Sync if N::TASK.runs_apart() => Kind::Blocking,
            kind => kind,
        },
        shape: A::SHAPE,
        tolerant: false,
        ordered: false,
        run: Self::run,
        drop_call: Self::drop_call,
        drop_value: drop_value::<How::Value>(),
        measure: measure::<How::Value>,
        size: node::payload_size::<Call<A, F>, How::Value>(),
        align: node::payload_align::<Call<A, F>, How::Value>(),
    };

    unsafe fn run(node: Node) -> Outcome {
        // SAFETY: a node that runs is claimed, and its payload and edges are whole.
        let ((rest, f), inputs) = unsafe { (node.read::<Call<A, F>>(), Inputs::new(node)) };
        let mut inputs = Loading::new(inputs);
        if A::MAY_REFUSE
            && let Some(error) = A::refusal(&rest, &inputs)
        {
            return Outcome::Failed(error);
        }
        let returned = f(A::load(rest, &mut inputs));
        // SAFETY: the payload was read, and the claim is still ours.
        unsafe { How::finish(node, returned) }
    }

    unsafe fn drop_call(node: Node) {
        // SAFETY: the node has not run.
        drop(unsafe { node.read::<Call<A, F>>() });
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn node(args: A, f: F, place: Option<&'static Location<'static>>) -> Delayed<How::Value> {
        if const { N::TASK.priority != 0 } {
            given::has_priority();
        }
        let edges = args.count();
        let node = Node::allocate(&Self::VTABLE, edges, LAZY, place);
        let rest = args.store(&mut Edges::new(node));
        // SAFETY: the node is new, and `store` has written its edges; its payload has room for the call; its value
        // will be a `How::Value`; the reference it was made with goes into the handle.
        unsafe {
            node.write::<Call<A, F>>((rest, f));
            node.weigh_inputs(edges);
            context::begin(node);
            let mut node = NodeRef::from_raw(node.built());
            if let Some(plain) = A::compared(&node.node().peek::<Call<A, F>>().0) {
                node = pure::one_of(node, TypeId::of::<(N, A)>(), plain);
            }
            Delayed::from_node(node)
        }
    }
}

pub(crate) const fn drop_value<R>() -> Option<unsafe fn(Node)> {
    unsafe fn drop_value<R>(node: Node) {
        // SAFETY: the node is done with an `R`, which nobody reads afterwards.
        drop(unsafe { node.read::<R>() });
    }
    if std::mem::needs_drop::<R>() { Some(drop_value::<R>) } else { None }
}

/// The [`measure`](Vtable::measure) of a node with a value of type `R`.
///
/// # Safety
///
/// The node is done with an `R`, which stays until this returns.
pub(crate) unsafe fn measure<R: 'static>(node: Node) -> usize {
    if !std::mem::needs_drop::<R>() {
        return size_of::<R>();
    }
    // SAFETY: the caller's promise.
    size_of::<R>() + behind(unsafe { node.peek::<R>() })
}

/// The bytes behind a value of one of the types that are known.
fn behind(value: &dyn Any) -> usize {
    macro_rules! vectors {
        ($($of:ty)*) => {$(
            if let Some(vector) = value.downcast_ref::<Vec<$of>>() {
                return vector.capacity() * size_of::<$of>();
            }
        )*};
    }
    vectors!(u8 f64 f32 i64 u64 i32 u32 usize i16 u16 i8 bool char isize i128 u128);
    value.downcast_ref::<String>().map_or(0, String::capacity)
}

/// A node of a function.
#[inline]
pub fn call_function<N, A, R, F>(args: A, f: F) -> Delayed<R>
where
    N: Function + 'static,
    A: Slots,
    R: handle::Value,
    F: FnOnce(A::Values) -> R + Send + 'static,
{
    Body::<N, A, F, R, Plainly>::node(args, f, None)
}

/// A node of a function that can fail.
#[inline]
pub fn call_fallible<N, A, R, F>(args: A, f: F) -> Delayed<R>
where
    N: Function + 'static,
    A: Slots,
    R: handle::Value,
    F: FnOnce(A::Values) -> Result<R, Failure> + Send + 'static,
{
    Body::<N, A, F, _, Fallibly>::node(args, f, None)
}

/// A node of an asynchronous function.
#[inline]
pub fn call_async_function<N, A, Fut, F>(args: A, f: F) -> Delayed<Fut::Output>
where
    N: Function + 'static,
    A: Slots,
    Fut: Future<Output: handle::Value> + Send + 'static,
    F: FnOnce(A::Values) -> Fut + Send + 'static,
{
    Body::<N, A, F, Fut, Later<Plainly>>::node(args, f, None)
}

/// A node of an asynchronous function that can fail.
#[inline]
pub fn call_async_fallible<N, A, R, Fut, F>(args: A, f: F) -> Delayed<R>
where
    N: Function + 'static,
    A: Slots,
    R: handle::Value,
    Fut: Future<Output = Result<R, Failure>> + Send + 'static,
    F: FnOnce(A::Values) -> Fut + Send + 'static,
{
    Body::<N, A, F, Fut, Later<Fallibly>>::node(args, f, None)
}

/// What a function whose return type is named `Result` returns.
#[diagnostic::on_unimplemented(
    message = "a return type named `Result` makes a node that can fail, and `{Self}` is no `core::result::Result`",
    label = "not a `core::result::Result`"
)]
pub trait IsResult {
    /// The type of the node's value.
    type Value;
}

impl<T, E> IsResult for Result<T, E> {
    type Value = T;
}

macro_rules! builtins {
    ($($(#[$doc:meta])* $name:ident($text:literal: $($param:literal),*);)*) => {$(
        $(#[$doc])*
        pub(crate) enum $name {}
        impl $crate::task::Function for $name {
            const TASK: $crate::task::Task = $crate::task::Task::builtin($text, &[$($param),*]);
        }
    )*};
}
pub(crate) use builtins;

builtins! {
    Value("value":);
    Called("call":);
    CalledAsync("call_async":);
}

/// A node of one of this crate's own operations, which remembers where it was made.
#[inline]
pub(crate) fn operation<N, A, R, F>(args: A, f: F, place: &'static Location<'static>) -> Delayed<R>
where
    N: Function + 'static,
    A: Slots,
    R: Send + Sync + 'static,
    F: FnOnce(A::Values) -> R + Send + 'static,
{
    Body::<N, A, F, R, Plainly>::node(args, f, Some(place))
}

/// The same for one that can fail.
pub(crate) fn fallible_operation<N, A, R, F>(args: A, f: F, place: &'static Location<'static>) -> Delayed<R>
where
    N: Function + 'static,
    A: Slots,
    R: Send + Sync + 'static,
    F: FnOnce(A::Values) -> Result<R, Failure> + Send + 'static,
{
    Body::<N, A, F, _, Fallibly>::node(args, f, Some(place))
}

/// A handle of a value that is there already.
///
/// Passing the handle to several functions shares the value: those that borrow it do not clone it.
#[track_caller]
pub fn value<T: Send + Sync + 'static>(value: T) -> Delayed<T> {
    struct Given<T>(PhantomData<T>);
    impl<T: Send + Sync + 'static> Given<T> {
        const VTABLE: Vtable = Vtable {
            task: &Value::TASK,
            number: 0,
            kind: Kind::Sync,
            shape: &[],
            tolerant: false,
            ordered: false,
            run: |_| Outcome::Done,
            drop_call: |_| {},
            drop_value: drop_value::<T>(),
            measure: measure::<T>,
            size: node::payload_size::<(), T>(),
            align: node::payload_align::<(), T>(),
        };
    }
    let node = Node::allocate(&Given::<T>::VTABLE, 0, DONE, Some(Location::caller()));
    // SAFETY: the node is new, and done with the `T` that is written.
    unsafe {
        node.write(value);
        Delayed::from_node(NodeRef::from_raw(node.built()))
    }
}

/// A node of any function or closure, for functions that cannot have `#[delayed]`.
///
/// `args` is a tuple with a value or a handle for each parameter. All parameters are taken by
/// value; a closure's parameters need their types: `call(|a: i64| a.abs(), (handle,))`.
///
/// ```
/// # use delayed_runtime as delayed;
/// let four = delayed::value(4);
/// let sum = delayed::call(|a: i64, b: i64| a + b, (&four, 3));
/// assert_eq!(sum.wait()?, 7);
/// # Ok::<(), delayed::Error>(())
/// ```
#[track_caller]
pub fn call<F, Args, Values>(f: F, args: Args) -> Delayed<F::Output>
where
    Args: IntoArgs<Values>,
    F: Callable<Values, Output: Send + Sync + 'static> + Send + 'static,
    Values: 'static,
{
    operation::<Called, _, _, _>(args.into_args(), |values| f.call(values), Location::caller())
}

/// A node of any function or closure that returns a future: [`call`] for asynchronous functions.
///
/// The future is a task of the client's tokio runtime.
#[track_caller]
pub fn call_async<F, Args, Values>(f: F, args: Args) -> Delayed<<F::Output as Future>::Output>
where
    Args: IntoArgs<Values>,
    F: Callable<Values, Output: Future<Output: Send + Sync + 'static> + Send + 'static> + Send + 'static,
    Values: 'static,
{
    let f = |values| f.call(values);
    Body::<CalledAsync, Args::Slots, _, F::Output, Later<Plainly>>::node(
        args.into_args(),
        f,
        Some(Location::caller()),
    )
}

/// A node whose function may fail with any error that converts into a box.
pub(crate) fn into_failure<R, E: NodeError>(result: Result<R, E>) -> Result<R, Failure> {
    result.map_err(NodeError::into_failure)
}
