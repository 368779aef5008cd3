//! Source text for the macro, from what one would write to what nobody would.

use proc_macro2::{Group, TokenStream, TokenTree};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// What the attribute accepts, from all corners of the language.
pub(super) const EXAMPLES: [&str; 22] = [
    "fn f() {}",
    "pub(crate) fn add(x: i64, y: i64) -> i64 { x + y }",
    "/// Docs.\n#[inline] pub async fn fetch(url: &str) -> Result<String, Error> { get(url).await }",
    "fn first<T: Clone + Send>(xs: &[T], n: usize) -> Option<T> where T: Sync { xs.get(n).cloned() }",
    "fn both<'a, 'b: 'a, T: Tr<'a>>(x: &'a T, y: &'b str) -> io::Result<()> where &'a T: Sized, 'b: 'a {}",
    "fn apply(f: impl Fn(i64) -> i64 + Send, x: i64) -> impl Iterator<Item = i64> { once(f(x)) }",
    "fn nested(f: impl for<'x> Fn(&'x str) -> Box<dyn Tr + 'x>, g: &impl Tr<Item = impl Clone>) {}",
    "fn patterns((a, [b, ..]): (i64, [i64; 3]), mut c: i64, Point { x, .. }: Point, _: u8) {}",
    "fn sum<const N: usize>(xs: [i64; N]) -> i64 where [(); N]: Sized { xs.iter().sum() }",
    "fn r#type(r#match: r#struct::r#fn) -> <T as Tr>::Item { todo!() }",
    "fn pointers(f: fn(&str) -> &str, g: Box<dyn Fn(&T) -> U>, c: Cow<str>, h: for<'a> fn(&'a ())) {}",
    "fn result() -> std::result::Result<(i64, String), Box<dyn Error + Send + Sync>> { Ok(x?) }",
    "fn sixteen(a: A, b: A, c: A, d: A, e: A, f: A, g: A, h: A, i: A, j: A, k: A, l: A, m: A, n: A, o: A, p: A) {}",
    "#[cfg(unix)] #[expect(dead_code)] #[deprecated(note = \"x\")] fn attributes(#[allow(unused)] x: i64) {}",
    "fn fragments(x: invisible(Vec<i64>), y: &invisible(str)) -> invisible(Result<i64>) { invisible(x + y) }",
    "fn never() -> ! { panic!() }",
    "impl M { pub fn scale(&self, k: f64) -> M { M(k) } pub fn norm(self) -> f64 { 0.0 } }",
    "impl<T: Clone, const N: usize> m::M<T, N> where T: Send { fn get(&self, at: usize) -> T { self.0[at] } }",
    "impl<'a> M<'a> { #[delayed(skip)] fn len(&self) -> usize { 0 } #[delayed(name = \"x\")] fn f(&self) {} }",
    "impl M { fn new() -> Self { M } async fn load(&self, other: Self) -> Result<Self, E> { Ok(other) } const X: u8 = 1; }",
    "impl M { fn left(&mut self) {} fn out(self: Arc<Self>) {} unsafe fn too(&self) {} fn borrow(&self) -> &str { \"\" } }",
    "impl M {}",
];

/// What is written, and what the compiler's parser or this macro's refuses; the second comes seldom, so that
/// most items are whole.
type Words = (&'static [&'static str], &'static [&'static str]);

