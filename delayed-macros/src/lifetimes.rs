//! Types as a node needs them: it outlives every borrow of the function it calls.
//!
//! A constructor has the function's generics without its lifetimes. In a type, a lifetime of the function
//! becomes `'static`. In a bound it becomes `for<'a>`, because the function is called later with a borrow
//! that is shorter than `'static`: `T: Deserialize<'a>` turns into `T: for<'a> Deserialize<'a>`.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::punctuated::Punctuated;
use syn::visit_mut::{self, VisitMut};
use syn::{
    BoundLifetimes, GenericArgument, GenericParam, Generics, Lifetime, LifetimeParam,
    ParenthesizedGenericArguments, PathArguments, PathSegment, Token, Type, TypeFnPtr, TypeParamBound,
    TypeReference, WherePredicate, parse_quote,
};

/// The lifetimes that a function and the block around it declare.
pub(crate) struct Declared(Vec<Lifetime>);

impl Declared {
    pub(crate) fn by<'a>(generics: impl IntoIterator<Item = &'a Generics>) -> Self {
        let lifetimes = generics.into_iter().flat_map(Generics::lifetimes);
        Declared(lifetimes.map(|param| param.lifetime.clone()).collect())
    }

    /// Makes every lifetime of the function in `ty` `'static`; gives back the first borrow it met.
    pub(crate) fn erase(&self, ty: &mut Type) -> Option<TokenStream> {
        let mut erase = Erase::new(self);
        erase.visit_type_mut(ty);
        erase.borrow
    }

    /// The generics without lifetimes.
    pub(crate) fn outlived(&self, generics: &Generics) -> Generics {
        let mut generics = generics.clone();
        generics.params =
            generics.params.into_iter().filter(|p| !matches!(p, GenericParam::Lifetime(_))).collect();
        for param in generics.type_params_mut() {
            self.outlive_bounds(&mut param.bounds);
        }
        if let Some(clause) = &mut generics.where_clause {
            let kept = clause.predicates.clone().into_iter();
            clause.predicates = kept.filter(|p| !matches!(p, WherePredicate::Lifetime(_))).collect();
            clause.predicates.iter_mut().for_each(|predicate| self.outlive_predicate(predicate));
        }
        generics
    }

    fn outlive_predicate(&self, predicate: &mut WherePredicate) {
        let WherePredicate::Type(predicate) = predicate else { return };
        let in_type = self.met(|erase| erase.visit_type_mut(&mut predicate.bounded_ty.clone()));
        if in_type.is_empty() {
            self.outlive_bounds(&mut predicate.bounds);
        } else {
            let met = self.met(|erase| erase.visit_predicate_type_mut(&mut predicate.clone()));
            bind(&mut predicate.lifetimes, met);
        }
    }

    pub(crate) fn outlive_bounds(&self, bounds: &mut Punctuated<TypeParamBound, Token![+]>) {
        for bound in bounds {
            match bound {
                TypeParamBound::Trait(bound) => {
                    let met = self.met(|erase| erase.visit_path_mut(&mut bound.path.clone()));
                    bind(&mut bound.lifetimes, met);
                }
                bound => Erase::new(self).visit_type_param_bound_mut(bound),
            }
        }
    }

    fn met(&self, visit: impl FnOnce(&mut Erase<'_>)) -> Vec<Lifetime> {
        let mut erase = Erase::new(self);
        visit(&mut erase);
        erase.met
    }
}

/// Adds `for<…>` to a bound or a predicate.
fn bind(binder: &mut Option<BoundLifetimes>, lifetimes: Vec<Lifetime>) {
    if !lifetimes.is_empty() {
        let params = &mut binder.get_or_insert_default().lifetimes;
        params.extend(
            lifetimes.into_iter().map(|lifetime| GenericParam::Lifetime(LifetimeParam::new(lifetime))),
        );
    }
}

/// The walk over a type.
struct Erase<'a> {
    declared: &'a Declared,
    /// The first lifetime of the function, written or not.
    borrow: Option<TokenStream>,
    /// The declared lifetimes, each once.
    met: Vec<Lifetime>,
    /// In `fn(&T)` and `Fn(&T)` a lifetime that is left out belongs to the call of that function.
    in_call: bool,
}

impl<'a> Erase<'a> {
    fn new(declared: &'a Declared) -> Self {
        Erase { declared, borrow: None, met: Vec::new(), in_call: false }
    }

    fn call(&mut self, visit: impl FnOnce(&mut Self)) {
        let outside = std::mem::replace(&mut self.in_call, true);
        visit(self);
        self.in_call = outside;
    }

    fn found(&mut self, borrow: impl ToTokens) {
        self.borrow.get_or_insert_with(|| borrow.into_token_stream());
    }
}

impl VisitMut for Erase<'_> {
    fn visit_lifetime_mut(&mut self, lifetime: &mut Lifetime) {
        let declared = self.declared.0.contains(lifetime);
        if declared && !self.met.contains(lifetime) {
            self.met.push(lifetime.clone());
        }
        if declared || lifetime.ident == "_" && !self.in_call {
            self.found(&lifetime);
            lifetime.ident = Ident::new("static", lifetime.ident.span());
        }
    }

    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        if reference.lifetime.is_none() && !self.in_call {
            self.found(&reference);
            reference.lifetime = Some(parse_quote!('static));
        }
        visit_mut::visit_type_reference_mut(self, reference);
    }

    fn visit_path_segment_mut(&mut self, segment: &mut PathSegment) {
        if hides_lifetime(segment) && !self.in_call {
            self.found(&segment);
            if let PathArguments::AngleBracketed(arguments) = &mut segment.arguments {
                arguments.args.insert(0, parse_quote!('static));
            }
        }
        visit_mut::visit_path_segment_mut(self, segment);
    }

    fn visit_type_fn_ptr_mut(&mut self, function: &mut TypeFnPtr) {
        self.call(|this| visit_mut::visit_type_fn_ptr_mut(this, function));
    }

    fn visit_parenthesized_generic_arguments_mut(&mut self, arguments: &mut ParenthesizedGenericArguments) {
        self.call(|this| visit_mut::visit_parenthesized_generic_arguments_mut(this, arguments));
    }
}

/// `Cow<str>` leaves its lifetime out without a sign of it.
fn hides_lifetime(segment: &PathSegment) -> bool {
    let PathArguments::AngleBracketed(arguments) = &segment.arguments else { return false };
    segment.ident == "Cow" && !arguments.args.iter().any(|arg| matches!(arg, GenericArgument::Lifetime(_)))
}
