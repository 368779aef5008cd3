//! `#[delayed::graph]`: the statements of a function as a graph in the binary.
//!
//! The stages are those of the other attribute (`lib.rs`): *parse* gives a function and its options; *check*
//! gives a [`Graph`], which consists of the [`Body`] (statements, and which of them use what), the [`Plan`] (which
//! statements are one node, and what nodes need) and the [`Place`] of each binding; *expand* makes tokens of it.
//!
//! The function is compiled twice, as it was written and as a graph. What rustc finds wrong with it is found in
//! both, and said once if message and place are the same; so generated tokens have the places of the user's that
//! they stand for. What only a graph forbids is said by this crate, and then the function is left as it was written.
//! So it is if rustc is seen to refuse it in words that depend on where a statement stands ([`Body::is_wrong`]).

mod binding;
mod body;
mod captures;
mod drawing;
mod expand;
mod places;
mod plan;
mod scope;

use crate::expand::generated;
use crate::item::{Function, find_word};
use crate::mistakes::Mistakes;
use crate::options::{Options, Root, Target};
use body::{Body, Statement};
use places::Place;
use plan::Plan;
use proc_macro2::{Delimiter, Ident, TokenStream, TokenTree};
use quote::{ToTokens, format_ident, quote};
use syn::ext::IdentExt;
use syn::visit_mut::VisitMut;
use syn::{Attribute, Error, FnArg, ItemFn, PatType, Receiver, ReturnType, Safety, Type, parse_quote};

/// A function that is a graph.
struct Graph<'a> {
    function: &'a ItemFn,
    body: Body,
    plan: Plan,
    places: Vec<Place>,
    returns: Type,
    root: Root,
}

