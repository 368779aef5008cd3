//! What may be passed where a function takes a `T` or a `&T`, and how a node stores it.
//!
//! An argument is split in two when its node is made: handles become edges of the node, the rest
//! goes into the payload. When the node runs, [`Slot::load`] puts both together again.

use crate::error::{Cause, Error};
use crate::handle::{Delayed, Ref, Value};
use crate::node::group::{self, Leaves};
use crate::node::{Inputs, MOST_EDGES, Node, NodeRef};
use std::marker::PhantomData;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The largest number of inputs of one `Vec` argument that a node keeps in edges of its own.
const INLINE: usize = MOST_EDGES / 2;

/// An argument as it was passed.
pub trait Slot: Send + 'static {
    /// What the function gets.
    type Value;
    /// What the payload keeps.
    type Rest: Send + 'static;
    /// The number of edges, if it is the same for all arguments of this type.
    #[doc(hidden)]
    const EDGES: Option<usize>;
    /// Whether [`Slot::refusal`] can say something.
    #[doc(hidden)]
    const MAY_REFUSE: bool = false;

    /// How many handles the argument holds.
    #[doc(hidden)]
    fn count(&self) -> usize;

    #[doc(hidden)]
    fn store(self, edges: &mut Edges) -> Self::Rest;

    /// Why the function cannot run although the inputs are done. `skip` edges come before.
    #[doc(hidden)]
    fn refusal(_rest: &Self::Rest, _inputs: &Loading, _skip: &mut usize) -> Option<Error> {
        None
    }

    #[doc(hidden)]
    fn load(rest: Self::Rest, inputs: &mut Loading) -> Self::Value;
}

/// Writes the edges of a node that is being made.
#[derive(Debug)]
pub struct Edges {
    node: Node,
    at: usize,
    may_inline: bool,
}

/// How the handles of a `Vec` argument are stored: the first `Vec` of a call directly in the
/// node's edges while it is short, others as one edge to a group.
#[derive(Debug, Clone, Copy)]
pub struct Many {
    len: usize,
    inline: bool,
}

impl Edges {
    pub(crate) fn new(node: Node) -> Self {
        Edges { node, at: 0, may_inline: true }
    }

    #[inline(always)]
    fn push(&mut self, input: NodeRef) {
        // SAFETY: the node is being made; `count` has counted this edge.
        unsafe { self.node.set_edge(self.at, input) };
        self.at += 1;
    }

    fn push_many(&mut self, inputs: impl ExactSizeIterator<Item = NodeRef>) -> Many {
        let len = inputs.len();
        let inline = is_inline(len, &mut self.may_inline);
        if inline {
            inputs.for_each(|input| self.push(input));
        } else {
            self.push(group::of(inputs.collect(), false));
        }
        Many { len, inline }
    }
}

impl Edges {
    /// One edge to a group made elsewhere.
    pub(crate) fn push_group(&mut self, group: NodeRef) {
        self.push(group);
    }
}

fn is_inline(len: usize, may_inline: &mut bool) -> bool {
    std::mem::replace(may_inline, false) && len <= INLINE
}

/// Counts the edges of a call before its node is made.
#[derive(Debug)]
pub(crate) struct Counting {
    edges: usize,
    may_inline: bool,
}

impl Counting {
    pub(crate) fn new() -> Self {
        Counting { edges: 0, may_inline: true }
    }

    pub(crate) fn edges(&self) -> usize {
        self.edges
    }

    #[inline(always)]
    fn add<S: Slot>(&mut self, slot: &S) {
        self.edges += match S::EDGES {
            Some(edges) => edges,
            None => match slot.count() {
                len if is_inline(len, &mut self.may_inline) => len,
                _ => 1,
            },
        };
    }
}

/// Reads the inputs of a node that runs.
#[derive(Debug)]
pub struct Loading(Inputs);

impl Loading {
    pub(crate) fn new(inputs: Inputs) -> Self {
        Loading(inputs)
    }

    /// Gives up one input.
    pub(crate) fn drop_group(&mut self) {
        drop(self.0.next());
    }

