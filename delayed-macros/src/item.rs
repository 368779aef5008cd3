//! What the attribute stands on, as far as it has to be read.

use proc_macro2::{Delimiter, Group, Ident, TokenStream, TokenTree};
use quote::{ToTokens, quote};
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Error, ItemImpl, LitStr, Result, Signature, Token, Visibility};

/// An item that can be delayed.
pub(crate) enum Item {
    Function(Function),
    Block(ItemImpl),
}

/// A function whose body stays tokens: it is handed on as written.
pub(crate) struct Function {
    pub(crate) attrs: Vec<Attribute>,
    pub(crate) vis: Visibility,
    pub(crate) sig: Signature,
    pub(crate) body: Group,
}

impl Parse for Item {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let ahead = input.fork();
        ahead.call(Attribute::parse_outer)?;
        if ahead.peek(Token![impl]) || ahead.peek(Token![unsafe]) && ahead.peek2(Token![impl]) {
            return input.parse().map(Item::Block);
        }
        ahead.parse::<Visibility>()?;
        let keyword = ahead.fork();
        if at_function(&ahead)? {
            input.parse().map(Item::Function)
        } else {
            Err(keyword.error("`#[delayed]` goes on a function or on an inherent `impl` block"))
        }
    }
}

fn at_function(input: ParseStream<'_>) -> Result<bool> {
    loop {
        if input.peek(Token![const]) {
            input.parse::<Token![const]>()?;
        } else if input.peek(Token![async]) {
            input.parse::<Token![async]>()?;
        } else if input.peek(Token![unsafe]) {
            input.parse::<Token![unsafe]>()?;
        } else if input.peek(Token![extern]) {
            input.parse::<Token![extern]>()?;
            input.parse::<Option<LitStr>>()?;
        } else {
            return Ok(input.peek(Token![fn]));
        }
    }
}

impl Parse for Function {
    fn parse(input: ParseStream<'_>) -> Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let vis = input.parse()?;
        let sig: Signature = input.parse()?;
        if input.peek(Token![;]) {
            let message = "a delayed function needs a body; a trait's methods cannot be delayed";
            return Err(Error::new_spanned(&sig.ident, message));
        }
        let body: Group = input.parse()?;
        if body.delimiter() != Delimiter::Brace {
            return Err(Error::new_spanned(body.into_token_stream(), "expected the function's body"));
        }
        Ok(Function { attrs, vis, sig, body })
    }
}

impl ToTokens for Function {
    fn to_tokens(&self, tokens: &mut TokenStream) {
        let Function { attrs, vis, sig, body } = self;
        tokens.extend(quote!(#(#attrs)* #vis #sig #body));
    }
}

/// The first `word` at any depth.
pub(crate) fn find_word(tokens: TokenStream, word: &str) -> Option<Ident> {
    tokens.into_iter().find_map(|token| match token {
        TokenTree::Ident(ident) if ident == word => Some(ident),
        TokenTree::Group(group) => find_word(group.stream(), word),
        _ => None,
    })
}