const WORDS: Words = (
    &[
        "name", "blocking", "priority", "eager", "crate", "trait", "skip", "pure", "retries", "retry_if",
        "backoff",
    ],
    &["timeout", "resource", "remote", "nmae", "r#name", "Self", "self", "fn", "_", "x", "été"],
);
const VALUES: Words = (
    &[
        "",
        " = \"text\"",
        " = \"a_b\"",
        " = \"::a::b\"",
        " = \"30s\"",
        " = 5",
        " = -5",
        " = path::to::f",
        " = f",
        "(\"text\", 2)",
        "(\"text\")",
    ],
    &[
        " = \"\"",
        " = \"fn\"",
        " = r#\"\\\"#",
        " = \"\u{202E}\"",
        " = 5i64",
        " = 5.5",
        " = 99999999999999999999",
        " = |e| e.is_x()",
        " = true",
        " = 'a'",
        " = b\"x\"",
        " = c\"x\"",
        "(2)",
        "()",
        "(a = 1, b)",
        "[1]",
        "{}",
        " = ",
        " == 5",
        " = \"text\" x",
        ": 5",
        "!(x)",
        " = invisible(5)",
    ],
);
const TYPES: Words = (
    &[
        "i64",
        "String",
        "T",
        "E",
        "&str",
        "&'a str",
        "&mut i64",
        "Self",
        "C::Item",
        "Result",
        "<T as Tr<'a>>::Item",
        "m!(x)",
        "impl Clone",
        "dyn Send",
        "Delayed<i64>",
        "invisible(T)",
        "f",
        "Cow<str>",
        "io::Result<>",
        "[u8; N]",
        "r#type",
        "()",
        "!",
        "_",
    ],
    &["impl Tr + use<'a, T>", "?Sized", "'a", "5", "", "&"],
);
const TYPES_OF: Words = (
    &[
        "&$1",
        "&'a $1",
        "&'static mut $1",
        "&'_ $1",
        "Vec<$1>",
        "[$1; 3]",
        "[$1]",
        "Result<$1, $2>",
        "m::Result<$1>",
        "($1, $2)",
        "($1)",
        "invisible($1)",
        "fn($1) -> $2",
        "unsafe extern \"C\" fn(x: $1, ...)",
        "impl Fn($1) -> $2",
        "(impl for<'x> Tr<'x, $1, Item = $2> + 'a)",
        "(impl Tr<Item = $1> + ?Sized)",
        "(dyn Tr<$1> + Send)",
        "*const $1",
        "Cow<$1>",
        "Cow<'_, $1>",
        "Box<dyn for<'x> Fn(&'x $1) -> $2 + 'a>",
        "for<'x> fn(&'x $1) -> $2",
        "<$1>::Of<$2>",
        "<$1 as Tr<$2>>::Item",
        "T<N, -5, 'a, $1>",
    ],
    &["T<{ $1 }>", "$1 + $2", "Result<$1> Result<$2>", "impl $1", "$1<$2>"],
);
const PATTERNS: Words = (
    &["x", "mut x", "_", "r#type", "invisible(x)", "été", "x", "f"],
    &["ref mut x", "..", "x @ 1..=5", "self", "\"text\"", "5", "m!()", "A | B", "const { 5 }", "box x", ""],
);
const PATTERNS_OF: Words = (
    &[
        "($1, $2)",
        "($1)",
        "&$1",
        "&mut $1",
        "Some($1)",
        "Point { x: $1, y: $2, .. }",
        "[$1, .., $2]",
        "invisible($1)",
    ],
    &["$1 | $2", "x @ $1", "$1 $2"],
);
const GENERICS: Words = (
    &[
        "",
        "",
        "",
        "<T>",
        "<'a>",
        "<'a, T: Tr<'a>>",
        "<const N: usize>",
        "<'a: 'b, 'b>",
        "<>",
        "<f>",
        "<i64>",
        "<T: for<'x> Fn(&'x T) -> C<'a> + 'a + ?Sized, const N: usize>",
        "<#[cfg(x)] T, U>",
        "<T: >",
    ],
    &[
        "<T = i64>",
        "<T, 'a>",
        "<'static>",
        "<'_>",
        "<Self>",
        "<T",
        "<invisible(T)>",
        "<const N: usize = { 3 }>",
        "<T: Tr<'a>, 'a, T, 'a>",
        "<T: ~const Tr>",
        "<T: use<'a>>",
    ],
);
const WHERE: Words = (
    &[
        "",
        "",
        "",
        "where T: Clone",
        "where 'a: 'b",
        "where for<'x> &'x T: Tr<'a>, 'a: 'a",
        "where Self: Sized",
        "where",
        "where [(); N]:,",
        "where T::Item: Tr<Item = &'a str>, for<'x> fn(&'x T): Tr<'x, 'a>",
        "where 'a:",
    ],
    &["where T", "where where", "where T: Clone T: Clone", "where T: use<'a>"],
);
const ATTRIBUTES: Words = (
    &["", "", "", "/// Docs.\n", "#[inline]", "#[expect(x)]", "#[cfg(x)] #[deprecated]", "#[doc = m!()]"],
    &[
        "#[expect]",
        "#[expect = 5]",
        "#[delayed]",
        "#[delayed::delayed(name = \"x\", blocking)]",
        "#![inner]",
        "#[delayed = 5]",
        "#[delayed(skip, )] #[delayed(skip)]",
        "#[unsafe(no_mangle)]",
        "#[]",
        "#",
    ],
);
const METHOD_ATTRIBUTES: Words = (
    &[
        "",
        "",
        "#[delayed(skip)]",
        "#[delayed(name = \"x\", blocking)]",
        "#[delayed]",
        "#[delayed(priority = 5)]",
    ],
    &["#[delayed(crate = \"x\")]", "#[delayed(nmae = 5, skip, skip)]", "#[delayed = 5]", "#[x::delayed(fn)]"],
);
const VISIBILITIES: Words = (
    &["", "", "pub", "pub(crate)", "pub(in a::b)", "pub(super)", "invisible(pub)", "invisible()"],
    &["crate", "pub()", "pub pub"],
);
const QUALIFIERS: Words = (
    &[
        "",
        "",
        "",
        "",
        "async",
        "unsafe",
        "const",
        "extern",
        "extern \"C\"",
        "const async unsafe extern \"C\"",
    ],
    &["default", "safe", "gen", "async async"],
);
const NAMES: Words = (
    &["f", "g", "r#type", "i64", "T", "eager", "map", "clone", "été", "delayed", "__Delayed"],
    &["_", "Self", "", "5", "r#Self"],
);
const BODIES: Words =
    (&["{}", "{ x }", "{ x? }"], &["{ garbage = }", ";", "", "{} {}", "invisible({})", "= 5;", "(x)"]);