    /// Appends the inputs of one `Vec` argument to `values`.
    fn for_each(&mut self, many: Many, mut f: impl FnMut(NodeRef)) {
        if many.inline {
            for _ in 0..many.len {
                f(self.0.next());
            }
        } else {
            // SAFETY: the edge is a group made by `push_many`, whose handle nobody else has.
            unsafe { Leaves::new(self.0.next()) }.for_each(f);
        }
    }
}

/// A plain value.
#[derive(Debug)]
pub struct Plain<T>(pub(crate) T);

impl<T: Send + 'static> Slot for Plain<T> {
    type Value = T;
    type Rest = T;
    const EDGES: Option<usize> = Some(0);

    fn count(&self) -> usize {
        0
    }

    #[inline(always)]
    fn store(self, _: &mut Edges) -> T {
        self.0
    }

    #[inline(always)]
    fn load(rest: T, _: &mut Loading) -> T {
        rest
    }
}

/// A handle whose value is moved into its last consumer and cloned for the others.
#[derive(Debug)]
pub struct Owned<T: Send + Sync + 'static>(Delayed<T>);

impl<T: Clone + Send + Sync + 'static> Slot for Owned<T> {
    type Value = T;
    type Rest = ();
    const EDGES: Option<usize> = Some(1);

    fn count(&self) -> usize {
        1
    }

    #[inline(always)]
    fn store(self, edges: &mut Edges) {
        edges.push(self.0.into_node());
    }

    #[inline(always)]
    fn load((): (), inputs: &mut Loading) -> T {
        // SAFETY: the input is done; `store` took it from a handle of `T`.
        unsafe { inputs.0.next().take() }
    }
}

/// A handle whose value the function borrows.
#[derive(Debug)]
pub struct Shared<T: Send + Sync + 'static>(Delayed<T>);

impl<T: Send + Sync + 'static> Slot for Shared<T> {
    type Value = Ref<T>;
    type Rest = ();
    const EDGES: Option<usize> = Some(1);

    fn count(&self) -> usize {
        1
    }

    #[inline(always)]
    fn store(self, edges: &mut Edges) {
        edges.push(self.0.into_node());
    }

    #[inline(always)]
    fn load((): (), inputs: &mut Loading) -> Ref<T> {
        // SAFETY: the input is done; `store` took it from a handle of `T`.
        unsafe { Ref::new(inputs.0.next()) }
    }
}

/// A handle whose value must be moved: made by [`Delayed::sole`].
///
/// Passing it where a function takes a `T` by value asks for no `Clone`. If somebody else still
/// needs the value when the function is about to run, the function does not run, and its node
/// fails with an error that names both nodes.
#[must_use = "a handle does nothing until it is computed, persisted or awaited"]
#[derive(Debug)]
pub struct Sole<T: Send + Sync + 'static>(Delayed<T>);

impl<T: Send + Sync + 'static> Delayed<T> {
    /// Says that the next consumer is the only one, so that the value can be moved into it even if
    /// it cannot be cloned.
    pub fn sole(self) -> Sole<T> {
        Sole(self)
    }
}

impl<T: Send + Sync + 'static> Slot for Sole<T> {
    type Value = T;
    type Rest = ();
    const EDGES: Option<usize> = Some(1);
    const MAY_REFUSE: bool = true;

    fn count(&self) -> usize {
        1
    }

    fn store(self, edges: &mut Edges) {
        edges.push(self.0.into_node());
    }

    fn refusal((): &(), inputs: &Loading, skip: &mut usize) -> Option<Error> {
        let input = inputs.0.ahead(*skip);
        *skip += 1;
        if input.is_unique() {
            return None;
        }
        let what = format!(
            "it takes the value of `{}` for itself, by `sole()`, but somebody else still needs that value; \
             drop the other handles, borrow the value with a parameter `&T`, or make its type `Clone`",
            input.info().key()
        );
        Some(Error::new(inputs.0.consumer().info(), Cause::Misused(what)))
    }

    fn load((): (), inputs: &mut Loading) -> T {
        // SAFETY: the input is done, `store` took it from a handle of `T`, and `refusal` has seen
        // that there is no other reference; only this consumer could make one.
        unsafe { inputs.0.next().take_unique() }
    }
}

