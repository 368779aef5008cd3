//! `#[delayed]` on an inherent `impl` block.
//!
//! The block stays as it is. Beside it stands a trait that a handle of the block's type implements:
//!
//! ```text
//! trait MatrixDelayed { fn scale(&self, k: impl IntoArg<f64>) -> Delayed<Matrix>; }
//! impl MatrixDelayed for Delayed<Matrix> { … }
//! ```

use crate::expand::for_constructor;
use crate::item::find_word;
use crate::lifetimes::Declared;
use crate::mistakes::Mistakes;
use crate::options::{Options, Target};
use crate::signature::{Constructor, Param, peel};
use proc_macro2::{Group, Ident, Spacing, Span, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::{
    Attribute, FnArg, Generics, ImplItem, ImplItemFn, ItemImpl, Meta, ReceiverKind, Result, ReturnType,
    Safety, Signature, Type, Visibility, parse_quote,
};

/// A method of this name on `Delayed<M>` is the handle's own, or ambiguous with one of the prelude's traits.
const TAKEN: [&str; 28] = [
    "compute",
    "compute_ref",
    "wait",
    "wait_ref",
    "persist",
    "status",
    "try_get",
    "cancel",
    "sole",
    "key",
    "name",
    "named",
    "priority",
    "timeout",
    "map",
    "map_ref",
    "zip",
    "unzip",
    "flatten",
    "after",
    "visualize",
    "dot",
    "mermaid",
    "graph",
    "clone",
    "into",
    "into_future",
    "to_owned",
];

pub(crate) fn delay(mut block: ItemImpl, options: &Options, mistakes: &mut Mistakes) -> TokenStream {
    let options_of_methods = take_method_options(&mut block, mistakes);
    let Some(extension) = Extension::check(&block, options, options_of_methods, mistakes) else {
        return block.into_token_stream();
    };
    let extension = extension.expand(options, mistakes.is_empty());
    quote!(#block #extension)
}

/// Reads and removes the attribute on the block's methods.
fn take_method_options(block: &mut ItemImpl, mistakes: &mut Mistakes) -> Vec<Options> {
    let is_ours = |attr: &Attribute| attr.path().segments.last().is_some_and(|last| last.ident == "delayed");
    let mut of_item = |item: &mut ImplItem| {
        let ImplItem::Fn(method) = item else { return Options::default() };
        let ours = method.attrs.extract_if(.., |attr| is_ours(attr));
        let tokens = ours.flat_map(|attr| match attr.meta {
            Meta::List(list) => list.tokens,
            _ => TokenStream::new(),
        });
        Options::parse(tokens.collect(), Target::Method, mistakes)
    };
    block.items.iter_mut().map(&mut of_item).collect()
}

/// The trait beside the block.
struct Extension {
    name: Ident,
    vis: Visibility,
    /// The block's, without lifetimes.
    generics: Generics,
    ty: Type,
    methods: Vec<Method>,
}

struct Method {
    attrs: Vec<Attribute>,
    vis: Visibility,
    options: Options,
    constructor: Constructor,
}

impl Extension {
    fn check(
        block: &ItemImpl,
        options: &Options,
        options_of_methods: Vec<Options>,
        mistakes: &mut Mistakes,
    ) -> Option<Self> {
        if let Some((path, _)) = &block.trait_ {
            mistakes.at(
                path,
                "`#[delayed]` goes on an inherent `impl` block; a trait's methods cannot be lifted",
            );
            return None;
        }
        let last = match &*block.self_ty {
            Type::Path(path) => path.path.segments.last(),
            _ => None,
        };
        let Some(last) = last else {
            mistakes.at(&block.self_ty, "`#[delayed]` needs the `impl` block of a named type");
            return None;
        };
        let declared = Declared::by([&block.generics]);
        let mut ty = (*block.self_ty).clone();
        declared.erase(&mut ty);
        let mut methods = Vec::new();
        for (item, own) in block.items.iter().zip(options_of_methods) {
            if let ImplItem::Fn(method) = item
                && !own.skip
            {
                let own = Options { root: options.root.clone(), ..own };
                let method = Method::check(method, own, block, &ty, mistakes);
                methods.extend(mistakes.keep(method).flatten());
            }
        }
        let vis = methods.iter().map(|m| &m.vis).max_by_key(|vis| reach(vis)).cloned();
        let vis = vis.unwrap_or(Visibility::Inherited);
        methods.retain(|method| reach(&method.vis) == reach(&vis));
        Some(Extension {
            name: options.trait_name.clone().unwrap_or_else(|| format_ident!("{}Delayed", last.ident)),
            vis,
            generics: declared.outlived(&block.generics),
            ty,
            methods,
        })
    }

    fn expand(&self, options: &Options, valid: bool) -> TokenStream {
        let Extension { name, vis, generics, ty, methods } = self;
        let root = options.root.at(Span::call_site());
        let (params, arguments, clause) = generics.split_for_impl();
        let declared = methods.iter().map(|method| method.declaration());
        let defined = methods.iter().map(|method| method.definition(ty, valid));
        let doc = format!("The methods of `{}`, lazily, on a handle of one.", ty.to_token_stream());
        quote! {
            #[doc = #doc]
            #[allow(private_interfaces, private_bounds)]
            #vis trait #name #params #clause { #(#declared)* }

            impl #params #name #arguments for #root::Delayed<#ty> #clause { #(#defined)* }
        }
    }
}

impl Method {
    /// Checks a method; `None` if it is not one that can be lifted.
    fn check(
        method: &ImplItemFn,
        options: Options,
        block: &ItemImpl,
        ty: &Type,
        mistakes: &mut Mistakes,
    ) -> Result<Option<Self>> {
        let Some(borrowed) = liftable(&method.sig, &block.generics) else { return Ok(None) };
        let name = &method.sig.ident;
        if TAKEN.iter().any(|taken| name == taken) {
            mistakes.at(
                name,
                format!(
                    "every handle has a method `{name}` of its own: rename this one, or leave it out with \
                     `#[delayed(skip)]`"
                ),
            );
            return Ok(None);
        }
        let sig = syn::parse2(name_self(method.sig.to_token_stream(), ty))?;
        let receiver = Param::receiver(ty.clone(), borrowed);
        let mut constructor =
            Constructor::check(&sig, Some(receiver), &block.generics, &options.root, mistakes);
        constructor.check_options(&options, mistakes);
        if !borrowed {
            // A handle gives its value away only if it can be cloned. With a binder, rustc checks this where
            // the method is called, and not here.
            let clause = constructor.generics.make_where_clause();
            clause.predicates.push(parse_quote!(for<'any> #ty: ::core::clone::Clone));
        }
        Ok(Some(Method { attrs: method.attrs.clone(), vis: method.vis.clone(), options, constructor }))
    }

    fn declaration(&self) -> TokenStream {
        let attrs = self.attrs.iter().filter_map(for_constructor);
        let undocumented = !self.attrs.iter().any(|attr| attr.path().is_ident("doc"));
        let doc = undocumented.then(|| format!("Calls `{}`, lazily.", self.constructor.name));
        let doc = doc.map(|doc| quote!(#[doc = #doc]));
        let signature = self.constructor.signature(&self.options);
        quote!(#doc #(#attrs)* #signature;)
    }

    fn definition(&self, ty: &Type, valid: bool) -> TokenStream {
        let cfgs = self.attrs.iter().filter(|attr| attr.path().is_ident("cfg"));
        let deprecated = self.attrs.iter().any(|attr| attr.path().is_ident("deprecated"));
        let deprecated = deprecated.then(|| quote!(#[allow(deprecated)]));
        let signature = self.constructor.signature(&self.options);
        let name = &self.constructor.name;
        let body = if valid {
            self.constructor.body(&quote_spanned!(name.span()=> <#ty>::#name), &self.options)
        } else {
            self.constructor.stand_in()
        };
        quote!(#(#cfgs)* #deprecated #signature { #body })
    }
}

/// For a method that a node can call, whether it borrows the value.
fn liftable(sig: &Signature, block: &Generics) -> Option<bool> {
    let borrowed = match &sig.receiver()?.kind {
        ReceiverKind::Value => false,
        ReceiverKind::Reference(_, _, None) => true,
        _ => return None,
    };
    let declared = Declared::by([block, &sig.generics]);
    let returns_borrow = match &sig.output {
        // An `impl Trait` borrows from `self` without saying so.
        ReturnType::Type(_, ty) => {
            let mut ty = ty.as_ref().clone();
            declared.erase(&mut ty).is_some() || find_word(ty.into_token_stream(), "impl").is_some()
        }
        ReturnType::Default => false,
    };
    let is_unsafe = matches!(sig.safety, Safety::Unsafe(_));
    (!is_unsafe && !returns_borrow && !sig.inputs.iter().any(is_mutable_borrow)).then_some(borrowed)
}

fn is_mutable_borrow(input: &FnArg) -> bool {
    let FnArg::Typed(param) = input else { return false };
    matches!(peel(&param.ty), Type::Reference(reference) if reference.mutability.is_some())
}

/// Puts the type's name in place of `Self`, which in the trait would be the handle.
fn name_self(tokens: TokenStream, ty: &Type) -> TokenStream {
    let mut tokens = tokens.into_iter().peekable();
    let mut named = TokenStream::new();
    while let Some(token) = tokens.next() {
        match token {
            TokenTree::Ident(ident) if ident == "Self" => {
                let starts_path = tokens.peek().is_some_and(is_double_colon);
                named.extend(if starts_path { quote!(<#ty>) } else { quote!(#ty) });
            }
            TokenTree::Group(group) => {
                let mut inner = Group::new(group.delimiter(), name_self(group.stream(), ty));
                inner.set_span(group.span());
                named.extend([TokenTree::from(inner)]);
            }
            token => named.extend([token]),
        }
    }
    named
}

fn is_double_colon(token: &TokenTree) -> bool {
    matches!(token, TokenTree::Punct(first) if first.as_char() == ':' && first.spacing() == Spacing::Joint)
}

/// Orders visibilities; two of the same rank count as equal.
fn reach(vis: &Visibility) -> u8 {
    match vis {
        Visibility::Public(_) => 3,
        Visibility::Restricted(path) if path.path.is_ident("crate") => 2,
        Visibility::Restricted(_) => 1,
        Visibility::Inherited => 0,
    }
}
