//! Arguments by which equal calls of a pure function are found.

use crate::error::Error;
use crate::pure::Compared;
use crate::slot::{Edges, Loading, Slot, Slots};
use std::hash::Hash;
use std::marker::PhantomData;

/// An argument that can be compared with that of another call.
#[diagnostic::on_unimplemented(
    message = "a plain argument of a `pure` function is compared with those of other calls, and this one cannot be",
    label = "not `Hash + Eq + Clone`"
)]
pub trait PureSlot: Slot<Rest: Clone + Eq + Hash + Sync> {}

#[diagnostic::do_not_recommend]
impl<S: Slot<Rest: Clone + Eq + Hash + Sync>> PureSlot for S {}

/// A type whose values tell equal calls from others.
#[diagnostic::on_unimplemented(
    message = "equal calls of a `pure` function are one node, and arguments of type `{Self}` cannot be compared",
    label = "not `Hash + Eq`",
    note = "derive `Hash`, `PartialEq` and `Eq`; floats have neither: pass their bits, or a type that rounds them"
)]
pub trait Comparable: Hash + Eq {}

#[diagnostic::do_not_recommend]
impl<T: ?Sized + Hash + Eq> Comparable for T {}

/// The same for an argument by value, of which the node and the table have one each.
#[diagnostic::on_unimplemented(
    message = "equal calls of a `pure` function are one node, and arguments of type `{Self}` cannot be compared and kept",
    label = "not `Hash + Eq + Clone`",
    note = "derive `Hash`, `PartialEq`, `Eq` and `Clone`; floats cannot be compared: pass their bits, or a type that rounds them"
)]
pub trait ComparableOwned: Hash + Eq + Clone {}

#[diagnostic::do_not_recommend]
impl<T: Hash + Eq + Clone> ComparableOwned for T {}

/// Asks for what a borrowed argument needs.
pub fn comparable<T: ?Sized + Comparable>() {}

/// Asks for what an argument by value needs.
pub fn comparable_owned<T: ComparableOwned>() {}

/// The arguments of a call of a pure function, with the types and the constants that it is generic over.
pub fn pure<Types, A, Consts>(args: A, consts: Consts) -> Unified<Types, A, Consts>
where
    A: Slots<Rest: Clone + Eq + Hash + Sync>,
{
    Unified { args, consts, types: PhantomData }
}

/// Arguments by which equal calls are found.
#[derive(Debug)]
pub struct Unified<Types, A, Consts> {
    args: A,
    consts: Consts,
    types: PhantomData<fn() -> Types>,
}

impl<Types, A, Consts> Slots for Unified<Types, A, Consts>
where
    Types: 'static,
    A: Slots<Rest: Clone + Eq + Hash + Sync>,
    Consts: Clone + Eq + Hash + Send + Sync + 'static,
{
    type Values = A::Values;
    type Rest = (A::Rest, Consts);
    const SHAPE: &'static [Option<usize>] = A::SHAPE;
    const MAY_REFUSE: bool = A::MAY_REFUSE;

    fn count(&self) -> usize {
        self.args.count()
    }

    fn store(self, edges: &mut Edges) -> Self::Rest {
        (self.args.store(edges), self.consts)
    }

    fn refusal(rest: &Self::Rest, inputs: &Loading) -> Option<Error> {
        A::refusal(&rest.0, inputs)
    }

    fn load(rest: Self::Rest, inputs: &mut Loading) -> Self::Values {
        A::load(rest.0, inputs)
    }

    fn compared(rest: &Self::Rest) -> Option<Compared> {
        Some(Compared::new(rest))
    }
}