/// A `Vec` of handles.
#[derive(Debug)]
pub struct Handles<T: Send + Sync + 'static>(Vec<NodeRef>, PhantomData<fn() -> T>);

impl<T: Send + Sync + 'static> Handles<T> {
    fn of<'a>(handles: impl IntoIterator<Item = &'a Delayed<T>>) -> Self {
        Handles(handles.into_iter().map(|h| h.clone().into_node()).collect(), PhantomData)
    }

    pub(crate) fn taken(handles: impl IntoIterator<Item = Delayed<T>>) -> Self {
        Handles(handles.into_iter().map(Delayed::into_node).collect(), PhantomData)
    }
}

impl<T: Clone + Send + Sync + 'static> Slot for Handles<T> {
    type Value = Vec<T>;
    type Rest = Many;
    const EDGES: Option<usize> = None;

    fn count(&self) -> usize {
        self.0.len()
    }

    fn store(self, edges: &mut Edges) -> Many {
        edges.push_many(self.0.into_iter())
    }

    fn load(many: Many, inputs: &mut Loading) -> Vec<T> {
        let mut values = Vec::with_capacity(many.len);
        // SAFETY: the inputs are done; they came from handles of `T`.
        inputs.for_each(many, |input| values.push(unsafe { input.take() }));
        values
    }
}

/// An array of handles.
#[derive(Debug)]
pub struct HandleArray<T: Send + Sync + 'static, const N: usize>(Handles<T>);

impl<T: Clone + Send + Sync + 'static, const N: usize> Slot for HandleArray<T, N> {
    type Value = [T; N];
    type Rest = Many;
    const EDGES: Option<usize> = None;

    fn count(&self) -> usize {
        N
    }

    fn store(self, edges: &mut Edges) -> Many {
        self.0.store(edges)
    }

    fn load(many: Many, inputs: &mut Loading) -> [T; N] {
        match Handles::load(many, inputs).try_into() {
            Ok(values) => values,
            Err(_) => unreachable!("an array of N handles gives N values"),
        }
    }
}

/// A `Vec` of `Vec`s of handles.
#[derive(Debug)]
pub struct HandleRows<T: Send + Sync + 'static>(Vec<Vec<Delayed<T>>>);

impl<T: Clone + Send + Sync + 'static> Slot for HandleRows<T> {
    type Value = Vec<Vec<T>>;
    type Rest = (Many, Vec<usize>);
    const EDGES: Option<usize> = None;

    fn count(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }

    fn store(self, edges: &mut Edges) -> Self::Rest {
        let lens = self.0.iter().map(Vec::len).collect();
        let flat: Vec<NodeRef> = self.0.into_iter().flatten().map(Delayed::into_node).collect();
        (edges.push_many(flat.into_iter()), lens)
    }

    fn load((many, lens): Self::Rest, inputs: &mut Loading) -> Self::Value {
        let mut flat = Handles::load(many, inputs).into_iter();
        lens.into_iter().map(|len| flat.by_ref().take(len).collect()).collect()
    }
}

/// A pair in which at least one side is a handle.
#[derive(Debug)]
pub struct Pair<A, B>(A, B);

impl<A: Slot, B: Slot> Slot for Pair<A, B> {
    type Value = (A::Value, B::Value);
    type Rest = (A::Rest, B::Rest);
    const EDGES: Option<usize> = match (A::EDGES, B::EDGES) {
        (Some(a), Some(b)) => Some(a + b),
        _ => None,
    };

    fn count(&self) -> usize {
        self.0.count() + self.1.count()
    }

    fn store(self, edges: &mut Edges) -> Self::Rest {
        (self.0.store(edges), self.1.store(edges))
    }

    fn load((a, b): Self::Rest, inputs: &mut Loading) -> Self::Value {
        (A::load(a, inputs), B::load(b, inputs))
    }
}

