//! From a function's signature to its constructor's.
//!
//! A [`Constructor`] is valid by construction: where the user's signature has a mistake, the mistake is
//! collected and a valid neighbour takes its place, so that calls of the function still have the right type.

use crate::lifetimes::Declared;
use crate::mistakes::Mistakes;
use crate::options::{Options, Root};
use crate::output::Output;
use proc_macro2::{Ident, Span};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::punctuated::Punctuated;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{
    FnArg, GenericParam, Generics, Pat, PatType, Safety, Signature, Token, Type, TypeParam, TypeParamBound,
    parse_quote,
};

/// The runtime takes the arguments of a node as one tuple of at most this many.
const MOST_PARAMETERS: usize = 16;
/// The largest tuples that the standard library compares.
const MOST_COMPARED: usize = 12;

/// What the function that makes nodes looks like.
pub(crate) struct Constructor {
    pub(crate) name: Ident,
    /// Without lifetimes, and with a type parameter for each `impl Trait` after the function's own.
    pub(crate) generics: Generics,
    pub(crate) fn_token: Token![fn],
    /// The function's own type and constant parameters, for the call of it.
    pub(crate) turbofish: Vec<Ident>,
    /// Those of them that are constants.
    pub(crate) consts: Vec<Ident>,
    pub(crate) receiver: Option<Param>,
    pub(crate) params: Vec<Param>,
    pub(crate) output: Output,
    pub(crate) is_async: bool,
}

/// One parameter of the function.
pub(crate) struct Param {
    /// What the constructor calls its parameter.
    pub(crate) name: Ident,
    /// What the constructor keeps in the node: its parameter, or `self`.
    pub(crate) given: Ident,
    /// What drawings call the edge.
    pub(crate) label: String,
    /// Without the `&` of a borrowed parameter.
    pub(crate) ty: Type,
    pub(crate) borrowed: bool,
    /// The type is a bare type parameter, about which only the arguments can say more.
    pub(crate) any: bool,
}

impl Constructor {
    /// Checks a function, or a method of a block with the generics `block`.
    pub(crate) fn check(
        sig: &Signature,
        receiver: Option<Param>,
        block: &Generics,
        root: &Root,
        mistakes: &mut Mistakes,
    ) -> Self {
        let declared = Declared::by([&sig.generics, block]);
        let named: Vec<&Ident> =
            [block, &sig.generics].into_iter().flat_map(Generics::type_params).map(|p| &p.ident).collect();
        let mut lift = LiftImpl { declared: &declared, lifted: Vec::new() };
        let typed = sig.inputs.iter().filter_map(|input| match input {
            FnArg::Typed(param) => Some(param),
            FnArg::Receiver(_) => None,
        });
        let params: Vec<Param> =
            typed.enumerate().map(|(i, p)| Param::check(i, p, &named, &mut lift, mistakes)).collect();
        if let Some(beyond) = sig.inputs.iter().nth(MOST_PARAMETERS) {
            mistakes.at(beyond, "a delayed function has at most 16 parameters: group some in a struct");
        }
        let mut generics = declared.outlived(&sig.generics);
        generics.params.extend(lift.lifted.into_iter().map(GenericParam::Type));
        Constructor {
            name: sig.ident.clone(),
            generics,
            fn_token: sig.fn_token,
            turbofish: sig.generics.params.iter().filter_map(argument).collect(),
            consts: sig.generics.const_params().map(|param| param.ident.clone()).collect(),
            receiver,
            params,
            output: Output::check(sig, &declared, root, mistakes),
            is_async: sig.asyncness.is_some(),
        }
    }

    /// Finds options that do not go with the function.
    pub(crate) fn check_options(&self, options: &Options, mistakes: &mut Mistakes) {
        if let (Some(word), true) = (&options.blocking, self.is_async) {
            mistakes.at(word, "`blocking` is for functions that are not `async`: remove one of the two");
        }
        if let Some(retries) = &options.retries {
            let word = &retries.word;
            if retries.most.is_none() {
                mistakes.at(word, format!("`{word}` goes with `retries`: add `retries = 3`, say"));
            } else if !self.output.fallible {
                mistakes.at(word, "only a function that returns a `Result` is called again: return one, or remove `retries`");
            }
        }
        if let Some(word) = &options.pure
            && self.all_params().count() > MOST_COMPARED
        {
            mistakes.at(word, "a `pure` function has at most 12 parameters: group some in a struct");
        }
    }

    /// All parameters, the receiver first.
    pub(crate) fn all_params(&self) -> impl Iterator<Item = &Param> + Clone {
        self.receiver.iter().chain(&self.params)
    }
}

