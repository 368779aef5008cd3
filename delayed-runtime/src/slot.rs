//! How a node stores its arguments.
//!
//! An argument is split in two when its node is made: handles become edges of the node, the rest
//! goes into the payload. When the node runs, [`Slot::load`] puts both together again.

use crate::error::{Cause, Error};
use crate::handle::{Delayed, Ref};
use crate::node::group::{self, Leaves};
use crate::node::{Inputs, MOST_EDGES, Node, NodeRef};
use crate::pure::Compared;
use std::marker::PhantomData;
use std::ops::Deref;

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

    /// How many edges the argument has.
    #[doc(hidden)]
    fn edges(rest: &Self::Rest) -> usize;

    /// Why the function cannot run although the inputs are done. `skip` edges come before this
    /// argument's.
    #[doc(hidden)]
    fn refusal(_rest: &Self::Rest, _inputs: &Loading, _skip: usize) -> Option<Error> {
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Many {
    len: usize,
    inline: bool,
}

impl Many {
    fn edges(&self) -> usize {
        if self.inline { self.len } else { 1 }
    }
}

impl Edges {
    pub(crate) fn new(node: Node) -> Self {
        Edges { node, at: 0, may_inline: true }
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
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

    #[cfg_attr(not(debug_assertions), inline(always))]
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

    fn edges(_: &T) -> usize {
        0
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn store(self, _: &mut Edges) -> T {
        self.0
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn load(rest: T, _: &mut Loading) -> T {
        rest
    }
}

/// A handle whose value is moved into its last consumer and cloned for the others.
#[derive(Debug)]
pub struct Owned<T: Send + Sync + 'static>(pub(crate) Delayed<T>);

impl<T: Clone + Send + Sync + 'static> Slot for Owned<T> {
    type Value = T;
    type Rest = ();
    const EDGES: Option<usize> = Some(1);

    fn count(&self) -> usize {
        1
    }

    fn edges((): &()) -> usize {
        1
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn store(self, edges: &mut Edges) {
        edges.push(self.0.into_node());
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn load((): (), inputs: &mut Loading) -> T {
        // SAFETY: the input is done; `store` took it from a handle of `T`.
        unsafe { inputs.0.next().take() }
    }
}

/// A handle whose value the function borrows.
#[derive(Debug)]
pub struct Shared<T: Send + Sync + 'static>(pub(crate) Delayed<T>);

impl<T: Send + Sync + 'static> Slot for Shared<T> {
    type Value = Ref<T>;
    type Rest = ();
    const EDGES: Option<usize> = Some(1);

    fn count(&self) -> usize {
        1
    }

    fn edges((): &()) -> usize {
        1
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
    fn store(self, edges: &mut Edges) {
        edges.push(self.0.into_node());
    }

    #[cfg_attr(not(debug_assertions), inline(always))]
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

    fn edges((): &()) -> usize {
        1
    }

    fn store(self, edges: &mut Edges) {
        edges.push(self.0.into_node());
    }

    fn refusal((): &(), inputs: &Loading, skip: usize) -> Option<Error> {
        let input = inputs.0.ahead(skip);
        if input.has_one_reader() {
            return None;
        }
        let what = format!(
            "it takes the value of `{}` for itself, by `sole()`, but somebody else still needs that value; \
             drop the other handles, borrow the value with a parameter `&T`, or make its type `Clone`",
            input.info().shown_key()
        );
        Some(Error::new(inputs.0.consumer().info(), Cause::Misused(what)))
    }

    fn load((): (), inputs: &mut Loading) -> T {
        // SAFETY: the input is done, `store` took it from a handle of `T`, and `refusal` has seen
        // that there is no other reference; only this consumer could make one.
        unsafe { inputs.0.next().take_last() }
    }
}

/// A `Vec` of handles.
#[derive(Debug)]
pub struct Handles<T: Send + Sync + 'static>(Vec<NodeRef>, PhantomData<fn() -> T>);

impl<T: Send + Sync + 'static> Handles<T> {
    pub(crate) fn of<'a>(handles: impl IntoIterator<Item = &'a Delayed<T>>) -> Self {
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

    fn edges(many: &Many) -> usize {
        many.edges()
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
pub struct HandleArray<T: Send + Sync + 'static, const N: usize>(pub(crate) Handles<T>);

impl<T: Clone + Send + Sync + 'static, const N: usize> Slot for HandleArray<T, N> {
    type Value = [T; N];
    type Rest = Many;
    const EDGES: Option<usize> = None;

    fn count(&self) -> usize {
        N
    }

    fn edges(many: &Many) -> usize {
        many.edges()
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
pub struct HandleRows<T: Send + Sync + 'static>(pub(crate) Vec<Vec<Delayed<T>>>);

impl<T: Clone + Send + Sync + 'static> Slot for HandleRows<T> {
    type Value = Vec<Vec<T>>;
    type Rest = (Many, Vec<usize>);
    const EDGES: Option<usize> = None;

    fn count(&self) -> usize {
        self.0.iter().map(Vec::len).sum()
    }

    fn edges((many, _): &Self::Rest) -> usize {
        many.edges()
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
pub struct Pair<A, B>(pub(crate) A, pub(crate) B);

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

    fn edges((a, b): &Self::Rest) -> usize {
        A::edges(a) + B::edges(b)
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
        pub struct $name<S>(pub(crate) S);

        impl<S: Slot> Slot for $name<S> {
            type Value = $wrapper<S::Value>;
            type Rest = S::Rest;
            const EDGES: Option<usize> = S::EDGES;
            const MAY_REFUSE: bool = S::MAY_REFUSE;

            fn count(&self) -> usize {
                self.0.count()
            }
            #[cfg_attr(not(debug_assertions), inline(always))]
            fn store(self, edges: &mut Edges) -> S::Rest {
                self.0.store(edges)
            }
            fn edges(rest: &S::Rest) -> usize {
                S::edges(rest)
            }
            fn refusal(rest: &S::Rest, inputs: &Loading, skip: usize) -> Option<Error> {
                S::refusal(rest, inputs, skip)
            }
            #[cfg_attr(not(debug_assertions), inline(always))]
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

    /// What equal calls have in common beside their inputs, if they are to be one node.
    #[doc(hidden)]
    fn compared(_rest: &Self::Rest) -> Option<Compared> {
        None
    }
}

/// Calls a macro with the tuples of 0 to 16 elements: two names for each and its index.
macro_rules! for_tuples {
    ($macro:ident) => {
        $macro! {
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
    };
}
pub(crate) use for_tuples;

macro_rules! tuples {
    ($(($($s:ident $x:ident $i:tt)*))*) => {$(
        #[allow(unused_variables, unused_mut, unused_assignments, non_snake_case, clippy::unused_unit)]
        impl<$($s: Slot),*> Slots for ($($s,)*) {
            type Values = ($($s::Value,)*);
            type Rest = ($($s::Rest,)*);
            const SHAPE: &'static [Option<usize>] = &[$($s::EDGES),*];
            const MAY_REFUSE: bool = false $(|| $s::MAY_REFUSE)*;

            #[cfg_attr(not(debug_assertions), inline(always))]
            fn count(&self) -> usize {
                let mut counting = Counting::new();
                $(counting.add(&self.$i);)*
                counting.edges()
            }
            #[cfg_attr(not(debug_assertions), inline(always))]
            fn store(self, edges: &mut Edges) -> Self::Rest {
                ($(self.$i.store(edges),)*)
            }
            fn refusal(rest: &Self::Rest, inputs: &Loading) -> Option<Error> {
                let mut skip = 0;
                $(
                    if let Some(error) = $s::refusal(&rest.$i, inputs, skip) {
                        return Some(error);
                    }
                    skip += $s::edges(&rest.$i);
                )*
                None
            }
            #[cfg_attr(not(debug_assertions), inline(always))]
            fn load(rest: Self::Rest, inputs: &mut Loading) -> Self::Values {
                ($($s::load(rest.$i, inputs),)*)
            }
        }
    )*};
}

for_tuples!(tuples);