/// A plain value that the function borrows.
#[derive(Debug)]
pub struct Held<T>(T);

impl<T> Deref for Held<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

/// The target of the target: a `Box<dyn Trait>` that is behind a reference itself.
#[derive(Debug)]
pub struct Twice<D>(D);

impl<D: Deref<Target: Deref>> Deref for Twice<D> {
    type Target = <D::Target as Deref>::Target;

    fn deref(&self) -> &Self::Target {
        &self.0
    }
}

macro_rules! wrapped {
    ($($(#[$doc:meta])* $name:ident => $wrapper:ident),*) => {$(
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name<S>(S);

        impl<S: Slot> Slot for $name<S> {
            type Value = $wrapper<S::Value>;
            type Rest = S::Rest;
            const EDGES: Option<usize> = S::EDGES;
            const MAY_REFUSE: bool = S::MAY_REFUSE;

            fn count(&self) -> usize {
                self.0.count()
            }
            #[inline(always)]
            fn store(self, edges: &mut Edges) -> S::Rest {
                self.0.store(edges)
            }
            fn refusal(rest: &S::Rest, inputs: &Loading, skip: &mut usize) -> Option<Error> {
                S::refusal(rest, inputs, skip)
            }
            #[inline(always)]
            fn load(rest: S::Rest, inputs: &mut Loading) -> Self::Value {
                $wrapper(S::load(rest, inputs))
            }
        }
    )*};
}

wrapped! {
    /// An owned value that is borrowed as itself.
    Borrowed => Held,
    /// A pointer in a node that is borrowed as what it points to.
    Through => Twice
}

/// The arguments of a call.
pub trait Slots: Send + 'static {
    /// What the function gets, as a tuple.
    type Values;
    /// What the payload keeps.
    type Rest: Send + 'static;
    /// [`Slot::EDGES`] of each.
    #[doc(hidden)]
    const SHAPE: &'static [Option<usize>];
    /// Whether [`Slots::refusal`] can say something.
    #[doc(hidden)]
    const MAY_REFUSE: bool;

    #[doc(hidden)]
    fn count(&self) -> usize;
    #[doc(hidden)]
    fn store(self, edges: &mut Edges) -> Self::Rest;
    #[doc(hidden)]
    fn refusal(rest: &Self::Rest, inputs: &Loading) -> Option<Error>;
    #[doc(hidden)]
    fn load(rest: Self::Rest, inputs: &mut Loading) -> Self::Values;
}

/// A tuple of arguments for [`call`](crate::call): each is a value or a handle of one.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no tuple of arguments for a function of `{Values}`",
    label = "expected a tuple with a value or a handle for each parameter",
    note = "one argument is a tuple too: `(x,)`"
)]
pub trait IntoArgs<Values> {
    #[doc(hidden)]
    type Slots: Slots<Values = Values>;
    #[doc(hidden)]
    fn into_args(self) -> Self::Slots;
}

/// A function that takes the tuple `Values` as its arguments.
pub trait Callable<Values> {
    /// What the function returns.
    type Output;
    #[doc(hidden)]
    fn call(self, values: Values) -> Self::Output;
}