const NONE: Words = (&[""], &[""]);
const RECEIVERS: Words = (
    &["", "&self", "&self", "self", "&mut self", "mut self", "&'a self", "self: Arc<Self>", "self: &Self"],
    &["&self, &self", "#[x] self", "self: Box<Self>, self", "& pin const self", "&'a mut self"],
);
const ITEMS: Words = (
    &["const X: u8 = 1;", "type T = Self;", "m! { x }", "m!();", "#[delayed] const X: u8 = 1;"],
    &["fn f(&self);", "struct X;", "x", "pub"],
);
const HEADS: Words = (&["impl"], &["unsafe impl", "default impl", "impl const"]);
const TRAITS: Words = (&[""], &["Tr for", "!Tr<T> for", "const Tr for"]);
const BETWEEN: Words = (&[", "], &[",, ", "; ", " "]);
const TOKENS: &[&str] = &[
    "fn",
    "impl",
    "pub",
    "async",
    "where",
    "self",
    "Self",
    "mut",
    "ref",
    "dyn",
    "for",
    "const",
    "unsafe",
    "extern",
    "x",
    "T",
    "r#fn",
    "invisible",
    "'a",
    "'_",
    "->",
    "=>",
    "::",
    ":",
    ";",
    ",",
    "=",
    "&",
    "&&",
    "*",
    "<",
    ">",
    ">>",
    "+",
    "-",
    "..",
    "...",
    "|",
    "!",
    "?",
    "#",
    "$",
    "@",
    "~",
    "%",
    "5",
    "5u8",
    "1e9",
    "\"text\"",
    "'c'",
    "b'c'",
    "c\"x\"",
    "r##\"x\"##",
    "/// docs\n",
    "#[x]",
    "#![x]",
    "delayed",
    "use<'a>",
    "compile_error!",
];

