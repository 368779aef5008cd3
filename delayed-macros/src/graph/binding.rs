//! The names that a body binds, and how its statements use them.

use proc_macro2::{Ident, Span};
use std::collections::BTreeMap;
use syn::visit_mut::{self, VisitMut};
use syn::{Pat, PatIdent};

/// How a binding is used. The later ones ask for more.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Kind {
    /// `&x`, `x[i]`, `*x`, `x == y`, `"{x}"`.
    Borrow,
    /// `x.f()`, `x.field`, `match x { … }`: borrows it, moves it or changes it.
    Any,
    /// `f(x)`: moves or copies it.
    Value,
    /// `x = y`, `x += y`, `&mut x`.
    Change,
}

/// The use of a binding by a statement that asks for most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Use {
    pub(super) kind: Kind,
    pub(super) span: Span,
}

pub(super) struct Binding {
    pub(super) name: Ident,
    pub(super) mutable: bool,
    /// The statement that makes it; an argument has none.
    pub(super) made_by: Option<usize>,
    /// An argument of a type `&T`, which is `Copy`.
    pub(super) is_reference: bool,
    /// An argument of a type `&mut T`.
    pub(super) is_mut_reference: bool,
    /// By statement.
    pub(super) users: BTreeMap<usize, Use>,
}

impl Binding {
    pub(super) fn new(bound: Bound, made_by: Option<usize>) -> Self {
        let Bound { name, mutable, by_ref: _ } = bound;
        let users = BTreeMap::new();
        Binding { name, mutable, made_by, is_reference: false, is_mut_reference: false, users }
    }

    /// The use that asks for most.
    pub(super) fn most(&self) -> Option<Kind> {
        self.users.values().map(|used| used.kind).max()
    }
}

/// A name in a pattern.
pub(super) struct Bound {
    pub(super) name: Ident,
    pub(super) mutable: bool,
    /// `ref`, without `mut`.
    pub(super) by_ref: bool,
}

/// The names that a pattern binds. One in capitals may be a constant, and is taken for one.
pub(super) fn bound(pat: &Pat) -> Vec<Bound> {
    struct Names(Vec<Bound>);
    impl VisitMut for Names {
        fn visit_pat_ident_mut(&mut self, pat: &mut PatIdent) {
            let certain = pat.subpat.is_some() || pat.by_ref.is_some() || pat.mutability.is_some();
            let is_upper = pat.ident.to_string().starts_with(char::is_uppercase);
            if certain || !is_upper {
                let mutable = pat.mutability.is_some() && pat.by_ref.is_none();
                let by_ref = pat.by_ref.is_some() && pat.mutability.is_none();
                self.0.push(Bound { name: pat.ident.clone(), mutable, by_ref });
            }
            visit_mut::visit_pat_ident_mut(self, pat);
        }

        fn visit_expr_mut(&mut self, _: &mut syn::Expr) {}
    }
    let mut names = Names(Vec::new());
    names.visit_pat_mut(&mut pat.clone());
    names.0
}