macro_rules! tuples {
    ($(($($s:ident $x:ident $i:tt)*))*) => {$(
        #[allow(unused_variables, unused_mut, non_snake_case, clippy::unused_unit)]
        impl<$($s: Slot),*> Slots for ($($s,)*) {
            type Values = ($($s::Value,)*);
            type Rest = ($($s::Rest,)*);
            const SHAPE: &'static [Option<usize>] = &[$($s::EDGES),*];
            const MAY_REFUSE: bool = false $(|| $s::MAY_REFUSE)*;

            #[inline(always)]
            fn count(&self) -> usize {
                let mut counting = Counting::new();
                $(counting.add(&self.$i);)*
                counting.edges()
            }
            #[inline(always)]
            fn store(self, edges: &mut Edges) -> Self::Rest {
                ($(self.$i.store(edges),)*)
            }
            fn refusal(rest: &Self::Rest, inputs: &Loading) -> Option<Error> {
                let mut skip = 0;
                $(if let Some(error) = $s::refusal(&rest.$i, inputs, &mut skip) {
                    return Some(error);
                })*
                None
            }
            #[inline(always)]
            fn load(rest: Self::Rest, inputs: &mut Loading) -> Self::Values {
                ($($s::load(rest.$i, inputs),)*)
            }
        }

        #[allow(clippy::unused_unit)]
        impl<$($s: Send + Sync + 'static, $x: IntoArg<$s>),*> IntoArgs<($($s,)*)> for ($($x,)*) {
            type Slots = ($($x::Slot,)*);
            fn into_args(self) -> Self::Slots {
                ($(self.$i.into_arg(),)*)
            }
        }

        #[allow(non_snake_case)]
        impl<Fn_, Out_, $($s),*> Callable<($($s,)*)> for Fn_
        where
            Fn_: FnOnce($($s),*) -> Out_,
        {
            type Output = Out_;
            #[inline(always)]
            fn call(self, ($($s,)*): ($($s,)*)) -> Out_ {
                self($($s),*)
            }
        }
    )*};
}

tuples! {
    ()
    (A X 0)
    (A X 0 B Y 1)
    (A X 0 B Y 1 C Z 2)
    (A X 0 B Y 1 C Z 2 D W 3)
    (A X 0 B Y 1 C Z 2 D W 3 E V 4)
    (A X 0 B Y 1 C Z 2 D W 3 E V 4 F U 5)
    (A X 0 B Y 1 C Z 2 D W 3 E V 4 F U 5 G T 6)
    (A X 0 B Y 1 C Z 2 D W 3 E V 4 F U 5 G T 6 H S 7)
    (A X 0 B Y 1 C Z 2 D W 3 E V 4 F U 5 G T 6 H S 7 I R 8)
    (A X 0 B Y 1 C Z 2 D W 3 E V 4 F U 5 G T 6 H S 7 I R 8 J Q 9)
    (A X 0 B Y 1 C Z 2 D W 3 E V 4 F U 5 G T 6 H S 7 I R 8 J Q 9 K P 10)
    (A X 0 B Y 1 C Z 2 D W 3 E V 4 F U 5 G T 6 H S 7 I R 8 J Q 9 K P 10 L O 11)
    (A X 0 B Y 1 C Z 2 D W 3 E V 4 F U 5 G T 6 H S 7 I R 8 J Q 9 K P 10 L O 11 M N 12)
    (A X 0 B Y 1 C Z 2 D W 3 E V 4 F U 5 G T 6 H S 7 I R 8 J Q 9 K P 10 L O 11 M N 12 AA AB 13)
    (A X 0 B Y 1 C Z 2 D W 3 E V 4 F U 5 G T 6 H S 7 I R 8 J Q 9 K P 10 L O 11 M N 12 AA AB 13 AC AD 14)
    (A X 0 B Y 1 C Z 2 D W 3 E V 4 F U 5 G T 6 H S 7 I R 8 J Q 9 K P 10 L O 11 M N 12 AA AB 13 AC AD 14 AE AF 15)
}

/// What a parameter of type `T` accepts: a `T`, a handle of one, or a reference to a handle.
///
/// The value of a handle is moved into its last consumer and cloned for the others, so `T: Clone`
/// is asked for where a handle is passed, and only there. Collections of handles are accepted for
/// `Vec`, arrays and pairs; other shapes go through [`gather`](crate::gather).
#[diagnostic::on_unimplemented(
    message = "the parameter takes `{T}`, a `Delayed<{T}>` or a reference to one; it cannot take `{Self}`",
    label = "expected `{T}` or a handle of it",
    note = "`Vec<T>` also takes a vector or slice of `Delayed<T>`; other nested handles go through `delayed::gather(…)`",
    note = "a handle passed by value needs `{T}: Clone`, unless it is passed as `handle.sole()`"
)]
pub trait IntoArg<T: Value> {
    #[doc(hidden)]
    type Slot: Slot<Value = T>;
    #[doc(hidden)]
    fn into_arg(self) -> Self::Slot;
}