const EXPRESSIONS: Words = (
    &[
        "x",
        "y",
        "z",
        "x",
        "y",
        "z",
        "f",
        "self",
        "r#type",
        "5",
        "-1",
        "\"{x}\"",
        "()",
        "m::X",
        "f()",
        "return",
        "break",
        "continue",
        "[x; 3]",
        "m!()",
        "vec![x, y]",
        "X {}",
        "x.0.1",
        "..",
        "format!(\"{x} {y:>z$} {type}\")",
        "format!(\"{²} {_} {self} {{x}} {x²}\")",
        "b\"{x}\"",
        "println!(\"{0} {x}\", y, x = 3)",
        "async { x.await }",
        "m![x = y]",
        "m!{ x => y }",
        "m!(x y)",
        "matches!(x, Some(y) if y > z)",
        "matches!(x, )",
        "vec![x; y]",
    ],
    &[
        "loop {}",
        "invisible(x)",
        "yield x",
        "box x",
        "",
        "_",
        "$x",
        "builtin # offset_of(X, x)",
        "x as",
        "try { x }",
    ],
);
const EXPRESSIONS_OF: Words = (
    &[
        "f($1, $2)",
        "$1.f($2)",
        "$1.x",
        "$1[$2]",
        "&$1",
        "&mut $1",
        "*$1",
        "($1)",
        "{ $1 }",
        "{ $1; $2 }",
        "$1 + $2",
        "$1 += $2",
        "$1 = $2",
        "$1 == $2",
        "$1 as T",
        "$1..$2",
        "|x| $1",
        "move |x, y| $1",
        "async move { $1; $2 }",
        "$1.await",
        "($1)?",
        "return $1",
        "break 'a $1",
        "if $1 { $2 }",
        "if $1 { $2 } else { z }",
        "&raw const $1",
        "if let Some(x) = $1 && let y = $2 { x }",
        "match $1 { Some(x) if $2 => x, y => { y } }",
        "X { x, y: $1, ..$2 }",
        "while let Some(x) = $1 { $2 }",
        "for x in $1 { $2 }",
        "'a: loop { $1; break 'a; }",
        "'a: { $1; $2 }",
        "{ let x = $1; x + $2 }",
        "{ let Some(x) = $1 else { $2 }; x }",
        "{ fn x() {} const y: T = $1; $2 }",
        "unsafe { $1 }",
        "const { $1 }",
        "vec![$1, $2]",
        "vec![$1; $2]",
        "m!($1, $2)",
        "format!(\"{x} {}\", $1, y = $2)",
        "matches!($1, Some(x) if $2)",
        "[$1, $2]",
        "($1, $2)",
        "{ #[cfg(x)] let x = $1; $2 }",
        "async |x| $1",
        "#[x] $1",
        "invisible($1)",
        "m!{ $1 => $2 }",
        "{ m!{ $1 } $2 }",
        "f::<{ $1 }>($2)",
        "(|| $1)()",
    ],
    &[
        "match $1 {}",
        "$1 $2",
        "$1 = $2 = z",
        "if $1 { $2 } else if",
        "yield $1",
        "do yeet $1",
        "$1?.$2",
        "&pin mut $1",
    ],
);
const STATEMENTS: Words = (
    &[
        "let x = $1;",
        "let y = $1;",
        "let z = $1;",
        "let mut x = $1;",
        "let x: T = $1;",
        "let (x, mut y) = $1;",
        "$1;",
        "let Some(x) = $1 else { $2 };",
        "let X { x, ref y, .. } = $1;",
        "let x @ (y | y) = $1;",
        "let _ = $1;",
        "let () = $1;",
        "#[node] let x = $1;",
        "#[fuse] let y = $1;",
        "#[fuse] #[node] let (x, y) = $1;",
        "m!($1);",
        "#[fuse] let _ = $1;",
        "#[cfg(x)] $1;",
        "#[node] $1;",
        "let x;",
        "if $1 { $2 }",
        "{ $1 }",
        "println!(\"{x}\");",
        "return $1;",
        "fn f() { $1 }",
        "const X: T = $1;",
        "use m::x;",
        "struct x;",
        "m! { $1 }",
        "let x = &$1;",
        "let r#type = $1;",
        "let X = $1;",
        "static X: T = $1;",
        "#[node(x)] let x = $1;",
        "#[node = 3] m!($1);",
        "let x = &f($1).y[$2];",
        "let ref x = $1;",
        "let &(ref mut x, _) = $1;",
        "let invisible(x) = $1;",
        ";",
    ],
    &[
        "let = $1;",
        "let x = $1 else;",
        "let x: = $1;",
        "let $1 = $2;",
        "super let x = $1;",
        "pub x;",
        "let x",
        "'a: $1;",
    ],
);

