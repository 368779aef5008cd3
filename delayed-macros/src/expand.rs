//! From a [`Constructor`] to tokens. Nothing here can fail.
//!
//! A constructor is a signature, the constant description of the function and one call into the runtime:
//!
//! ```text
//! fn add(x: impl IntoArg<i64>, y: impl IntoArgRef<str>) -> Delayed<i64> {
//!     enum __Delayed {}
//!     impl Function for __Delayed { const TASK: Task = Task::new("add", file!(), 12, 4, &["x", "y"]); }
//!     call::<__Delayed, _, _, _>(
//!         (IntoArg::<i64>::into_arg(x), IntoArgRef::<str>::into_arg_ref(y)),
//!         |(x, y)| add::eager(x, &*y),
//!     )
//! }
//! ```

use crate::options::{Options, Root};
use crate::signature::{Constructor, Param, edges};
use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::{ToTokens, quote, quote_spanned};
use std::time::Duration;
use syn::ext::IdentExt;
use syn::{Attribute, LitStr};

impl Constructor {
    /// Everything before the body.
    pub(crate) fn signature(&self, options: &Options) -> TokenStream {
        let root = &options.root;
        let Constructor { name, generics, fn_token, receiver, output, .. } = self;
        let receiver =
            receiver.as_ref().map(|this| if this.borrowed { quote!(&self,) } else { quote!(self,) });
        let params = self.params.iter().map(|param| {
            let (name, accepted) = (&param.name, param.accepted(options));
            quote!(#name: #accepted)
        });
        // A type that no node can give is then underlined as a whole.
        let (open, close) = output.edges;
        let root = root.at(open);
        let (open, close) = (quote_spanned!(open=> #root::Delayed<), quote_spanned!(close=> >));
        let value = &output.value;
        let (generics, clause) = (&generics.params, &generics.where_clause);
        quote!(#fn_token #name<#generics>(#receiver #(#params),*) -> #open #value #close #clause)
    }

    /// One call into the runtime, which calls `function` when the node runs.
    pub(crate) fn body(&self, function: &TokenStream, options: &Options) -> TokenStream {
        let task = self.task(options);
        let slots = self.all_params().map(|param| param.slot(&options.root));
        let names = self.all_params().map(|param| &param.name);
        let run = self.run(function, options);
        let span = self.output.edges.0;
        let root = options.root.at(span);
        let again = options.retries.is_some();
        let make = match (self.is_async, self.output.fallible, again) {
            (false, false, _) => quote_spanned!(span=> call::<__Delayed, _, _, _>),
            (false, true, false) => quote_spanned!(span=> call_fallible::<__Delayed, _, _, _>),
            (false, true, true) => quote_spanned!(span=> call_retrying::<__Delayed, _, _, _>),
            (true, false, _) => quote_spanned!(span=> call_async::<__Delayed, _, _, _>),
            (true, true, false) => quote_spanned!(span=> call_async_fallible::<__Delayed, _, _, _, _>),
            (true, true, true) => quote_spanned!(span=> call_async_retrying::<__Delayed, _, _, _, _>),
        };
        let names = quote!((#(#names,)*));
        let run = match (self.is_async, again) {
            (false, _) => quote_spanned!(span=> |#names| #run),
            (true, false) => quote_spanned!(span=> |#names| async move { #run }),
            // Each attempt's future has a share of the arguments.
            (true, true) => quote_spanned!(span=> |__arguments| async move {
                let #names = &*__arguments;
                #run
            }),
        };
        let mut arguments = quote!((#(#slots,)*));
        let mut compared = TokenStream::new();
        if options.pure.is_some() {
            let consts = &self.consts;
            let types = self.turbofish.iter().filter(|param| !consts.contains(param));
            let types = quote!((#(::core::marker::PhantomData<#types>,)*));
            arguments =
                quote_spanned!(span=> #root::__private::pure::<#types, _, _>(#arguments, (#(#consts,)*)));
            compared.extend(self.params.iter().map(|param| param.compared(&options.root)));
        }
        let call = quote_spanned!(span=> #root::__private::#make(#arguments, #run));
        quote! {
            enum __Delayed {}
            impl #root::__private::Function for __Delayed { const TASK: #root::__private::Task = #task; }
            #compared
            #call
        }
    }

    /// A body of the right type, for a function with a mistake.
    pub(crate) fn stand_in(&self) -> TokenStream {
        let names = self.params.iter().map(|param| &param.name);
        quote!(#(let _ = #names;)* ::core::unimplemented!())
    }

    fn task(&self, options: &Options) -> TokenStream {
        let root = options.root.at(Span::call_site());
        let name = options.name.as_ref().map_or_else(|| self.name.unraw().to_string(), LitStr::value);
        let [line, column] = position(self.name.span()).map(Literal::usize_unsuffixed);
        let labels = self.all_params().map(|param| &param.label);
        let blocking = options.blocking.is_some().then(|| quote!(.blocking()));
        let priority = options.priority.map(|priority| quote!(.priority(#priority)));
        let parts = |time: Duration| {
            [Literal::u64_suffixed(time.as_secs()), Literal::u32_suffixed(time.subsec_nanos())]
        };
        let timeout = options.timeout.map(parts).map(|parts| quote!(.timeout(#(#parts),*)));
        let resource = options.resource.as_ref().map(|(name, units)| quote!(.resource(#name, #units)));
        let retries = options.retries.as_ref().map(|retries| {
            let most = retries.most;
            let backoff = retries.backoff.map(parts).map(|parts| quote!(.backoff(#(#parts),*)));
            quote!(.retries(#most) #backoff)
        });
        quote! {
            #root::__private::Task::new(#name, ::core::file!(), #line, #column, &[#(#labels),*])
                #blocking #priority #timeout #resource #retries
        }
    }

    /// The call of the function with what the arguments have become: values, or references to those of
    /// all attempts.
    fn run(&self, function: &TokenStream, options: &Options) -> TokenStream {
        let span = self.output.edges.0;
        let own = &self.turbofish;
        let turbofish = (!own.is_empty()).then(|| quote!(::<#(#own),*>));
        let passed = self.all_params().map(|param| {
            let name = &param.name;
            match (param.borrowed, &options.retries) {
                (true, None) => quote!(&*#name),
                (true, Some(_)) => quote!(&**#name),
                (false, None) => quote!(#name),
                (false, Some(_)) => {
                    let span = edges(&param.ty).0;
                    let root = options.root.at(span);
                    quote_spanned!(span=> #root::__private::again(#name))
                }
            }
        });
        let mut run = quote_spanned!(span=> #function #turbofish (#(#passed),*));
        if self.is_async {
            run = quote_spanned!(span=> #run.await);
        }
        let root = options.root.at(span);
        match &options.retries {
            Some(retries) => {
                let condition = retries.condition.clone().unwrap_or_else(|| quote!(|_| true));
                quote_spanned!(span=> #root::__private::attempt!(#run, #condition))
            }
            None if self.output.fallible => quote_spanned!(span=> #root::__private::keep!(#run)),
            None => run,
        }
    }
}

impl Param {
    /// The type of the constructor's parameter.
    fn accepted(&self, options: &Options) -> TokenStream {
        let (accept, _) = self.conversion();
        let ty = &self.ty;
        let (first, last) = edges(ty);
        let (root, accept, close) =
            (options.root.at(first), Ident::new(accept, first), quote_spanned!(last=> >));
        let slot = options.pure.as_ref().map(|_| quote_spanned!(first=> , Slot: #root::__private::PureSlot));
        quote_spanned!(first=> impl #root::#accept<#ty #slot #close)
    }

    /// Asks that arguments can be compared.
    fn compared(&self, root: &Root) -> TokenStream {
        let (span, ty) = (edges(&self.ty).0, &self.ty);
        let root = root.at(span);
        let compare = if self.borrowed { "comparable" } else { "comparable_owned" };
        let compare = Ident::new(compare, span);
        quote_spanned!(span=> #root::__private::#compare::<#ty>();)
    }

    /// What the node keeps of the argument.
    fn slot(&self, root: &Root) -> TokenStream {
        let (accept, convert) = self.conversion();
        let span = self.given.span();
        let [accept, convert] = [accept, convert].map(|name| Ident::new(name, span));
        let (root, ty, given) = (root.at(span), &self.ty, &self.given);
        quote_spanned!(span=> #root::#accept::<#ty>::#convert(#given))
    }

    fn conversion(&self) -> (&'static str, &'static str) {
        match (self.borrowed, self.any) {
            (false, false) => ("IntoArg", "into_arg"),
            (true, false) => ("IntoArgRef", "into_arg_ref"),
            (false, true) => ("IntoAny", "into_any"),
            (true, true) => ("IntoAnyRef", "into_any_ref"),
        }
    }
}

/// The line and the column of a token. Where there is no compiler to ask, in tests, all stand in one place.
pub(crate) fn position(token: Span) -> [usize; 2] {
    if !proc_macro::is_available() {
        return [1, 1];
    }
    let place = token.unwrap();
    [place.line(), place.column()]
}

/// A place in the user's source whose token lints still take for a generated one.
pub(crate) fn generated(place: Span) -> Span {
    Span::call_site().located_at(place)
}

/// Which attribute a constructor takes over from the function.
///
/// Those that say something about the code that runs (`inline`, `track_caller`, `must_use`, `instrument`)
/// stay with the function alone.
pub(crate) fn for_constructor(attr: &Attribute) -> Option<TokenStream> {
    let path = attr.path();
    if path.is_ident("expect") {
        // A lint that fires in one of the two functions would leave the other's expectation unmet.
        let lints = &attr.meta.require_list().ok()?.tokens;
        return Some(quote!(#[allow(#lints)]));
    }
    ["doc", "deprecated", "cfg", "allow", "warn", "deny", "forbid"]
        .iter()
        .any(|name| path.is_ident(name))
        .then(|| attr.to_token_stream())
}
