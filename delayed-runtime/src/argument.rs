//! What may be passed where a function takes a `T` or a `&T`.

use crate::handle::{Delayed, Value};
use crate::slot::{
    Borrowed, HandleArray, HandleRows, Handles, Owned, Pair, Plain, Shared, Slot, Slots, Sole, Through,
    for_tuples,
};
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;

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
            #[cfg_attr(not(debug_assertions), inline(always))]
            fn call(self, ($($s,)*): ($($s,)*)) -> Out_ {
                self($($s),*)
            }
        }
    )*};
}

for_tuples!(tuples);

/// What a parameter of type `T` accepts: a `T`, a handle of one, or a reference to a handle.
///
/// The value of a handle is moved into its last consumer and cloned for the others, so `T: Clone`
/// is asked for where a handle is passed, and only there. (Consumers that begin at the same moment on
/// several threads all clone it: none of them is the last.) Collections of handles are accepted for
/// `Vec`, arrays and pairs; other shapes go through [`gather`](crate::gather).
#[diagnostic::on_unimplemented(
    message = "the parameter takes `{T}`, a `Delayed<{T}>` or a reference to one; it cannot take `{Self}`",
    label = "expected `{T}` or a handle of it",
    note = "the value of a handle is cloned if another node needs it too: if `{T}` is not `Clone`, derive that, \
            borrow with a parameter `&{T}`, or pass `handle.sole()`",
    note = "collections of handles are taken for `Vec`, arrays and pairs; others go through `delayed::gather(…)`"
)]
pub trait IntoArg<T: Value> {
    #[doc(hidden)]
    type Slot: Slot<Value = T>;
    #[doc(hidden)]
    fn into_arg(self) -> Self::Slot;
}

/// What a parameter of type `&T` accepts: a `T` by value, a handle of one, or a reference to a
/// handle. The function borrows the value from its node, which is not cloned. (Text and slices that
/// are passed by reference are copied into the node. The values of a *collection* of handles are
/// moved or cloned into a new `Vec`, as for [`IntoArg`].)
#[diagnostic::on_unimplemented(
    message = "the parameter borrows `{T}`: pass the owner of one by value, or a handle of it; it cannot take `{Self}`",
    label = "expected an owned `{T}` (`String` for `str`, `Vec<U>` for `[U]`) or a handle",
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
    note = "a plain value has to be `Send + Sync + Unpin + 'static`, also a closure with what it captures",
    note = "the value of a handle has to be `Clone`, unless it is passed as `handle.sole()`"
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
            #[cfg_attr(not(debug_assertions), inline(always))]
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
        [U: Clone + Send + Sync + 'static] &Vec<U> => [U] as Plain<Vec<U>>, |x| Plain(x.clone());
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
