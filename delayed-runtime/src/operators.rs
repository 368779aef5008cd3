//! Operators and combinators: handles made of handles.

use crate::argument::{IntoArg, IntoArgRef};
use crate::call::{builtins, drop_value, fallible_operation, into_failure, measure, operation};
use crate::collection::{Gather, nodes};
use crate::error::{Cause, Error, NodeError};
use crate::handle::{Delayed, Ref};
use crate::node::{self, Inputs, Kind, LAZY, Node, NodeRef, Outcome, SECOND, Vtable, group};
use crate::slot::{Edges, Handles, Loading, Slot};
use crate::task::Function;
use std::marker::PhantomData;
use std::ops;
use std::panic::Location;

builtins! {
    Map("map": "value");
    MapRef("map_ref": "value");
    Zip("zip": "left", "right");
    Unzip("unzip": "values");
    Flatten("flatten": "value");
    After("after": "first", "value");
    GatherAll("gather": "values");
    Sum("sum": "values");
}

impl<T: Clone + Send + Sync + 'static> Delayed<T> {
    /// A node of `f` of this value.
    #[track_caller]
    pub fn map<U: Send + Sync + 'static>(self, f: impl FnOnce(T) -> U + Send + 'static) -> Delayed<U> {
        operation::<Map, _, _, _>((IntoArg::<T>::into_arg(self),), |(value,)| f(value), Location::caller())
    }

    /// A node of this value and another.
    #[track_caller]
    pub fn zip<U: Clone + Send + Sync + 'static>(self, other: impl Into<Delayed<U>>) -> Delayed<(T, U)> {
        let args = (IntoArg::<T>::into_arg(self), IntoArg::<U>::into_arg(other.into()));
        operation::<Zip, _, _, _>(args, |pair| pair, Location::caller())
    }

    /// The same value, whose node is not begun before `other` is done: order without data. If
    /// `other` fails, so does this.
    ///
    /// The order is one of the handle that is returned. Whoever has another handle of the same node
    /// can still compute it earlier.
    #[track_caller]
    pub fn after<U: Send + Sync + 'static>(self, other: &Delayed<U>) -> Delayed<T> {
        struct Ordered<T>(PhantomData<T>);
        impl<T: Clone + Send + Sync + 'static> Ordered<T> {
            const VTABLE: Vtable = Vtable { ordered: true, run: Self::run, ..unordered::<T>(&After::TASK) };

            unsafe fn run(node: Node) -> Outcome {
                // SAFETY: a node that runs is claimed; its second edge is a `T`.
                unsafe {
                    let mut inputs = Inputs::new(node);
                    drop(inputs.next());
                    node.write::<T>(inputs.next().take());
                }
                Outcome::Done
            }
        }
        let node = Node::allocate(&Ordered::<T>::VTABLE, 2, LAZY, Some(Location::caller()));
        // SAFETY: the node is new and has two edges; its value will be a `T`.
        unsafe {
            node.set_edge(0, other.clone().into_node());
            node.set_edge(1, self.into_node());
            Delayed::from_node(NodeRef::from_raw(node.built()))
        }
    }
}

/// A vtable of a node whose payload is empty until it has a `T`; `run` is missing.
const fn unordered<T: 'static>(task: &'static crate::task::Task) -> Vtable {
    Vtable {
        task,
        number: 0,
        kind: Kind::Sync,
        shape: &[Some(1), Some(1)],
        tolerant: false,
        ordered: false,
        run: |_| Outcome::Done,
        drop_call: |_| {},
        drop_value: drop_value::<T>(),
        measure: measure::<T>,
        size: node::payload_size::<(), T>(),
        align: node::payload_align::<(), T>(),
    }
}

impl<T: Send + Sync + 'static> Delayed<T> {
    /// A node of `f` of a reference to this value, which is not cloned.
    #[track_caller]
    pub fn map_ref<U: Send + Sync + 'static>(&self, f: impl FnOnce(&T) -> U + Send + 'static) -> Delayed<U> {
        let args = (IntoArgRef::<T>::into_arg_ref(self),);
        operation::<MapRef, _, _, _>(args, |(value,): (Ref<T>,)| f(&value), Location::caller())
    }
}

