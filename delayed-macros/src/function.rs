//! `#[delayed]` on a function.
//!
//! The function becomes its own constructor, beside a hidden type of the same name that keeps the original:
//!
//! ```text
//! fn add(x: impl IntoArg<i64>, y: impl IntoArg<i64>) -> Delayed<i64> { … }
//! enum add {}
//! impl add { fn eager(x: i64, y: i64) -> i64 { x + y } }
//! ```

use crate::expand::{for_constructor, generated};
use crate::graph;
use crate::item::{Function, find_word};
use crate::mistakes::Mistakes;
use crate::options::Options;
use crate::signature::{Constructor, refuse_qualifiers};
use proc_macro2::{Group, Ident, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use syn::ext::IdentExt;
use syn::{Generics, Signature};

const PRIMITIVES: [&str; 17] = [
    "bool", "char", "str", "f32", "f64", "i8", "i16", "i32", "i64", "i128", "isize", "u8", "u16", "u32",
    "u64", "u128", "usize",
];

pub(crate) fn delay(function: &Function, options: &Options, mistakes: &mut Mistakes) -> TokenStream {
    if let Some(token) = sign_of_method(&function.sig) {
        mistakes.at(token, "put `#[delayed]` on the whole `impl` block, not on one of its functions");
        return function.to_token_stream();
    }
    refuse_qualifiers(&function.sig, mistakes);
    let hidden = hidden_type(&function.sig, options, mistakes);
    let constructor = Constructor::check(&function.sig, None, &Generics::default(), &options.root, mistakes);
    constructor.check_options(options, mistakes);
    let graph = function.attrs.iter().any(graph::is_graph);
    let graph = graph.then(|| graph::below(function, &hidden, &options.root, mistakes)).flatten();
    let make = if mistakes.is_empty() {
        let span = function.sig.ident.span();
        let mut hidden = hidden.clone();
        hidden.set_span(span);
        constructor.body(&quote_spanned!(span=> #hidden::eager), options)
    } else {
        constructor.stand_in()
    };
    expand(function, &constructor, make, &hidden, graph, options)
}

/// Something that only a function inside an `impl` block or a trait has.
fn sign_of_method(sig: &Signature) -> Option<TokenStream> {
    match sig.receiver() {
        Some(receiver) => Some(receiver.to_token_stream()),
        None => find_word(sig.to_token_stream(), "Self").map(Ident::into_token_stream),
    }
}

/// The name of the type that has `eager`.
fn hidden_type(sig: &Signature, options: &Options, mistakes: &mut Mistakes) -> Ident {
    let mut name = options.eager.clone().unwrap_or_else(|| sig.ident.clone());
    let clash = if PRIMITIVES.iter().any(|primitive| name == primitive) {
        Some("a primitive type has")
    } else if sig.generics.type_params().any(|param| param.ident == name) {
        Some("a type parameter has")
    } else {
        None
    };
    if let Some(clash) = clash {
        mistakes.at(
            &name,
            format!(
                "{clash} this name, and the hidden type that keeps `eager` cannot share it: write \
                 `#[delayed(eager = \"other_name\")]`"
            ),
        );
        name = format_ident!("__{}", name.unraw());
    }
    name.set_span(generated(name.span()));
    name
}

fn expand(
    function: &Function,
    constructor: &Constructor,
    make: TokenStream,
    hidden: &Ident,
    graph: Option<graph::Parts>,
    options: &Options,
) -> TokenStream {
    let Function { attrs, vis, sig, body } = function;
    let attrs = attrs.iter().filter(|attr| !graph::is_graph(attr));
    let on_constructor = attrs.clone().filter_map(for_constructor);
    let on_eager = attrs.filter(|a| !a.path().is_ident("doc") && !a.path().is_ident("deprecated"));
    let signature = constructor.signature(options);
    // `dead_code` passes over an item that ends in a generated token.
    let mut block = Group::new(body.delimiter(), make);
    block.set_span(body.span());
    let mut eager = sig.clone();
    eager.ident = Ident::new("eager", generated(sig.ident.span()));
    eager.variadic = None;
    let docs = graph.as_ref().map(|graph| &graph.docs).map(|docs| quote!(#[doc = #docs]));
    let items = graph.map_or_else(
        || {
            quote! {
                #[doc(hidden)]
                #[allow(dead_code)]
                #(#on_eager)*
                #vis #eager #body
            }
        },
        |graph| graph.items,
    );
    quote! {
        #(#on_constructor)*
        #docs
        #vis #signature #block

        #[doc(hidden)]
        #vis enum #hidden {}

        impl #hidden {
            #items
        }
    }
}
