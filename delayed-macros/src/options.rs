//! The options in the parentheses of the attribute.

use crate::mistakes::Mistakes;
use proc_macro2::{Group, Ident, Span, TokenStream, TokenTree};
use quote::ToTokens;
use std::str::FromStr;
use std::time::Duration;
use syn::ext::IdentExt;
use syn::parse::{Parse, ParseStream, Parser};
use syn::{Error, Expr, LitInt, LitStr, Path, Result, Token, parse_quote};

/// What the attribute stands on.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Target {
    Function,
    Block,
    Method,
    Graph,
}

const OPTIONS: [(&str, &[Target]); 14] = [
    ("name", &[Target::Function, Target::Method]),
    ("blocking", &[Target::Function, Target::Method]),
    ("pure", &[Target::Function, Target::Method]),
    ("retries", &[Target::Function, Target::Method]),
    ("backoff", &[Target::Function, Target::Method]),
    ("retry_if", &[Target::Function, Target::Method]),
    ("timeout", &[Target::Function, Target::Method]),
    ("priority", &[Target::Function, Target::Method]),
    ("resource", &[Target::Function, Target::Method]),
    ("eager", &[Target::Function]),
    ("crate", &[Target::Function, Target::Block, Target::Graph]),
    ("associated", &[Target::Graph]),
    ("trait", &[Target::Block]),
    ("skip", &[Target::Method]),
];

/// Options of the design that this version does not have.
const PLANNED: [&str; 1] = ["remote"];

/// The options of one attribute. An option with a mistake is as if it were not there.
pub(crate) struct Options {
    pub(crate) name: Option<LitStr>,
    /// The word itself, for a mistake that only the signature shows.
    pub(crate) blocking: Option<Ident>,
    pub(crate) pure: Option<Ident>,
    pub(crate) retries: Option<Retries>,
    pub(crate) timeout: Option<Duration>,
    pub(crate) priority: Option<i32>,
    pub(crate) resource: Option<(LitStr, u32)>,
    pub(crate) eager: Option<Ident>,
    pub(crate) root: Root,
    pub(crate) trait_name: Option<Ident>,
    pub(crate) skip: bool,
    pub(crate) associated: bool,
}

/// How a function that fails is called again.
pub(crate) struct Retries {
    /// The word `retries`, or the one that needs it.
    pub(crate) word: Ident,
    pub(crate) most: Option<u32>,
    pub(crate) backoff: Option<Duration>,
    /// An expression: whether an error is worth another attempt.
    pub(crate) condition: Option<TokenStream>,
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
            pure: None,
            retries: None,
            timeout: None,
            priority: None,
            resource: None,
            eager: None,
            root: Root(parse_quote!(::delayed)),
            trait_name: None,
            skip: false,
            associated: false,
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
            "associated" if input.peek(Token![=]) => {
                return Err(input.error("`associated` has no value: remove what follows the word"));
            }
            "associated" => self.associated = true,
            "priority" => self.priority = Some(number(&word, input)?),
            "timeout" => self.timeout = Some(duration(&word, input)?),
            "resource" => self.resource = Some(resource(&word, input)?),
            "retries" => {
                let most = number(&word, input)?;
                let retries = self.retries(&word);
                (retries.word, retries.most) = (word, Some(most));
            }
            "backoff" => self.retries(&word).backoff = Some(duration(&word, input)?),
            "retry_if" => self.retries(&word).condition = Some(condition(&word, input)?),
            "pure" => self.pure = Some(word),
            _ => self.blocking = Some(word),
        }
        Ok(())
    }

    fn retries(&mut self, word: &Ident) -> &mut Retries {
        let new = || Retries { word: word.clone(), most: None, backoff: None, condition: None };
        self.retries.get_or_insert_with(new)
    }
}

fn check_word(word: &Ident, target: Target, seen: &[Ident]) -> Result<()> {
    let text = word.to_string();
    let mistake = |message: String| Err(Error::new(word.span(), message));
    if PLANNED.contains(&text.as_str()) {
        return mistake(format!("`{word}` is not supported by this version of `delayed`"));
    }
    let Some((_, targets)) = OPTIONS.iter().find(|(name, _)| text == *name) else {
        // A longer word is like none of them, and takes long to compare.
        let nearest = nearest(text.get(..32).unwrap_or(&text));
        return mistake(format!("unknown option `{word}`; the nearest known one is `{nearest}`"));
    };
    if !targets.contains(&target) {
        let place = match targets {
            [Target::Function] => "a function",
            [Target::Block] => "an `impl` block",
            [Target::Method] => "a method of a delayed `impl` block",
            [Target::Graph] => "`#[delayed::graph]`",
            [Target::Function, Target::Block, Target::Graph] => "a function, an `impl` block or a graph",
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

fn number<T: FromStr>(word: &Ident, input: ParseStream<'_>) -> Result<T> {
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

/// A text such as `30s`, `1.5 min` or `200ms`.
fn duration(word: &Ident, input: ParseStream<'_>) -> Result<Duration> {
    let text = text(word, input)
        .map_err(|error| Error::new(error.span(), format!("`{word}` needs a time: `{word} = \"30s\"`")))?;
    time(&text.value()).filter(|time| !time.is_zero()).ok_or_else(|| {
        Error::new(
            text.span(),
            "expected a time above zero with its unit, such as `\"200ms\"`, `\"30s\"`, `\"1.5min\"` or `\"2h\"`",
        )
    })
}

fn time(text: &str) -> Option<Duration> {
    let text = text.trim();
    let (digits, unit) = text.split_at(text.find(|c: char| c != '.' && !c.is_ascii_digit())?);
    let seconds = match unit.trim() {
        "ns" => 1e-9,
        "us" | "µs" | "μs" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(digits.parse::<f64>().ok()? * seconds).ok()
}

/// `resource = "gpu"` or `resource("db", 2)`.
fn resource(word: &Ident, input: ParseStream<'_>) -> Result<(LitStr, u32)> {
    if input.peek(Token![=]) {
        return Ok((text(word, input)?, 1));
    }
    let mistake = || {
        let message = "`resource` needs a name, and a number if it is not one: `resource = \"gpu\"` or `resource(\"db\", 2)`";
        Error::new(word.span(), message)
    };
    let two = |inner: ParseStream<'_>| {
        let name = inner.parse::<LitStr>()?;
        inner.parse::<Token![,]>()?;
        let units = inner.parse::<LitInt>()?;
        inner.parse::<Option<Token![,]>>()?;
        Ok((name, units))
    };
    let group = input.parse::<Group>().map_err(|_| mistake())?;
    let (name, units) = two.parse2(group.stream()).map_err(|_| mistake())?;
    match units.base10_parse() {
        Ok(0) => {
            Err(Error::new(units.span(), "a function that needs nothing of a resource needs no `resource`"))
        }
        Ok(number) => Ok((name, number)),
        Err(error) => Err(error),
    }
}

/// An expression, up to the next option.
fn condition(word: &Ident, input: ParseStream<'_>) -> Result<TokenStream> {
    let mistake = |_| {
        let message = "`retry_if` needs a function of the error: `retry_if = is_transient` or `retry_if = |e| e.is_transient()`";
        Error::new(word.span(), message)
    };
    input.parse::<Token![=]>().map_err(mistake)?;
    input.parse::<Expr>().map(Expr::into_token_stream).map_err(mistake)
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