impl<T: Clone + Send + Sync + 'static> Delayed<Delayed<T>> {
    /// The value of the handle that this node makes. A function that builds more graph returns a
    /// handle of it; no thread is blocked until that is computed.
    ///
    /// A node whose inner handle needs the node itself waits for ever. It takes a shared cell to
    /// make one; only the shortest such circle is noticed and fails.
    #[track_caller]
    pub fn flatten(self) -> Delayed<T> {
        struct Flat<T>(PhantomData<T>);
        impl<T: Clone + Send + Sync + 'static> Flat<T> {
            const VTABLE: Vtable = Vtable { run: Self::run, ..unordered::<T>(&Flatten::TASK) };

            unsafe fn run(node: Node) -> Outcome {
                // SAFETY: a node that runs is claimed. Its edge is a handle's handle the first
                // time, which `SECOND` says, and then the handle.
                unsafe {
                    let input = Inputs::new(node).next();
                    if node.has(SECOND) {
                        node.write::<T>(input.take());
                        return Outcome::Done;
                    }
                    let handle = input.take::<Delayed<T>>();
                    if handle.node() == node {
                        let what =
                            "it is the handle that its own input made, so it waits for itself".to_owned();
                        return Outcome::Failed(Error::new(node.info(), Cause::Misused(what)));
                    }
                    node.set_edge(0, handle.into_node());
                }
                Outcome::Again
            }
        }
        let node = Node::allocate(&Flat::<T>::VTABLE, 1, LAZY, Some(Location::caller()));
        // SAFETY: the node is new and has one edge; its value will be a `T`.
        unsafe {
            node.set_edge(0, self.into_node());
            Delayed::from_node(NodeRef::from_raw(node.built()))
        }
    }
}

impl<T, E> Delayed<Result<T, E>>
where
    T: Clone + Send + Sync + 'static,
    E: NodeError + Clone + Send + Sync + 'static,
{
    /// The value if it is `Ok`; a node that fails if it is `Err`.
    #[track_caller]
    pub fn flatten(self) -> Delayed<T> {
        let args = (IntoArg::<Result<T, E>>::into_arg(self),);
        fallible_operation::<Flatten, _, _, _>(args, |(result,)| into_failure(result), Location::caller())
    }
}

/// A node of one part of a tuple.
fn part<T, U>(tuple: &Delayed<T>, part: fn(&T) -> U, at: &'static Location<'static>) -> Delayed<U>
where
    T: Send + Sync + 'static,
    U: Send + Sync + 'static,
{
    let args = (IntoArgRef::<T>::into_arg_ref(tuple),);
    operation::<Unzip, _, _, _>(args, move |(tuple,): (Ref<T>,)| part(&tuple), at)
}

macro_rules! unzip {
    ($($t:ident $i:tt),*) => {
        impl<$($t: Clone + Send + Sync + 'static),*> Delayed<($($t,)*)> {
            /// A handle for each part.
            #[track_caller]
            pub fn unzip(self) -> ($(Delayed<$t>,)*) {
                let at = Location::caller();
                ($(part(&self, |tuple| tuple.$i.clone(), at),)*)
            }
        }
    };
}

unzip!(A 0, B 1);
unzip!(A 0, B 1, C 2);

/// The handles of a collection that will be gathered.
struct Gathered<C>(C);

impl<C: Gather + Send + 'static> Slot for Gathered<C> {
    type Value = C::Output;
    /// The collection keeps its handles, so that each value finds its place; the edges are further
    /// references to the same nodes.
    type Rest = C;
    const EDGES: Option<usize> = Some(1);

    fn count(&self) -> usize {
        1
    }
    fn edges(_: &C) -> usize {
        1
    }
    fn store(self, edges: &mut Edges) -> C {
        edges.push_group(group::of(nodes(&self.0), false));
        self.0
    }
    fn load(collection: C, inputs: &mut Loading) -> C::Output {
        inputs.drop_group();
        collection.__values()
    }
}

/// One handle of all values of a collection of handles, in the collection's shape. Use it where a
/// function takes a shape that cannot be passed with handles inside, such as an option or a map.
///
/// ```
/// # use delayed_runtime as delayed;
/// use std::collections::BTreeMap;
/// let prices = BTreeMap::from([("tea", delayed::value(3)), ("milk", delayed::value(1))]);
/// let total = delayed::gather(prices).map(|prices| prices.values().sum::<i32>());
/// assert_eq!(total.wait()?, 4);
/// # Ok::<(), delayed::Error>(())
/// ```
#[track_caller]
pub fn gather<C>(handles: C) -> Delayed<C::Output>
where
    C: Gather<Output: Send + Sync + 'static> + Send + 'static,
{
    operation::<GatherAll, _, _, _>((Gathered(handles),), |(values,)| values, Location::caller())
}

impl<T: Clone + Send + Sync + 'static> FromIterator<Delayed<T>> for Delayed<Vec<T>> {
    #[track_caller]
    fn from_iter<I: IntoIterator<Item = Delayed<T>>>(handles: I) -> Self {
        operation::<GatherAll, _, _, _>((Handles::taken(handles),), |(values,)| values, Location::caller())
    }
}

impl<'a, T: Clone + Send + Sync + 'static> FromIterator<&'a Delayed<T>> for Delayed<Vec<T>> {
    #[track_caller]
    fn from_iter<I: IntoIterator<Item = &'a Delayed<T>>>(handles: I) -> Self {
        handles.into_iter().cloned().collect()
    }
}