/// Refuses what only makes sense where a function is called directly.
pub(crate) fn refuse_qualifiers(sig: &Signature, mistakes: &mut Mistakes) {
    if let Safety::Unsafe(token) = &sig.safety {
        mistakes.at(
            token,
            "a delayed function cannot be `unsafe`: whoever makes a node cannot promise what holds when it \
             runs; write a safe function that calls this one",
        );
    }
    if let Some(abi) = &sig.abi {
        mistakes.at(abi, "a delayed function cannot be `extern`: write a Rust function that calls this one");
    }
    if let Some(token) = &sig.constness {
        mistakes.at(token, "a delayed function cannot be `const`: making a node allocates; remove `const`");
    }
    if let Some(variadic) = &sig.variadic {
        mistakes.at(variadic, "a delayed function cannot be variadic: take a `Vec` or a slice");
    }
}

fn argument(param: &GenericParam) -> Option<Ident> {
    match param {
        GenericParam::Lifetime(_) => None,
        GenericParam::Type(param) => Some(param.ident.clone()),
        GenericParam::Const(param) => Some(param.ident.clone()),
    }
}

impl Param {
    fn check(
        index: usize,
        param: &PatType,
        named: &[&Ident],
        lift: &mut LiftImpl<'_>,
        mistakes: &mut Mistakes,
    ) -> Self {
        for attr in param.attrs.iter().filter(|a| a.path().is_ident("cfg") || a.path().is_ident("cfg_attr")) {
            mistakes.at(attr, "a delayed function cannot have `cfg` on a parameter: write two functions");
        }
        let (name, label) = match &*param.pat {
            Pat::Ident(pat) => (pat.ident.clone(), pat.ident.unraw().to_string()),
            pat => {
                let span = pat.span().resolved_at(Span::mixed_site());
                (Ident::new(&format!("arg{index}"), span), pat.to_token_stream().to_string())
            }
        };
        let (mut ty, borrowed) = match peel(&param.ty) {
            Type::Reference(reference) if reference.lifetime.as_ref().is_none_or(|l| l.ident != "static") => {
                if let Some(token) = &reference.mutability {
                    let (and, lifetime) = (&reference.and_token, &reference.lifetime);
                    mistakes.at(
                        quote!(#and #lifetime #token),
                        "a delayed function cannot borrow mutably, as others may read the same value: take \
                         it by value and return it",
                    );
                }
                (peel(&reference.elem).clone(), true)
            }
            ty => (ty.clone(), false),
        };
        lift.visit_type_mut(&mut ty);
        lift.declared.erase(&mut ty);
        let any =
            is_bare(&ty, |ident| named.contains(&ident) || lift.lifted.iter().any(|p| p.ident == *ident));
        Param { given: name.clone(), name, label, ty, borrowed, any }
    }

    /// The value whose method is called.
    pub(crate) fn receiver(ty: Type, borrowed: bool) -> Self {
        Param {
            name: Ident::new("this", Span::mixed_site()),
            given: Ident::new("self", Span::call_site()),
            label: "self".to_owned(),
            ty,
            borrowed,
            any: false,
        }
    }
}

/// The spans of the first and the last token.
pub(crate) fn edges(tokens: &impl ToTokens) -> (Span, Span) {
    let mut spans = tokens.to_token_stream().into_iter().map(|token| token.span());
    let first = spans.next().unwrap_or_else(Span::call_site);
    (first, spans.last().unwrap_or(first))
}

/// The type inside parentheses and inside the invisible ones of `macro_rules!`.
pub(crate) fn peel(mut ty: &Type) -> &Type {
    loop {
        ty = match ty {
            Type::Paren(inner) => &inner.elem,
            Type::Group(inner) => &inner.elem,
            ty => return ty,
        };
    }
}

fn is_bare(ty: &Type, parameter: impl Fn(&Ident) -> bool) -> bool {
    matches!(ty, Type::Path(path) if path.qself.is_none() && path.path.get_ident().is_some_and(parameter))
}

/// Puts a type parameter in place of each `impl Trait` of a parameter.
struct LiftImpl<'a> {
    declared: &'a Declared,
    lifted: Vec<TypeParam>,
}

impl VisitMut for LiftImpl<'_> {
    fn visit_type_mut(&mut self, ty: &mut Type) {
        visit_mut::visit_type_mut(self, ty);
        if let Type::ImplTrait(bounded) = ty {
            let ident = format_ident!("__Impl{}", self.lifted.len(), span = bounded.span());
            let bounds = std::mem::take(&mut bounded.bounds).into_iter();
            // `use<…>` is no bound of a type parameter. rustc refuses it in the function as written.
            let mut bounds = bounds.filter(|b| !matches!(b, TypeParamBound::PreciseCapture(_))).collect();
            self.declared.outlive_bounds(&mut bounds);
            bound(&mut bounds);
            *ty = parse_quote!(#ident);
            self.lifted.push(parse_quote!(#ident: #bounds));
        }
    }
}

/// Adds what every value of a node needs.
pub(crate) fn bound(bounds: &mut Punctuated<TypeParamBound, Token![+]>) {
    let needed: Punctuated<TypeParamBound, Token![+]> =
        parse_quote!(::core::marker::Send + ::core::marker::Sync + 'static);
    bounds.extend(needed);
}
