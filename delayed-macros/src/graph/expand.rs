//! From a plan to tokens. Nothing here can fail.
//!
//! ```text
//! fn f(text: &str) -> R {
//!     static __PROFILE: Profile = Profile::new();
//!     static __PLAN: Plan = Plan { nodes: &nodes(…), needs: &[…], begins: &[…] };
//!     let __run = Run::begin(&__PROFILE);
//!     if __run.is_sequential() { return f::sequential(text) }
//!     let __text_0 = &Slot::with(text);
//!     let __words_1 = &empty();
//!     let __exit = &Exit::<R>::new();
//!     let __node = |__number: usize| -> u32 { match __number {
//!         0 => { let words = tokenize(*__text_0.get())?; __words_1.put(words); } …
//!     } GOES_ON };
//!     if !__run.nodes(&__PLAN, &words, &__node) { return __exit.value() }
//!     combine(…)
//! }
//! ```
//!
//! An asynchronous function has a future for each node in place of the closure, and no profile.

use super::Graph;
use super::binding::{Binding, Kind};
use super::places::Place;
use super::scope::{Sites, Walk};
use crate::expand::position;
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, format_ident, quote, quote_spanned};
use std::collections::BTreeMap;
use syn::ext::IdentExt;
use syn::visit_mut::VisitMut;
use syn::{Expr, ExprReturn, ExprTry, FnArg, GenericParam, Pat, ReturnType, Signature, parse_quote, parse2};

/// What stands for something of the user's at a place of the user's, whatever macros are round the two. Errors
/// are reported there as if the user had written it.
fn at(name: &Ident, place: Span) -> Ident {
    Ident::new(&name.to_string(), place.resolved_at(name.span()))
}

fn own(name: &str) -> Ident {
    Ident::new(name, Span::mixed_site())
}

