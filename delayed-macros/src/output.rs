//! From a return type to what a node gives.

use crate::lifetimes::Declared;
use crate::mistakes::Mistakes;
use crate::options::Root;
use crate::signature::{bound, edges, peel};
use proc_macro2::{Span, TokenStream};
use quote::{ToTokens, quote_spanned};
use syn::visit_mut::{self, VisitMut};
use syn::{
    GenericArgument, PathArguments, ReturnType, Signature, Type, TypeFnPtr, TypeImplTrait, TypePtr,
    TypeReference, parse_quote,
};

/// The value behind the handle.
pub(crate) struct Output {
    pub(crate) value: TokenStream,
    /// The function returns a `Result`, whose error fails the node.
    pub(crate) fallible: bool,
    /// The first and the last token of the return type, where errors about the value belong.
    pub(crate) edges: (Span, Span),
}

impl Output {
    pub(crate) fn check(sig: &Signature, declared: &Declared, root: &Root, mistakes: &mut Mistakes) -> Self {
        let ReturnType::Type(_, ty) = &sig.output else {
            let span = sig.ident.span();
            return Output { value: quote_spanned!(span=> ()), fallible: false, edges: (span, span) };
        };
        let mut ty = (**ty).clone();
        let edges = edges(&ty);
        if let Some(borrow) = declared.erase(&mut ty) {
            mistakes.at(
                borrow,
                "a delayed function cannot return a borrow, as its node outlives what it could borrow from: \
                 return an owned value, such as `String` for `&str`",
            );
        }
        BoundImpl.visit_type_mut(&mut ty);
        let Some(arguments) = result_arguments(&ty) else {
            return Output { value: ty.into_token_stream(), fallible: false, edges };
        };
        let value = match first_type(arguments) {
            Some(value) => value.to_token_stream(),
            None => {
                let root = root.at(edges.0);
                quote_spanned!(edges.0=> <#ty as #root::__private::IsResult>::Value)
            }
        };
        Output { value, fallible: true, edges }
    }
}

/// The arguments of a type whose name is `Result`.
fn result_arguments(ty: &Type) -> Option<&PathArguments> {
    let Type::Path(path) = peel(ty) else { return None };
    let last = path.path.segments.last()?;
    (last.ident == "Result").then_some(&last.arguments)
}

fn first_type(arguments: &PathArguments) -> Option<&Type> {
    let PathArguments::AngleBracketed(arguments) = arguments else { return None };
    arguments.args.iter().find_map(|argument| match argument {
        GenericArgument::Type(ty) => Some(ty),
        _ => None,
    })
}

/// Adds what a value needs to each `impl Trait`.
struct BoundImpl;

impl VisitMut for BoundImpl {
    fn visit_type_impl_trait_mut(&mut self, ty: &mut TypeImplTrait) {
        bound(&mut ty.bounds);
        visit_mut::visit_type_impl_trait_mut(self, ty);
    }

    fn visit_type_reference_mut(&mut self, reference: &mut TypeReference) {
        visit_mut::visit_type_reference_mut(self, reference);
        in_parentheses(&mut reference.elem);
    }

    fn visit_type_ptr_mut(&mut self, pointer: &mut TypePtr) {
        visit_mut::visit_type_ptr_mut(self, pointer);
        in_parentheses(&mut pointer.elem);
    }

    fn visit_type_fn_ptr_mut(&mut self, function: &mut TypeFnPtr) {
        visit_mut::visit_type_fn_ptr_mut(self, function);
        if let ReturnType::Type(_, ty) = &mut function.output {
            in_parentheses(ty);
        }
    }
}

/// Several bounds need parentheses where one does not: `&'static (impl Clone + Send)`.
fn in_parentheses(ty: &mut Type) {
    if let Type::ImplTrait(_) = ty {
        *ty = parse_quote!((#ty));
    }
}