impl<T, S> std::iter::Sum<Delayed<T>> for Delayed<S>
where
    T: Clone + Send + Sync + 'static,
    S: std::iter::Sum<T> + Send + Sync + 'static,
{
    #[track_caller]
    fn sum<I: Iterator<Item = Delayed<T>>>(handles: I) -> Self {
        let args = (Handles::taken(handles),);
        operation::<Sum, _, _, _>(args, |(values,)| values.into_iter().sum(), Location::caller())
    }
}

impl<'a, T, S> std::iter::Sum<&'a Delayed<T>> for Delayed<S>
where
    T: Clone + Send + Sync + 'static,
    S: std::iter::Sum<T> + Send + Sync + 'static,
{
    #[track_caller]
    fn sum<I: Iterator<Item = &'a Delayed<T>>>(handles: I) -> Self {
        handles.cloned().sum()
    }
}

#[track_caller]
fn binary<N, A, B, R>(a: impl IntoArg<A>, b: impl IntoArg<B>, f: fn(A, B) -> R) -> Delayed<R>
where
    N: Function + 'static,
    A: Send + Sync + 'static,
    B: Send + Sync + 'static,
    R: Send + Sync + 'static,
{
    operation::<N, _, _, _>((a.into_arg(), b.into_arg()), move |(a, b)| f(a, b), Location::caller())
}

/// The four combinations of owned and borrowed handles, then the literals of both sides.
macro_rules! binary_operators {
    ($($tr:ident $method:ident $text:literal: $($primitive:ty)*;)*) => {$(
        const _: () = {
            builtins! { Operator($text: "left", "right"); }

            binary_operators!(@handles $tr $method Delayed<A>, Delayed<B>);
            binary_operators!(@handles $tr $method Delayed<A>, &Delayed<B>);
            binary_operators!(@handles $tr $method &Delayed<A>, Delayed<B>);
            binary_operators!(@handles $tr $method &Delayed<A>, &Delayed<B>);
            $(
                binary_operators!(@literal $tr $method $primitive, Delayed<$primitive>, $primitive);
                binary_operators!(@literal $tr $method $primitive, &Delayed<$primitive>, $primitive);
                binary_operators!(@literal $tr $method $primitive, $primitive, Delayed<$primitive>);
                binary_operators!(@literal $tr $method $primitive, $primitive, &Delayed<$primitive>);
            )*
        };
    )*};
    (@handles $tr:ident $method:ident $left:ty, $right:ty) => {
        impl<A, B> ops::$tr<$right> for $left
        where
            A: ops::$tr<B, Output: Send + Sync + 'static> + Clone + Send + Sync + 'static,
            B: Clone + Send + Sync + 'static,
        {
            type Output = Delayed<A::Output>;

            #[track_caller]
            fn $method(self, right: $right) -> Self::Output {
                binary::<Operator, A, B, _>(self, right, ops::$tr::$method)
            }
        }
    };
    (@literal $tr:ident $method:ident $t:ty, $left:ty, $right:ty) => {
        // Some five hundred of them would hide the rest of the handle's page.
        #[doc(hidden)]
        impl ops::$tr<$right> for $left {
            type Output = Delayed<$t>;

            #[track_caller]
            fn $method(self, right: $right) -> Delayed<$t> {
                binary::<Operator, $t, $t, _>(self, right, ops::$tr::$method)
            }
        }
    };
}

binary_operators! {
    Add add "add": i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64;
    Sub sub "sub": i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64;
    Mul mul "mul": i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64;
    Div div "div": i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64;
    Rem rem "rem": i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize f32 f64;
    BitAnd bitand "bitand": bool i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize;
    BitOr bitor "bitor": bool i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize;
    BitXor bitxor "bitxor": bool i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize;
    Shl shl "shl": i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize;
    Shr shr "shr": i8 i16 i32 i64 i128 isize u8 u16 u32 u64 u128 usize;
}

macro_rules! unary_operators {
    ($($tr:ident $method:ident $text:literal;)*) => {$(
        const _: () = {
            builtins! { Operator($text: "value"); }

            unary_operators!(@ $tr $method Delayed<A>);
            unary_operators!(@ $tr $method &Delayed<A>);
        };
    )*};
    (@ $tr:ident $method:ident $from:ty) => {
        impl<A> ops::$tr for $from
        where
            A: ops::$tr<Output: Send + Sync + 'static> + Clone + Send + Sync + 'static,
        {
            type Output = Delayed<A::Output>;

            #[track_caller]
            fn $method(self) -> Self::Output {
                let args = (IntoArg::<A>::into_arg(self),);
                operation::<Operator, _, _, _>(args, |(value,)| ops::$tr::$method(value), Location::caller())
            }
        }
    };
}

unary_operators! {
    Neg neg "neg";
    Not not "not";
}