impl Graph<'_> {
    /// The body that runs the graph. `sequential`: the function as written, with its path.
    pub(super) fn body(&self, sequential: &TokenStream) -> TokenStream {
        let is_async = self.function.sig.asyncness.is_some();
        let (items, apart) = (&self.body.items, self.arguments_apart());
        if self.plan.last() == 0 {
            // One node: the function as written.
            let statements = self.body.statements.iter().map(|statement| &statement.code);
            return quote!({ #(#items)* #apart #(#statements)* });
        }
        let code = if is_async { self.joined() } else { self.shared() };
        let (slots, tail) = (self.slots(), self.node(self.plan.last()));
        let unsafe_ = own_unsafe();
        let begin = if is_async { TokenStream::new() } else { self.begin(sequential) };
        quote!({
            #(#items)*
            #begin
            #apart
            #slots
            #code
            #[allow(unused_unsafe)]
            #unsafe_ { #tail }
        })
    }

    fn begin(&self, sequential: &TokenStream) -> TokenStream {
        let graph = self.graph();
        let (plan, run, profile) = (self.plan_constant(), own("__run"), own("__PROFILE"));
        let arguments = self.body.arguments.iter().map(|argument| &argument.name);
        let turbofish = turbofish(&self.function.sig);
        // Of two functions that return `impl Trait` each has a type of its own.
        let sequential = self.names_what_it_returns().then(|| {
            quote! {
                if #run.is_sequential() {
                    return #sequential #turbofish (#(#arguments),*);
                }
            }
        });
        quote! {
            static #profile: #graph::Profile = #graph::Profile::new();
            #plan
            let #run = #graph::Run::begin(&#profile);
            #sequential
        }
    }

    /// Patterns of arguments.
    fn arguments_apart(&self) -> TokenStream {
        let apart = self.body.arguments.iter().filter_map(|argument| {
            let (name, pat) = (&argument.name, argument.pat.as_ref()?);
            Some(quote!(let #pat = #name;))
        });
        apart.collect()
    }

    fn slots(&self) -> TokenStream {
        let graph = self.graph();
        let mut slots = TokenStream::new();
        for (binding, place) in self.body.bindings.iter().zip(&self.places) {
            let Place::Slot { slot, .. } = place else { continue };
            let name = &binding.name;
            slots.extend(match binding.made_by {
                Some(_) => quote!(let #slot = &#graph::empty();),
                // Nothing but the slot has it from here on.
                None if name == "self" => quote!(let #slot = &#graph::Slot::with(self);),
                None => quote!(let #slot = &#graph::Slot::with(#name); #[allow(unused_variables)] let #name = #graph::Moved;),
            });
        }
        if self.leaves() {
            let (exit, ty) = (self.exit(), &self.returns);
            slots.extend(quote!(let #exit = &#graph::Exit::<#ty>::new();));
        }
        slots
    }

    /// The closure of all nodes, and its run.
    fn shared(&self) -> TokenStream {
        let graph = self.graph();
        let [run, node, number, plan] = ["__run", "__node", "__number", "__PLAN"].map(own);
        let unsafe_ = own_unsafe();
        let arms = (0..self.plan.last()).map(|at| {
            let body = self.node(at);
            let pattern = self.pattern(at);
            quote!(#pattern => { #body })
        });
        let words = 2 * self.plan.last().div_ceil(64);
        let checks = self.checks();
        let leave = self.leave();
        quote! {
            let #node = |#number: usize| -> u32 {
                #[allow(unused_unsafe)]
                #unsafe_ { match #number { #(#arms)* } }
                #[allow(unreachable_code)]
                #graph::GOES_ON
            };
            #checks
            if !#unsafe_ { #run.nodes(&#plan, &[const { #graph::Word::new() }; #words], &#node) } { #leave }
        }
    }

    /// A future for each node, and one for all of them.
    fn joined(&self) -> TokenStream {
        let graph = self.graph();
        let [number, context, plan, join] = ["__number", "__context", "__PLAN", "__join"].map(own);
        let unsafe_ = own_unsafe();
        let name = |at: usize| own(&format!("__future{at}"));
        let futures = (0..self.plan.last()).map(|at| {
            let (name, body) = (name(at), self.node(at));
            quote! {
                let mut #name = ::core::pin::pin!(async {
                    #[allow(unused_unsafe)]
                    #unsafe_ { #body }
                    #[allow(unreachable_code)]
                    #graph::GOES_ON
                });
            }
        });
        let arms = (0..self.plan.last()).map(|at| {
            let name = name(at);
            let pattern = self.pattern(at);
            quote!(#pattern => ::core::future::Future::poll(#name.as_mut(), #context),)
        });
        let words = self.plan.last().div_ceil(64);
        let (constant, leave) = (self.plan_constant(), self.leave());
        quote! {
            #constant
            #(#futures)*
            let #join = #graph::Join::<_, #words>::new(&#plan, |#number, #context| match #number { #(#arms)* });
            if !#join.await { #leave }
        }
    }

    /// What a `match` over the nodes has for one. The last one stands for all other numbers.
    fn pattern(&self, node: usize) -> TokenStream {
        if node + 1 == self.plan.last() {
            quote!(_)
        } else {
            Literal::usize_unsuffixed(node).into_token_stream()
        }
    }

    /// What the function does when a node has left it.
    fn leave(&self) -> TokenStream {
        let (exit, graph) = (self.exit(), self.graph());
        if self.leaves() { quote!(return #exit.value();) } else { quote!(#graph::never_left();) }
    }

    /// Asks the types of what goes from node to node for what that needs.
    fn checks(&self) -> TokenStream {
        let mut checks = TokenStream::new();
        for (binding, place) in self.body.bindings.iter().zip(&self.places) {
            let Place::Slot { slot, is_shared, .. } = place else { continue };
            let span = binding.name.span();
            let graph = self.root.at(span);
            let check = Ident::new(if *is_shared { "shares" } else { "moves" }, span);
            checks.extend(quote_spanned!(span=> #graph::__private::graph::#check(#slot);));
        }
        if self.leaves() {
            let span = match &self.function.sig.output {
                ReturnType::Type(_, ty) => crate::signature::edges(ty).0,
                ReturnType::Default => self.function.sig.ident.span(),
            };
            let (graph, exit) = (self.root.at(span), at(&self.exit(), span));
            checks.extend(quote_spanned!(span=> #graph::__private::graph::returns(#exit);));
        }
        checks
    }

    /// The statements of a node.
    fn node(&self, node: usize) -> TokenStream {
        let is_last = node == self.plan.last();
        let mut code = TokenStream::new();
        let mut copied = BTreeMap::new();
        for &at in &self.plan.nodes[node].statements {
            for &used in &self.body.statements[at].uses {
                code.extend(self.moved_in(used, node, at));
            }
            let statement = &self.body.statements[at];
            let mut sites = Replace { graph: self, node, statement: at, copied: &mut copied };
            let mut replaced = statement.code.clone();
            Walk::new(&self.body.scope, statement.bindings, &mut sites).visit_stmt_mut(&mut replaced);
            code.extend(replaced.into_token_stream());
            for &made in &statement.makes {
                if let Place::Slot { slot, .. } = &self.places[made] {
                    let name = &self.body.bindings[made].name;
                    code.extend(quote_spanned!(name.span()=> #slot.put(#name);));
                }
            }
            if !is_last && statement.is_fence && matches!(statement.code, syn::Stmt::Expr(_, None)) {
                code.extend(quote!(;));
            }
        }
        let copying = copied.values();
        quote!(#(#copying)* #code)
    }

    /// The binding as a local of its only user, before the first statement that uses it.
    fn moved_in(&self, binding: usize, node: usize, statement: usize) -> Option<TokenStream> {
        let Place::Slot { slot, moved_into, .. } = &self.places[binding] else { return None };
        let binding = &self.body.bindings[binding];
        let is_first = || {
            let mut users = binding.users.keys().filter(|user| self.plan.node_of[**user] == node);
            users.next() == Some(&statement)
        };
        if *moved_into != Some(node) || !is_first() {
            return None;
        }
        let name = local(binding);
        Some(quote_spanned!(name.span()=> #[allow(unused_mut)] let mut #name = #slot.take();))
    }

    fn plan_constant(&self) -> TokenStream {
        let (graph, plan) = (self.graph(), own("__PLAN"));
        let function = self.function.sig.ident.unraw();
        let last = self.plan.last();
        let nodes = self.plan.nodes[..last].iter().map(|node| {
            let name = format!("{function}: {}", node.label);
            let at = node.statements.last().map(|at| &self.body.statements[*at].code);
            let span = at.map_or_else(Span::call_site, |code| crate::signature::edges(code).0);
            let [line, column] = position(span).map(Literal::usize_unsuffixed);
            quote!((#name, #line, #column))
        });
        let words = last.div_ceil(64);
        let needs = self.plan.nodes[..last].iter().flat_map(|node| {
            let word = |word: usize| {
                let bits = node.needs.iter().filter(|need| **need / 64 == word);
                bits.fold(0_u64, |bits, need| bits | 1 << (need % 64))
            };
            (0..words).map(word).map(Literal::u64_unsuffixed).collect::<Vec<_>>()
        });
        let begins = self.plan.nodes[..last].iter().map(|node| Literal::usize_unsuffixed(node.begins));
        quote! {
            static #plan: #graph::Plan = #graph::Plan {
                nodes: &#graph::nodes(::core::file!(), [#(#nodes),*]),
                needs: &[#(#needs),*],
                begins: &[#(#begins),*],
            };
        }
    }

    fn graph(&self) -> TokenStream {
        let root = self.root.at(Span::mixed_site());
        quote!(#root::__private::graph)
    }

    /// Where nodes put what they leave the function with.
    fn exit(&self) -> Ident {
        Ident::new("__exit", self.function.sig.ident.span())
    }

    /// Whether a node may leave the function.
    fn leaves(&self) -> bool {
        self.early().any(|statement| statement.leaves.is_some())
    }
}

/// What a node calls a binding that was moved into it.
fn local(binding: &Binding) -> Ident {
    if binding.name == "self" { Ident::new("__self", binding.name.span()) } else { binding.name.clone() }
}

fn own_unsafe() -> TokenStream {
    // Lints know by its span that the user has not written it.
    quote_spanned!(Span::mixed_site()=> unsafe)
}

/// Puts slots in place of bindings, and ways out of the node in place of those out of the function.
struct Replace<'a> {
    graph: &'a Graph<'a>,
    node: usize,
    statement: usize,
    /// The functions that copy bindings, by binding.
    copied: &'a mut BTreeMap<usize, TokenStream>,
}

impl Sites for Replace<'_> {
    fn used(&mut self, binding: usize, name: &Ident, kind: Kind, deferred: bool) -> Option<Expr> {
        let Place::Slot { slot, moved_into, copied, .. } = &self.graph.places[binding] else { return None };
        let known = &self.graph.body.bindings[binding];
        if *moved_into == Some(self.node) {
            let name = (known.name == "self").then(|| local(known))?;
            return Some(parse_quote!(#name));
        }
        let span = name.span();
        // Resolved as the name is, so that it is not found where the name stands for another binding of that name.
        let slot = Ident::new(&slot.to_string(), span);
        let is_last = self.node == self.graph.plan.last();
        let place = match copied {
            _ if kind != Kind::Value || known.is_reference => quote_spanned!(span=> (*#slot.get())),
            _ if is_last && !deferred => quote_spanned!(span=> (#slot.take())),
            Some(copied) => {
                let function = at(copied, span);
                let copying = || self.graph.copying(binding, copied, self.statement);
                self.copied.entry(binding).or_insert_with(copying);
                quote_spanned!(span=> (#slot.get().#function()))
            }
            None => quote_spanned!(span=> (*#slot.get())),
        };
        // Its parentheses are enough for any place, and parsing it would take a fifth of the macro's time.
        Some(Expr::Verbatim(place))
    }

    fn tried(&mut self, tried: &ExprTry) -> Option<Expr> {
        if self.node == self.graph.plan.last() {
            return None;
        }
        let span = tried.question_token.spans[0];
        let (value, returns) = (&tried.expr, &self.graph.returns);
        let graph = self.graph.root.at(span);
        let exit = at(&self.graph.exit(), span);
        let [residual, goes_on] = ["__residual", "__value"].map(|name| Ident::new(name, span));
        let at = self.statement();
        parse2(quote_spanned! {span=>
            match #graph::__private::graph::Branch::branch(#value) {
                ::core::ops::ControlFlow::Continue(#goes_on) => #goes_on,
                ::core::ops::ControlFlow::Break(#residual) => {
                    return #exit.leave(#at, (|| -> #returns { match #residual? {} })());
                }
            }
        })
        .ok()
    }

    fn returned(&mut self, returned: &ExprReturn) -> Option<Expr> {
        if self.node == self.graph.plan.last() {
            return None;
        }
        let span = returned.return_token.span;
        let value = returned.expr.as_ref().map_or_else(|| quote!(()), ToTokens::to_token_stream);
        let (exit, at) = (at(&self.graph.exit(), span), self.statement());
        parse2(quote_spanned!(span=> return #exit.leave(#at, #value))).ok()
    }
}

impl Replace<'_> {
    fn statement(&self) -> Literal {
        Literal::u32_unsuffixed(u32::try_from(self.statement).unwrap_or(u32::MAX - 1))
    }
}

impl Graph<'_> {
    /// A method that copies a shared binding, and says what to write if that cannot be. A function would have
    /// its argument's type from what is expected of the result, and so give an error of its own for a wrong one.
    fn copying(&self, binding: usize, method: &Ident, statement: usize) -> TokenStream {
        let name = &self.body.bindings[binding].name;
        let users = self.body.bindings[binding].users.keys().filter(|user| **user != statement);
        let others: Vec<String> = users.map(|user| self.body.said(*user)).collect();
        let message = format!(
            "`{name}` is also used by {}, so it is shared: borrow it here, as in `&{name}`, or clone it, as in \
             `{name}.clone()`",
            others.join(" and ")
        );
        let [copies, methods] =
            ["is_copy", "of"].map(|word| format_ident!("{method}_{word}", span = method.span()));
        quote_spanned! {method.span()=>
            #[diagnostic::on_unimplemented(message = #message, label = "this value is not `Copy`")]
            #[allow(non_camel_case_types)]
            trait #copies: Copy {}
            #[diagnostic::do_not_recommend]
            impl<T: Copy> #copies for T {}
            #[allow(non_camel_case_types)]
            trait #methods<T> {
                fn #method(self) -> T where T: #copies;
            }
            impl<T> #methods<T> for &T {
                #[inline(always)]
                fn #method(self) -> T where T: #copies {
                    *self
                }
            }
        }
    }
}

/// The signature with plain names for arguments.
pub(super) fn signature(sig: &Signature, graph: &Graph<'_>) -> Signature {
    let mut sig = sig.clone();
    for (input, argument) in sig.inputs.iter_mut().zip(&graph.body.arguments) {
        match input {
            FnArg::Typed(typed) if argument.pat.is_some() => {
                let name = &argument.name;
                *typed.pat = parse_quote!(#name);
            }
            FnArg::Typed(typed) if graph.plan.last() > 0 => {
                if let Pat::Ident(pat) = &mut *typed.pat {
                    pat.mutability = None;
                }
            }
            FnArg::Receiver(receiver) if graph.plan.last() > 0 => receiver.mutability = None,
            _ => {}
        }
    }
    sig
}

fn turbofish(sig: &Signature) -> Option<TokenStream> {
    let arguments = sig.generics.params.iter().filter_map(|param| match param {
        GenericParam::Lifetime(_) => None,
        GenericParam::Type(param) => Some(&param.ident),
        GenericParam::Const(param) => Some(&param.ident),
    });
    let arguments: Vec<&Ident> = arguments.collect();
    (!arguments.is_empty()).then(|| quote!(::<#(#arguments),*>))
}
