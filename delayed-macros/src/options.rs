//! The options in the parentheses of the attribute.

use crate::mistakes::Mistakes;
use proc_macro2::{Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Error, LitInt, LitStr, Path, Result, Token, parse_quote};

/// What the attribute stands on.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Target {
    Function,
    Block,
    Method,
}

const OPTIONS: [(&str, &[Target]); 7] = [
    ("name", &[Target::Function, Target::Method]),
    ("blocking", &[Target::Function, Target::Method]),
    ("priority", &[Target::Function, Target::Method]),
    ("eager", &[Target::Function]),
    ("crate", &[Target::Function, Target::Block]),
    ("trait", &[Target::Block]),
    ("skip", &[Target::Method]),
];

/// Options of the design that this version does not have.
const PLANNED: [&str; 5] = ["pure", "retries", "timeout", "resource", "remote"];

/// The options of one attribute. An option with a mistake is as if it were not there.
pub(crate) struct Options {
    pub(crate) name: Option<LitStr>,
    /// The word itself, for a mistake that only the signature shows.
    pub(crate) blocking: Option<Ident>,
    pub(crate) priority: Option<i32>,
    pub(crate) eager: Option<Ident>,
    pub(crate) root: Root,
    pub(crate) trait_name: Option<Ident>,
    pub(crate) skip: bool,
}

/// Where the generated code finds the crate `delayed`.
#[derive(Clone)]
pub(crate) struct Root(Path);

impl Root {
    /// The path with the span of what it becomes a part of.
    pub(crate) fn at(&self, span: Span) -> TokenStream {
        let tokens = self.0.to_token_stream().into_iter();
        let respanned = tokens.map(|mut token| {
            token.set_span(span);
            token
        });
        respanned.collect()
    }
}

impl Default for Options {
    fn default() -> Self {
        Options {
            name: None,
            blocking: None,
            priority: None,
            eager: None,
            root: Root(parse_quote!(::delayed)),
            trait_name: None,
            skip: false,
        }
    }
}

impl Options {
    pub(crate) fn parse(tokens: TokenStream, target: Target, mistakes: &mut Mistakes) -> Self {
        let mut options = Options::default();
        let mut seen = Vec::new();
        let all = |input: ParseStream<'_>| {
            while !input.is_empty() {
                let one = options.parse_one(input, target, &mut seen);
                mistakes.keep(one.and_then(|()| end_of_option(input)));
                skip_to_next(input)?;
            }
            Ok(())
        };
        let parsed = all.parse2(tokens);
        mistakes.keep(parsed);
        options
    }

    fn parse_one(&mut self, input: ParseStream<'_>, target: Target, seen: &mut Vec<Ident>) -> Result<()> {
        let word = input.call(Ident::parse_any).map_err(|error| {
            Error::new(error.span(), "expected an option, such as `name = \"…\"` or `blocking`")
        })?;
        check_word(&word, target, seen)?;
        seen.push(word.clone());
        match word.to_string().as_str() {
            "name" => self.name = Some(text(&word, input)?),
            "eager" => self.eager = Some(parsed(&text(&word, input)?, Ident::parse)?),
            "crate" => self.root = Root(parsed(&text(&word, input)?, Path::parse_mod_style)?),
            "trait" => self.trait_name = Some(parsed(&text(&word, input)?, Ident::parse)?),
            "skip" => self.skip = true,
            "priority" => self.priority = Some(number(&word, input)?),
            _ => self.blocking = Some(word),
        }
        Ok(())
    }
}

fn check_word(word: &Ident, target: Target, seen: &[Ident]) -> Result<()> {
    let text = word.to_string();
    let mistake = |message: String| Err(Error::new(word.span(), message));
    if PLANNED.contains(&text.as_str()) {
        return mistake(format!("`{word}` is not supported by this version of `delayed`"));
    }
    let Some((_, targets)) = OPTIONS.iter().find(|(name, _)| text == *name) else {
        let nearest = nearest(&text);
        return mistake(format!("unknown option `{word}`; the nearest known one is `{nearest}`"));
    };
    if !targets.contains(&target) {
        let place = match targets {
            [Target::Function] => "a function",
            [Target::Block] => "an `impl` block",
            [Target::Method] => "a method of a delayed `impl` block",
            [Target::Function, Target::Block] => "a function or an `impl` block",
            _ => "a function, or a method of a delayed `impl` block",
        };
        return mistake(format!("`{word}` is an option for {place}"));
    }
    if seen.contains(word) {
        return mistake(format!("`{word}` is given twice: remove one of them"));
    }
    Ok(())
}

fn text(word: &Ident, input: ParseStream<'_>) -> Result<LitStr> {
    let text = input.parse::<Token![=]>().and_then(|_| input.parse());
    text.map_err(|_| Error::new(word.span(), format!("`{word}` needs a text: `{word} = \"…\"`")))
}

fn number(word: &Ident, input: ParseStream<'_>) -> Result<i32> {
    let mistake = |span| Error::new(span, format!("`{word}` needs a whole number: `{word} = 5`"));
    let sign: Option<Token![-]> =
        input.parse::<Token![=]>().and_then(|_| input.parse()).map_err(|_| mistake(word.span()))?;
    let digits: LitInt = input.parse().map_err(|_| mistake(word.span()))?;
    let text = format!("{}{}", if sign.is_some() { "-" } else { "" }, digits.base10_digits());
    match text.parse() {
        Ok(number) if digits.suffix().is_empty() => Ok(number),
        _ => Err(mistake(digits.span())),
    }
}

fn parsed<T>(text: &LitStr, parser: fn(ParseStream<'_>) -> Result<T>) -> Result<T> {
    text.parse_with(parser).map_err(|_| Error::new(text.span(), "this text has to be a name or a path"))
}

fn end_of_option(input: ParseStream<'_>) -> Result<()> {
    if input.is_empty() || input.peek(Token![,]) { Ok(()) } else { Err(input.error("expected `,`")) }
}

/// Leaves out what a mistake left behind.
fn skip_to_next(input: ParseStream<'_>) -> Result<()> {
    while !input.is_empty() && !input.peek(Token![,]) {
        input.parse::<TokenTree>()?;
    }
    input.parse::<Option<Token![,]>>().map(drop)
}

fn nearest(word: &str) -> &'static str {
    let known = OPTIONS.iter().map(|(name, _)| *name).chain(PLANNED);
    known.min_by_key(|name| distance(name, word)).unwrap_or_default()
}

/// How many letters have to be added, removed or changed (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let mut row: Vec<usize> = (0..=to.chars().count()).collect();
    for (i, a) in from.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, b) in to.chars().enumerate() {
            let changed = diagonal + usize::from(a != b);
            diagonal = row[j + 1];
            row[j + 1] = changed.min(diagonal + 1).min(row[j] + 1);
        }
    }
    row[to.chars().count()]
}