/// What a parameter of type `&T` accepts: a `T` by value, a handle of one, or a reference to a
/// handle. The function borrows the value from its node; nothing is cloned.
#[diagnostic::on_unimplemented(
    message = "the parameter borrows `{T}`: pass an owned `{T}`, a `Delayed<{T}>` or a reference to one; it cannot take `{Self}`",
    label = "expected `{T}` (by value) or a handle of it",
    note = "a node outlives this call, so a plain reference has to be cloned, moved, or put into `delayed::value(…)` once and shared"
)]
pub trait IntoArgRef<T: ?Sized + Value> {
    #[doc(hidden)]
    type Slot: Slot<Value: Deref<Target = T> + Send + Sync>;
    #[doc(hidden)]
    fn into_arg_ref(self) -> Self::Slot;
}

/// [`IntoArg`] for a parameter whose type is a bare type parameter.
///
/// Here the conversions from strings, paths and slices are left out, and a plain value must be
/// `Unpin`, which a handle is not: so a call with a handle says what `T` is.
#[diagnostic::on_unimplemented(
    message = "the parameter takes `{T}` or a handle of it; it cannot take `{Self}`",
    label = "expected `{T}` or a handle of it",
    note = "a handle passed by value needs `{T}: Clone`, unless it is passed as `handle.sole()`"
)]
pub trait IntoAny<T: Value> {
    #[doc(hidden)]
    type Slot: Slot<Value = T>;
    #[doc(hidden)]
    fn into_any(self) -> Self::Slot;
}

/// [`IntoArgRef`] for a parameter `&T` where `T` is a bare type parameter.
#[diagnostic::on_unimplemented(
    message = "the parameter borrows `{T}`: pass it by value or as a handle; it cannot take `{Self}`",
    label = "expected `{T}` (by value) or a handle of it"
)]
pub trait IntoAnyRef<T: Value> {
    #[doc(hidden)]
    type Slot: Slot<Value: Deref<Target = T> + Send + Sync>;
    #[doc(hidden)]
    fn into_any_ref(self) -> Self::Slot;
}

/// Implements one of the four traits for a list of types.
macro_rules! accept {
    ($($tr:ident::$method:ident { $([$($g:tt)*] $from:ty => $to:ty as $slot:ty, |$x:ident| $make:expr;)* })*) => {$($(
        #[diagnostic::do_not_recommend]
        impl<$($g)*> $tr<$to> for $from {
            type Slot = $slot;
            #[inline(always)]
            fn $method(self) -> Self::Slot {
                let $x = self;
                $make
            }
        }
    )*)*};
}