/// The attribute on tokens that also exist without a compiler.
pub(crate) fn attribute(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::default();
    let written = options.clone();
    let options = Options::parse(options, Target::Graph, &mut mistakes);
    let function =
        syn::parse2::<ItemFn>(item.clone()).map_err(|error| not_a_function(&item).unwrap_or(error));
    let expanded = match mistakes.keep(function) {
        Some(function) => match other_first(&function, &written) {
            Some(swapped) => return swapped,
            None => alone(&function, &options, &mut mistakes),
        },
        None => item,
    };
    quote!(#expanded #mistakes)
}

/// What to say if the attribute stands on something else than a function with a body.
fn not_a_function(item: &TokenStream) -> Option<Error> {
    let mut tokens = item.clone().into_iter().peekable();
    let is_before = |token: &TokenTree| match token {
        TokenTree::Ident(word) => {
            ["pub", "const", "async", "unsafe", "extern", "default", "crate"].iter().any(|w| word == w)
        }
        TokenTree::Punct(punct) => punct.as_char() == '#',
        TokenTree::Group(group) => group.delimiter() != Delimiter::Brace,
        TokenTree::Literal(_) => true,
    };
    while tokens.next_if(is_before).is_some() {}
    let word = tokens.next()?;
    let message = match &word {
        TokenTree::Ident(word) if word == "fn" => {
            if !matches!(item.clone().into_iter().last()?, TokenTree::Punct(end) if end.as_char() == ';') {
                return None;
            }
            let message = "a graph is made of a body: put `#[delayed::graph]` on a function that has one";
            return Some(Error::new(tokens.next()?.span(), message));
        }
        TokenTree::Ident(word) if word == "impl" => {
            "`#[delayed::graph]` goes on a function: put it on those of the block whose statements are a graph"
        }
        _ => "`#[delayed::graph]` goes on a function",
    };
    Some(Error::new(word.span(), message))
}

/// If `#[delayed]` follows, it comes first: it makes the type that has the graph's constants.
fn other_first(function: &ItemFn, options: &TokenStream) -> Option<TokenStream> {
    let is_other =
        |attr: &&Attribute| attr.path().segments.last().is_some_and(|last| last.ident == "delayed");
    let at = function.attrs.iter().position(|attr| is_other(&attr))?;
    let mut function = function.clone();
    let other = function.attrs.remove(at);
    Some(quote!(#other #[::delayed::graph(#options)] #function))
}

/// Whether it is this attribute, below the other one.
pub(crate) fn is_graph(attr: &Attribute) -> bool {
    attr.path().segments.last().is_some_and(|last| last.ident == "graph")
}

/// What a delayed function that is a graph has in place of its body.
pub(crate) struct Parts {
    /// Functions and constants for the hidden type: `eager`, `sequential` and the drawings.
    pub(crate) items: TokenStream,
    pub(crate) docs: String,
}

/// A function with both attributes, whose hidden type is called `hidden`.
pub(crate) fn below(
    function: &Function,
    hidden: &Ident,
    root: &Root,
    mistakes: &mut Mistakes,
) -> Option<Parts> {
    let mut function: ItemFn = mistakes.keep(syn::parse2(function.to_token_stream()))?;
    function.attrs.retain(|attr| {
        !is_graph(attr) && !attr.path().is_ident("doc") && !attr.path().is_ident("deprecated")
    });
    let graph = Graph::check(&function, root, mistakes);
    if !mistakes.is_empty() || graph.body.is_wrong {
        let mut eager = without_wishes(&function);
        eager.sig.ident = Ident::new("eager", generated(function.sig.ident.span()));
        eager.sig.variadic = None;
        return Some(Parts { items: quote!(#[doc(hidden)] #[allow(dead_code)] #eager), docs: String::new() });
    }
    let place = hidden.span();
    let eager = graph.function(&Ident::new("eager", place), &quote!(#hidden::sequential), None);
    let sequential = graph.sequential(&Ident::new("sequential", place));
    let constants = graph.constants("");
    Some(Parts {
        items: quote!(#[doc(hidden)] #[allow(dead_code)] #eager #sequential #constants),
        docs: drawing::docs(&graph.plan),
    })
}

/// A function that has only this attribute.
fn alone(function: &ItemFn, options: &Options, mistakes: &mut Mistakes) -> TokenStream {
    let sig = &function.sig;
    let name = &sig.ident;
    let in_block =
        options.associated || sig.receiver().is_some() || find_word(quote!(#sig), "Self").is_some();
    let graph = Graph::check(function, &options.root, mistakes);
    if !mistakes.is_empty() || graph.body.is_wrong {
        return without_wishes(function).into_token_stream();
    }
    let mut hidden = name.clone();
    hidden.set_span(generated(name.span()));
    let sequential = if in_block {
        let sequential = format_ident!("{}_sequential", name.unraw(), span = name.span());
        (quote!(Self::#sequential), sequential)
    } else {
        (quote!(#hidden::sequential), Ident::new("sequential", name.span()))
    };
    let vis = &function.vis;
    let on_items = function.attrs.iter().filter(|attr| attr.path().is_ident("cfg")).collect::<Vec<_>>();
    let docs = drawing::docs(&graph.plan);
    let run = graph.function(name, &sequential.0, Some(&docs));
    let plain = graph.sequential(&sequential.1);
    let prefix = in_block.then(|| format!("{}_", name.unraw()));
    let constants = graph.constants(prefix.as_deref().unwrap_or_default());
    if in_block {
        quote!(#run #[doc(hidden)] #plain #constants)
    } else {
        quote! {
            #run

            #(#on_items)*
            #[doc(hidden)]
            #[allow(non_camel_case_types)]
            #vis enum #hidden {}

            #(#on_items)*
            impl #hidden {
                #constants
                #plain
            }
        }
    }
}

impl<'a> Graph<'a> {
    /// Checks a function. If there are mistakes, only its tokens as written make sense.
    fn check(function: &'a ItemFn, root: &Root, mistakes: &mut Mistakes) -> Self {
        let sig = &function.sig;
        if let Some(token) = &sig.constness {
            mistakes.at(token, "a graph cannot be `const`: it runs on threads; remove `const`");
        }
        if let Safety::Unsafe(token) = &sig.safety {
            mistakes.at(token, "a graph cannot be `unsafe`: write a safe one that calls `unsafe` functions in its statements");
        }
        if let Some(abi) = &sig.abi {
            mistakes.at(abi, "a graph cannot be `extern`: write a Rust function that the `extern` one calls");
        }
        if let Some(variadic) = &sig.variadic {
            mistakes.at(variadic, "a graph cannot be variadic: take a `Vec` or a slice");
        }
        for input in &sig.inputs {
            let (FnArg::Receiver(Receiver { attrs, .. }) | FnArg::Typed(PatType { attrs, .. })) = input;
            if let Some(attr) = attrs.iter().find(|attr| attr.path().is_ident("cfg")) {
                mistakes.at(attr, "a graph cannot have `cfg` on a parameter: write two functions");
            }
        }
        let body = Body::read(function, mistakes);
        let plan = Plan::of(&body, mistakes);
        let places = places::places(&body, &plan, mistakes);
        let returns: Type = match &sig.output {
            ReturnType::Default => parse_quote!(()),
            ReturnType::Type(_, ty) => (**ty).clone(),
        };
        let graph = Graph { function, body, plan, places, returns, root: root.clone() };
        graph.refuse_unnameable(mistakes);
        graph.refuse_hidden_returns(mistakes);
        graph
    }

    /// The statements that are not of the last node, which is the function's value.
    fn early(&self) -> impl Iterator<Item = &Statement> {
        let nodes = self.body.statements.iter().zip(&self.plan.node_of);
        nodes.filter(|(_, node)| **node != self.plan.last()).map(|(statement, _)| statement)
    }

    /// A node that leaves the function has to name what it returns.
    fn refuse_unnameable(&self, mistakes: &mut Mistakes) {
        if self.names_what_it_returns() {
            return;
        }
        for span in self.early().filter_map(|statement| statement.leaves) {
            mistakes.add(syn::Error::new(
                span,
                "a function that returns `impl Trait` can only be left by its last expression: return a type with a \
                 name, or handle the error in this statement",
            ));
        }
    }

    /// A macro that returns from the function would return from its node.
    fn refuse_hidden_returns(&self, mistakes: &mut Mistakes) {
        for name in self.early().filter_map(|statement| statement.returns_by.as_ref()) {
            mistakes.at(
                name,
                format!(
                    "`{name}!` returns from the function, which only the last expression can do by a macro: write \
                     `if … {{ return Err(…) }}`"
                ),
            );
        }
    }

    /// Whether the return type is not `impl Trait`.
    fn names_what_it_returns(&self) -> bool {
        find_word(self.returns.to_token_stream(), "impl").is_none()
    }

    /// The function that runs the graph. `docs` follow its own.
    fn function(&self, name: &Ident, sequential: &TokenStream, docs: Option<&str>) -> TokenStream {
        let ItemFn { attrs, vis, .. } = self.function;
        let mut sig = expand::signature(&self.function.sig, self);
        sig.ident = name.clone();
        let body = self.body(sequential);
        let docs = docs.map(|docs| quote!(#[doc = #docs]));
        quote! {
            #(#attrs)*
            #docs
            #[allow(warnings, unused, clippy::all, clippy::pedantic, clippy::nursery)]
            #vis #sig #body
        }
    }

    /// The function as it was written.
    fn sequential(&self, name: &Ident) -> TokenStream {
        let plain = without_wishes(self.function);
        let ItemFn { attrs, vis, sig, block, .. } = plain;
        let attrs = attrs.iter().filter(|attr| {
            ["cfg", "allow", "warn", "deny", "forbid", "inline"].iter().any(|name| attr.path().is_ident(name))
        });
        let mut sig = sig;
        sig.ident = name.clone();
        quote! {
            /// The function as it was written, one statement after the other.
            #(#attrs)*
            #[allow(dead_code)]
            #vis #sig #block
        }
    }

    /// What is known of the graph, as constants whose names begin with `prefix`.
    fn constants(&self, prefix: &str) -> TokenStream {
        let vis = &self.function.vis;
        let function = self.function.sig.ident.unraw();
        let (nodes, span) = (self.plan.nodes.len(), self.plan.span);
        let dot = drawing::dot(&function.to_string(), &self.plan);
        let mermaid = drawing::mermaid(&self.plan);
        let span_doc = if span == nodes {
            "How many nodes the longest chain of the graph has: all of them, so nothing can run in parallel."
        } else {
            "How many nodes the longest chain of the graph has."
        };
        // In a block they would fill the docs of its type.
        let hide = (!prefix.is_empty()).then(|| quote!(#[doc(hidden)]));
        let [n, s, d, m] = ["NODES", "SPAN", "DOT", "MERMAID"].map(|name| format_ident!("{prefix}{name}"));
        quote! {
            /// How many nodes the graph has, with the function's value.
            #hide
            #[allow(dead_code, non_upper_case_globals)]
            #vis const #n: usize = #nodes;
            #[doc = #span_doc]
            #hide
            #[allow(dead_code, non_upper_case_globals)]
            #vis const #s: usize = #span;
            /// The graph in the DOT language.
            #hide
            #[allow(dead_code, non_upper_case_globals)]
            #vis const #d: &'static str = #dot;
            /// The graph in Mermaid's language.
            #hide
            #[allow(dead_code, non_upper_case_globals)]
            #vis const #m: &'static str = #mermaid;
        }
    }
}

/// The function without the attributes that only this crate knows.
fn without_wishes(function: &ItemFn) -> ItemFn {
    struct Wishes;
    impl VisitMut for Wishes {
        fn visit_attributes_mut(&mut self, attrs: &mut Vec<Attribute>) {
            attrs.retain(|attr| body::wish(attr).is_none());
        }
    }
    let mut function = function.clone();
    Wishes.visit_item_fn_mut(&mut function);
    function
}