fn of(words: &'static [&'static str]) -> impl Strategy<Value = String> + Clone {
    select(words).prop_map(str::to_owned)
}

fn any((usual, strange): Words) -> impl Strategy<Value = String> + Clone {
    prop_oneof![60 => of(usual), 1 => of(strange)]
}

/// Puts smaller ones into templates, to some depth.
fn nested(leaves: Words, templates: Words) -> BoxedStrategy<String> {
    let larger = move |inner: BoxedStrategy<String>| {
        (any(templates), inner.clone(), inner).prop_map(|(of, a, b)| of.replace("$1", &a).replace("$2", &b))
    };
    any(leaves).prop_recursive(4, 16, 2, larger).boxed()
}

fn ty() -> BoxedStrategy<String> {
    nested(TYPES, TYPES_OF)
}

/// What stands in the parentheses of the attribute.
pub(super) fn options() -> impl Strategy<Value = String> {
    let option = (any(WORDS), any(VALUES)).prop_map(|(word, value)| word + &value);
    (vec(option, 0..4), any(BETWEEN)).prop_map(|(all, between)| all.join(&between))
}

fn params() -> impl Strategy<Value = String> {
    let param = (any(ATTRIBUTES), nested(PATTERNS, PATTERNS_OF), ty())
        .prop_map(|(attribute, pattern, ty)| format!("{attribute} {pattern}: {ty}"));
    prop_oneof![19 => vec(param.clone(), 0..4), 1 => vec(param, 15..19)].prop_map(|all| all.join(", "))
}

fn function_with(attributes: Words, receivers: Words) -> impl Strategy<Value = String> {
    let attributes = (any(ATTRIBUTES), any(attributes)).prop_map(|(a, b)| a + &b);
    let before = (attributes, any(VISIBILITIES), any(QUALIFIERS), any(NAMES), any(GENERICS));
    let returns = prop_oneof![Just(String::new()), ty().prop_map(|ty| format!("-> {ty}"))];
    let after = (any(receivers), params(), returns, any(WHERE), any(BODIES));
    (before, after).prop_map(|((attributes, vis, qualifiers, name, generics), after)| {
        let (receiver, params, returns, clause, body) = after;
        let comma = if receiver.is_empty() || params.is_empty() { "" } else { ", " };
        format!(
            "{attributes} {vis} {qualifiers} fn {name}{generics}({receiver}{comma}{params}) {returns} {clause} {body}"
        )
    })
}

pub(super) fn function() -> impl Strategy<Value = String> {
    prop_oneof![19 => function_with(NONE, NONE), 1 => function_with(METHOD_ATTRIBUTES, RECEIVERS)]
}

pub(super) fn block() -> impl Strategy<Value = String> {
    let item = prop_oneof![6 => function_with(METHOD_ATTRIBUTES, RECEIVERS), 1 => any(ITEMS)];
    let named = prop_oneof![4 => of(&["M", "m::M<T>", "M<'a, T, N>", "invisible(M)"]), 1 => ty()];
    let head = (any(ATTRIBUTES), any(HEADS), any(GENERICS), any(TRAITS), named);
    (head, any(WHERE), vec(item, 0..4)).prop_map(|((attributes, word, generics, of, ty), clause, items)| {
        format!("{attributes} {word}{generics} {of} {ty} {clause} {{ {} }}", items.join(" "))
    })
}

