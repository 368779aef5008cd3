//! Shapes of handles: what `compute`, `persist`, `settle` and `gather` take and give back.

use crate::error::{Error, NodeInfo};
use crate::handle::Delayed;
use crate::node::{CANCELLED, DONE, FAILED, Node, NodeRef};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hash::{BuildHasher, Hash};
use std::sync::atomic::Ordering;

/// Anything that holds handles: a handle, a reference to one, or a collection, nested at will.
///
/// Plain values of common types count as collections without handles, so that they may stand
/// beside handles in a tuple: `compute((handle, 5))`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` holds no handles",
    label = "expected a `Delayed`, or a vector, slice, array, tuple, option or map of them",
    note = "wrap a plain value in `delayed::value(…)`"
)]
pub trait Collection: Sized {
    /// The same shape, with handles instead of references to them.
    type Persisted;
    #[doc(hidden)]
    fn __visit(&self, f: &mut dyn FnMut(HandleOf<'_>));
    #[doc(hidden)]
    fn __persisted(self) -> Self::Persisted;
}

/// Anything whose handles can be replaced by their values.
#[diagnostic::on_unimplemented(
    message = "the values of `{Self}` cannot be gathered",
    label = "not a collection of handles, or a value in it cannot be cloned",
    note = "the handles' values must be `Clone`; `compute_ref` and `persist` do not need that"
)]
pub trait Gather: Collection {
    /// The same shape, with values.
    type Output;
    /// The same shape, with results.
    type Settled;
    #[doc(hidden)]
    fn __values(self) -> Self::Output;
    /// `open` is the error of handles that have not ended.
    #[doc(hidden)]
    fn __results(self, open: Option<&Error>) -> Self::Settled;
}

/// A handle of any type.
#[derive(Debug, Clone, Copy)]
pub struct HandleOf<'a>(&'a Node);

impl HandleOf<'_> {
    pub(crate) fn info(self) -> NodeInfo {
        self.0.info()
    }

    pub(crate) fn to_node(self) -> NodeRef {
        // SAFETY: the handle that is visited is a reference.
        unsafe { self.0.acquire() }
    }
}

pub(crate) fn nodes<C: Collection>(collection: &C) -> Vec<NodeRef> {
    let mut nodes = Vec::new();
    collection.__visit(&mut |handle| nodes.push(handle.to_node()));
    nodes
}

impl<T: Send + Sync + 'static> Collection for Delayed<T> {
    type Persisted = Delayed<T>;

    fn __visit(&self, f: &mut dyn FnMut(HandleOf<'_>)) {
        f(HandleOf(&self.node()));
    }
    fn __persisted(self) -> Self {
        self
    }
}

impl<T: Clone + Send + Sync + 'static> Gather for Delayed<T> {
    type Output = T;
    type Settled = Result<T, Error>;

    fn __values(self) -> T {
        assert_eq!(
            self.node().word(Ordering::Acquire).state(),
            DONE,
            "values are gathered when they are done"
        );
        // SAFETY: just checked; the handle is of a `T`.
        unsafe { self.into_node().take() }
    }
    fn __results(self, open: Option<&Error>) -> Self::Settled {
        match self.node().word(Ordering::Acquire).state() {
            DONE => Ok(self.__values()),
            FAILED | CANCELLED => Err(self.node().error()),
            _ => Err(open.cloned().unwrap_or_else(|| self.node().error())),
        }
    }
}

impl<T: Send + Sync + 'static> Collection for &Delayed<T> {
    type Persisted = Delayed<T>;

    fn __visit(&self, f: &mut dyn FnMut(HandleOf<'_>)) {
        f(HandleOf(&self.node()));
    }
    fn __persisted(self) -> Delayed<T> {
        self.clone()
    }
}

impl<T: Clone + Send + Sync + 'static> Gather for &Delayed<T> {
    type Output = T;
    type Settled = Result<T, Error>;

    fn __values(self) -> T {
        self.clone().__values()
    }
    fn __results(self, open: Option<&Error>) -> Self::Settled {
        self.clone().__results(open)
    }
}