accept! {
    IntoArg::into_arg {
        [T: Send + Sync + 'static] T => T as Plain<T>, |x| Plain(x);
        [T: Clone + Send + Sync + 'static] Delayed<T> => T as Owned<T>, |x| Owned(x);
        [T: Clone + Send + Sync + 'static] &Delayed<T> => T as Owned<T>, |x| Owned(x.clone());
        [T: Clone + Send + Sync + 'static] &&Delayed<T> => T as Owned<T>, |x| Owned(Delayed::clone(x));
        [T: Send + Sync + 'static] Sole<T> => T as Sole<T>, |x| x;
        [T: Clone + Send + Sync + 'static] Vec<Vec<Delayed<T>>> => Vec<Vec<T>> as HandleRows<T>, |x| HandleRows(x);
        [T: Clone + Send + Sync + 'static, const N: usize] [Delayed<T>; N] => [T; N] as HandleArray<T, N>, |x| HandleArray(Handles::taken(x));
        [T: Clone + Send + Sync + 'static, const N: usize] [&Delayed<T>; N] => [T; N] as HandleArray<T, N>, |x| HandleArray(Handles::of(x));
        [A: Clone + Send + Sync + 'static, B: Clone + Send + Sync + 'static] (Delayed<A>, Delayed<B>) => (A, B) as Pair<Owned<A>, Owned<B>>, |x| Pair(Owned(x.0), Owned(x.1));
        [A: Clone + Send + Sync + 'static, B: Clone + Send + Sync + 'static] (Delayed<A>, &Delayed<B>) => (A, B) as Pair<Owned<A>, Owned<B>>, |x| Pair(Owned(x.0), Owned(x.1.clone()));
        [A: Clone + Send + Sync + 'static, B: Clone + Send + Sync + 'static] (&Delayed<A>, Delayed<B>) => (A, B) as Pair<Owned<A>, Owned<B>>, |x| Pair(Owned(x.0.clone()), Owned(x.1));
        [A: Clone + Send + Sync + 'static, B: Send + Sync + 'static] (&Delayed<A>, B) => (A, B) as Pair<Owned<A>, Plain<B>>, |x| Pair(Owned(x.0.clone()), Plain(x.1));
        [A: Send + Sync + 'static, B: Clone + Send + Sync + 'static] (A, &Delayed<B>) => (A, B) as Pair<Plain<A>, Owned<B>>, |x| Pair(Plain(x.0), Owned(x.1.clone()));
        [A: Clone + Send + Sync + 'static, B: Clone + Send + Sync + 'static] (&Delayed<A>, &Delayed<B>) => (A, B) as Pair<Owned<A>, Owned<B>>, |x| Pair(Owned(x.0.clone()), Owned(x.1.clone()));
        [A: Clone + Send + Sync + 'static, B: Send + Sync + 'static] (Delayed<A>, B) => (A, B) as Pair<Owned<A>, Plain<B>>, |x| Pair(Owned(x.0), Plain(x.1));
        [A: Send + Sync + 'static, B: Clone + Send + Sync + 'static] (A, Delayed<B>) => (A, B) as Pair<Plain<A>, Owned<B>>, |x| Pair(Plain(x.0), Owned(x.1));
        [] &str => String as Plain<String>, |x| Plain(x.to_owned());
        [] &String => String as Plain<String>, |x| Plain(x.clone());
        [] &str => PathBuf as Plain<PathBuf>, |x| Plain(x.into());
        [] &Path => PathBuf as Plain<PathBuf>, |x| Plain(x.into());
        [] &PathBuf => PathBuf as Plain<PathBuf>, |x| Plain(x.clone());
        [] String => PathBuf as Plain<PathBuf>, |x| Plain(x.into());
    }
    IntoArgRef::into_arg_ref {
        [T: Send + Sync + 'static] T => T as Borrowed<Plain<T>>, |x| Borrowed(Plain(x));
        [T: Send + Sync + 'static] Delayed<T> => T as Shared<T>, |x| Shared(x);
        [T: Send + Sync + 'static] &Delayed<T> => T as Shared<T>, |x| Shared(x.clone());
        [T: Send + Sync + 'static] &&Delayed<T> => T as Shared<T>, |x| Shared(Delayed::clone(x));
        [] &str => str as Plain<String>, |x| Plain(x.to_owned());
        [] &String => str as Plain<String>, |x| Plain(x.clone());
        [] &String => String as Borrowed<Plain<String>>, |x| Borrowed(Plain(x.clone()));
        [] &str => String as Borrowed<Plain<String>>, |x| Borrowed(Plain(x.to_owned()));
        [] &str => Path as Plain<PathBuf>, |x| Plain(x.into());
        [] &Path => Path as Plain<PathBuf>, |x| Plain(x.into());
        [] &PathBuf => Path as Plain<PathBuf>, |x| Plain(x.clone());
        [] String => Path as Plain<PathBuf>, |x| Plain(x.into());
        [U: Clone + Send + Sync + 'static] &[U] => [U] as Plain<Vec<U>>, |x| Plain(x.to_vec());
        [] Delayed<&'static str> => str as Through<Shared<&'static str>>, |x| Through(Shared(x));
    }
    IntoAny::into_any {
        [T: Send + Sync + Unpin + 'static] T => T as Plain<T>, |x| Plain(x);
        [T: Clone + Send + Sync + 'static] Delayed<T> => T as Owned<T>, |x| Owned(x);
        [T: Clone + Send + Sync + 'static] &Delayed<T> => T as Owned<T>, |x| Owned(x.clone());
        [T: Clone + Send + Sync + 'static] &&Delayed<T> => T as Owned<T>, |x| Owned(Delayed::clone(x));
        [T: Send + Sync + 'static] Sole<T> => T as Sole<T>, |x| x;
    }
    IntoAnyRef::into_any_ref {
        [T: Send + Sync + Unpin + 'static] T => T as Borrowed<Plain<T>>, |x| Borrowed(Plain(x));
        [T: Send + Sync + 'static] Delayed<T> => T as Shared<T>, |x| Shared(x);
        [T: Send + Sync + 'static] &Delayed<T> => T as Shared<T>, |x| Shared(x.clone());
        [T: Send + Sync + 'static] &&Delayed<T> => T as Shared<T>, |x| Shared(Delayed::clone(x));
    }
}

/// What is accepted for `Vec<T>`, and for `&Vec<T>` and `&[T]`.
macro_rules! accept_handles {
    ($([$($g:tt)*] $from:ty, $take:ident;)*) => { accept! {
        IntoArg::into_arg { $([T: Clone + Send + Sync + 'static, $($g)*] $from => Vec<T> as Handles<T>, |x| Handles::$take(x);)* }
        IntoArgRef::into_arg_ref {
            $([T: Clone + Send + Sync + 'static, $($g)*] $from => Vec<T> as Borrowed<Handles<T>>, |x| Borrowed(Handles::$take(x));)*
            $([T: Clone + Send + Sync + 'static, $($g)*] $from => [T] as Handles<T>, |x| Handles::$take(x);)*
        }
    } };
}

accept_handles! {
    [] Vec<Delayed<T>>, taken;
    [] &[Delayed<T>], of;
    [] &Vec<Delayed<T>>, of;
    [] Vec<&Delayed<T>>, of;
    [const N: usize] [Delayed<T>; N], taken;
    [const N: usize] [&Delayed<T>; N], of;
    [const N: usize] &[Delayed<T>; N], of;
}

macro_rules! accept_reference_slices {
    ($([$($g:tt)*] $from:ty;)*) => { accept! {
        IntoArg::into_arg { $([T: Clone + Send + Sync + 'static, $($g)*] $from => Vec<T> as Handles<T>, |x| Handles::of(x.iter().copied());)* }
        IntoArgRef::into_arg_ref {
            $([T: Clone + Send + Sync + 'static, $($g)*] $from => Vec<T> as Borrowed<Handles<T>>, |x| Borrowed(Handles::of(x.iter().copied()));)*
            $([T: Clone + Send + Sync + 'static, $($g)*] $from => [T] as Handles<T>, |x| Handles::of(x.iter().copied());)*
        }
    } };
}

accept_reference_slices! {
    [] &[&Delayed<T>];
    [] &Vec<&Delayed<T>>;
    [const N: usize] &[&Delayed<T>; N];
}

/// What is accepted for `&str`, `&Path`, `&[U]` and `&dyn Trait`: the type that owns it.
macro_rules! accept_owners {
    ($([$($g:tt)*] $owner:ty => $to:ty;)*) => { accept! {
        IntoArgRef::into_arg_ref { $(
            [$($g)*] $owner => $to as Plain<$owner>, |x| Plain(x);
            [$($g)*] Delayed<$owner> => $to as Through<Shared<$owner>>, |x| Through(Shared(x));
            [$($g)*] &Delayed<$owner> => $to as Through<Shared<$owner>>, |x| Through(Shared(x.clone()));
            [$($g)*] &&Delayed<$owner> => $to as Through<Shared<$owner>>, |x| Through(Shared(Delayed::clone(x)));
        )* }
    } };
}

accept_owners! {
    [] String => str;
    [] PathBuf => Path;
    [U: Send + Sync + 'static] Vec<U> => [U];
    [U: ?Sized + Send + Sync + 'static] Box<U> => U;
    [U: ?Sized + Send + Sync + 'static] Arc<U> => U;
}