/// A function whose statements use each other.
pub(super) fn body() -> impl Strategy<Value = String> {
    let expression = || nested(EXPRESSIONS, EXPRESSIONS_OF);
    let statement = (any(STATEMENTS), expression(), expression())
        .prop_map(|(of, a, b)| of.replace("$1", &a).replace("$2", &b));
    let head = of(&[
        "fn f(x: T)",
        "fn f(x: &T, mut y: &mut T) -> Result<T, E>",
        "async fn f((x, y): (T, T), z: T) -> Option<T>",
        "fn f<T: Tr>(&self, x: T) -> impl Tr",
        "fn f(&mut self, r#type: T) -> &T",
        "fn f<'a, T, const N: usize>(mut self, X { y, .. }: X) -> Self where T: Tr",
        "async fn r#type(self: Arc<Self>, _: T)",
    ]);
    let last = prop_oneof![Just(String::new()), expression()];
    (head, vec(statement, 0..8), last)
        .prop_map(|(head, statements, last)| format!("{head} {{ {} {last} }}", statements.join(" ")))
}

pub(super) fn changed_body() -> impl Strategy<Value = String> {
    change(body())
}

pub(super) fn garbage() -> impl Strategy<Value = String> {
    let group = |inner: BoxedStrategy<String>| {
        let templates = of(&["($1)", "[$1]", "{ $1 }", "invisible($1)", "<$1>"]);
        (vec(inner, 0..8), templates).prop_map(|(inner, of)| of.replace("$1", &inner.join(" ")))
    };
    let one = of(TOKENS).prop_recursive(4, 32, 8, move |inner| group(inner.boxed()));
    vec(one, 0..24).prop_map(|all| all.join(" "))
}

pub(super) fn example() -> impl Strategy<Value = String> {
    of(&EXAMPLES)
}

/// What happens to one token of an item, which may be a group.
#[derive(Clone, Debug)]
enum Change {
    Delete,
    Double,
    SwapWithNext,
    Open,
    Replace(String),
    Precede(String),
}

/// A valid item in which some tokens, at any depth, have been deleted, doubled, swapped or replaced.
pub(super) fn changed() -> impl Strategy<Value = String> {
    change(example())
}

fn change(items: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let change = prop_oneof![
        Just(Change::Delete),
        Just(Change::Double),
        Just(Change::SwapWithNext),
        Just(Change::Open),
        of(TOKENS).prop_map(Change::Replace),
        of(TOKENS).prop_map(Change::Precede),
        ty().prop_map(Change::Replace),
    ];
    (items, vec((prop::arbitrary::any::<Index>(), change), 1..4)).prop_map(|(item, changes)| {
        let mut tokens: TokenStream = item.parse().unwrap_or_default();
        for (place, change) in changes {
            let count = count(tokens.clone());
            if count > 0 {
                tokens = apply(&change, tokens, &mut (place.index(count) + 1));
            }
        }
        tokens.to_string()
    })
}

fn count(tokens: TokenStream) -> usize {
    let of = |token| match token {
        TokenTree::Group(group) => 1 + count(group.stream()),
        _ => 1,
    };
    tokens.into_iter().map(of).sum()
}

/// Changes the token at which `left` comes to zero, counted as they stand in the text.
fn apply(change: &Change, tokens: TokenStream, left: &mut usize) -> TokenStream {
    let lexed = |text: &str| text.parse::<TokenStream>().unwrap_or_default();
    let mut out = TokenStream::new();
    let mut tokens = tokens.into_iter();
    while let Some(token) = tokens.next() {
        *left = left.saturating_sub(1);
        let is_next = std::mem::replace(left, if *left == 0 { usize::MAX } else { *left }) == 0;
        match (token, change) {
            (_, Change::Delete) if is_next => {}
            (token, Change::Double) if is_next => out.extend([token.clone(), token]),
            (token, Change::SwapWithNext) if is_next => out.extend(tokens.next().into_iter().chain([token])),
            (TokenTree::Group(group), Change::Open) if is_next => out.extend(group.stream()),
            (_, Change::Replace(text)) if is_next => out.extend(lexed(text)),
            (token, Change::Precede(text)) if is_next => {
                out.extend(lexed(text));
                out.extend([token]);
            }
            (TokenTree::Group(group), _) => {
                let inner = apply(change, group.stream(), left);
                out.extend([TokenTree::from(Group::new(group.delimiter(), inner))]);
            }
            (token, _) => out.extend([token]),
        }
    }
    out
}