/// Implements both traits by going over the elements.
macro_rules! sequences {
    ($([$($g:tt)*] $from:ty, $element:ty => $to:ident;)*) => {$(
        impl<$($g)*> Collection for $from where $element: Collection {
            type Persisted = $to<<$element as Collection>::Persisted>;

            fn __visit(&self, f: &mut dyn FnMut(HandleOf<'_>)) {
                self.iter().for_each(|element| element.__visit(f));
            }
            fn __persisted(self) -> Self::Persisted {
                self.into_iter().map(<$element as Collection>::__persisted).collect()
            }
        }

        impl<$($g)*> Gather for $from where $element: Gather {
            type Output = $to<<$element as Gather>::Output>;
            type Settled = $to<<$element as Gather>::Settled>;

            fn __values(self) -> Self::Output {
                self.into_iter().map(<$element as Gather>::__values).collect()
            }
            fn __results(self, open: Option<&Error>) -> Self::Settled {
                self.into_iter().map(|element| <$element as Gather>::__results(element, open)).collect()
            }
        }
    )*};
}

sequences! {
    [C] Vec<C>, C => Vec;
    [C] VecDeque<C>, C => VecDeque;
    ['a, C] &'a [C], &'a C => Vec;
    ['a, C] &'a Vec<C>, &'a C => Vec;
    ['a, C] &'a VecDeque<C>, &'a C => VecDeque;
    ['a, C, const N: usize] &'a [C; N], &'a C => Vec;
}

macro_rules! options {
    ($([$($g:tt)*] $from:ty, $element:ty;)*) => {$(
        impl<$($g)*> Collection for $from where $element: Collection {
            type Persisted = Option<<$element as Collection>::Persisted>;

            fn __visit(&self, f: &mut dyn FnMut(HandleOf<'_>)) {
                self.iter().for_each(|element| element.__visit(f));
            }
            fn __persisted(self) -> Self::Persisted {
                Option::from(self).map(<$element as Collection>::__persisted)
            }
        }

        impl<$($g)*> Gather for $from where $element: Gather {
            type Output = Option<<$element as Gather>::Output>;
            type Settled = Option<<$element as Gather>::Settled>;

            fn __values(self) -> Self::Output {
                Option::from(self).map(<$element as Gather>::__values)
            }
            fn __results(self, open: Option<&Error>) -> Self::Settled {
                Option::from(self).map(|element| <$element as Gather>::__results(element, open))
            }
        }
    )*};
}

options! {
    [C] Option<C>, C;
    ['a, C] &'a Option<C>, &'a C;
}

impl<'a, C> Collection for &&'a C
where
    &'a C: Collection,
{
    type Persisted = <&'a C as Collection>::Persisted;

    fn __visit(&self, f: &mut dyn FnMut(HandleOf<'_>)) {
        (**self).__visit(f);
    }
    fn __persisted(self) -> Self::Persisted {
        (*self).__persisted()
    }
}

impl<'a, C> Gather for &&'a C
where
    &'a C: Gather,
{
    type Output = <&'a C as Gather>::Output;
    type Settled = <&'a C as Gather>::Settled;

    fn __values(self) -> Self::Output {
        (*self).__values()
    }
    fn __results(self, open: Option<&Error>) -> Self::Settled {
        (*self).__results(open)
    }
}

impl<C: Collection, const N: usize> Collection for [C; N] {
    type Persisted = [C::Persisted; N];

    fn __visit(&self, f: &mut dyn FnMut(HandleOf<'_>)) {
        self.iter().for_each(|element| element.__visit(f));
    }
    fn __persisted(self) -> Self::Persisted {
        self.map(C::__persisted)
    }
}

impl<C: Gather, const N: usize> Gather for [C; N] {
    type Output = [C::Output; N];
    type Settled = [C::Settled; N];

    fn __values(self) -> Self::Output {
        self.map(C::__values)
    }
    fn __results(self, open: Option<&Error>) -> Self::Settled {
        self.map(|element| element.__results(open))
    }
}

macro_rules! maps {
    ($([$($g:tt)*] [$($bound:tt)*] $name:ident<K, _ $(, $s:ident)?>;)*) => {$(
        impl<K: $($bound)*, C: Collection $($g)*> Collection for $name<K, C $(, $s)?> {
            type Persisted = $name<K, C::Persisted $(, $s)?>;

            fn __visit(&self, f: &mut dyn FnMut(HandleOf<'_>)) {
                self.values().for_each(|element| element.__visit(f));
            }
            fn __persisted(self) -> Self::Persisted {
                self.into_iter().map(|(key, element)| (key, element.__persisted())).collect()
            }
        }

        impl<K: $($bound)*, C: Gather $($g)*> Gather for $name<K, C $(, $s)?> {
            type Output = $name<K, C::Output $(, $s)?>;
            type Settled = $name<K, C::Settled $(, $s)?>;

            fn __values(self) -> Self::Output {
                self.into_iter().map(|(key, element)| (key, element.__values())).collect()
            }
            fn __results(self, open: Option<&Error>) -> Self::Settled {
                self.into_iter().map(|(key, element)| (key, element.__results(open))).collect()
            }
        }

        impl<'a, K: $($bound)* + Clone, C $($g)*> Collection for &'a $name<K, C $(, $s)?>
        where
            &'a C: Collection,
        {
            type Persisted = $name<K, <&'a C as Collection>::Persisted $(, $s)?>;

            fn __visit(&self, f: &mut dyn FnMut(HandleOf<'_>)) {
                self.values().for_each(|element| element.__visit(f));
            }
            fn __persisted(self) -> Self::Persisted {
                self.iter().map(|(key, element)| (key.clone(), element.__persisted())).collect()
            }
        }

        impl<'a, K: $($bound)* + Clone, C $($g)*> Gather for &'a $name<K, C $(, $s)?>
        where
            &'a C: Gather,
        {
            type Output = $name<K, <&'a C as Gather>::Output $(, $s)?>;
            type Settled = $name<K, <&'a C as Gather>::Settled $(, $s)?>;

            fn __values(self) -> Self::Output {
                self.iter().map(|(key, element)| (key.clone(), element.__values())).collect()
            }
            fn __results(self, open: Option<&Error>) -> Self::Settled {
                self.iter().map(|(key, element)| (key.clone(), element.__results(open))).collect()
            }
        }
    )*};
}

maps! {
    [, S: BuildHasher + Default] [Eq + Hash] HashMap<K, _, S>;
    [] [Ord] BTreeMap<K, _>;
}

macro_rules! tuples {
    ($(($($c:ident $i:tt)*))*) => {$(
        impl<$($c: Collection),*> Collection for ($($c,)*) {
            type Persisted = ($($c::Persisted,)*);

            fn __visit(&self, f: &mut dyn FnMut(HandleOf<'_>)) {
                $(self.$i.__visit(f);)*
            }
            fn __persisted(self) -> Self::Persisted {
                ($(self.$i.__persisted(),)*)
            }
        }

        impl<$($c: Gather),*> Gather for ($($c,)*) {
            type Output = ($($c::Output,)*);
            type Settled = ($($c::Settled,)*);

            fn __values(self) -> Self::Output {
                ($(self.$i.__values(),)*)
            }
            fn __results(self, open: Option<&Error>) -> Self::Settled {
                ($(self.$i.__results(open),)*)
            }
        }
    )*};
}

tuples! {
    (A 0)
    (A 0 B 1)
    (A 0 B 1 C 2)
    (A 0 B 1 C 2 D 3)
    (A 0 B 1 C 2 D 3 E 4)
    (A 0 B 1 C 2 D 3 E 4 F 5)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10)
    (A 0 B 1 C 2 D 3 E 4 F 5 G 6 H 7 I 8 J 9 K 10 L 11)
}

macro_rules! plain {
    ($($t:ty)*) => {$(
        impl Collection for $t {
            type Persisted = $t;

            fn __visit(&self, _: &mut dyn FnMut(HandleOf<'_>)) {}
            fn __persisted(self) -> $t {
                self
            }
        }

        impl Gather for $t {
            type Output = $t;
            type Settled = $t;

            fn __values(self) -> $t {
                self
            }
            fn __results(self, _: Option<&Error>) -> $t {
                self
            }
        }
    )*};
}

plain! {
    () bool char u8 u16 u32 u64 u128 usize i8 i16 i32 i64 i128 isize f32 f64
    String &'static str std::path::PathBuf std::time::Duration
}
