//! Whatever stands in the attribute and below it, the macro gives tokens or errors: it does not panic, and
//! it ends.
//!
//! `PROPTEST_CASES=100000 PROPTEST_TIMEOUT=10000 cargo test -p delayed-macros` tries many, each for at most
//! ten seconds. A case that fails is printed as source text, and its seed is kept in `proptest-regressions`,
//! from where it comes first in the next run.

mod source;

use crate::{attribute, graph};
use proc_macro2::{Delimiter, Group, TokenStream, TokenTree};
use proptest::prelude::*;
use proptest::test_runner::TestCaseResult;
use syn::{File, Item, parse2};

/// The tokens of a source text. `invisible(…)` stands for the delimiters that `macro_rules!` puts round a
/// fragment, and that have no text. What has no tokens at all never comes to a macro.
fn tokens(text: &str) -> Option<TokenStream> {
    fn with_invisible(tokens: TokenStream) -> TokenStream {
        let mut is_invisible = false;
        let mut out = TokenStream::new();
        for token in tokens {
            let delimiter = if is_invisible { Some(Delimiter::None) } else { None };
            is_invisible = matches!(&token, TokenTree::Ident(ident) if ident == "invisible");
            match token {
                TokenTree::Group(group) => {
                    let delimiter = delimiter.unwrap_or(group.delimiter());
                    out.extend([TokenTree::from(Group::new(delimiter, with_invisible(group.stream())))]);
                }
                token if !is_invisible => out.extend([token]),
                _ => {}
            }
        }
        out
    }
    text.parse().ok().map(with_invisible)
}

fn has_error(expanded: &TokenStream) -> bool {
    crate::item::find_word(expanded.clone(), "compile_error").is_some()
}

/// Expands, and checks the result where the compiler would get that far: it parses an item before it calls
/// the attribute, and the expansion after.
fn check(options: &str, item: &str) -> TestCaseResult {
    let (Some(options), Some(item)) = (tokens(options), tokens(item)) else { return Ok(()) };
    let expanded = [attribute(options.clone(), item.clone()), graph::attribute(options, item.clone())];
    let Ok(item) = parse2::<Item>(item) else { return Ok(()) };
    for expanded in &expanded {
        let parsed = parse2::<File>(expanded.clone());
        prop_assert!(parsed.is_ok(), "{}\nin the expansion {expanded}", parsed.err().unwrap());
        if !matches!(item, Item::Fn(_) | Item::Impl(_)) {
            prop_assert!(has_error(expanded), "neither a function nor a block, and no error: {expanded}");
        }
    }
    Ok(())
}

proptest! {
    #[test]
    fn any_options_are_read_or_refused(
        options in source::options(),
        garbage in source::garbage(),
        item in source::example(),
    ) {
        check(&options, &item)?;
        check(&garbage, &item)?;
    }

    #[test]
    fn any_function_is_expanded_or_refused(options in source::options(), function in source::function()) {
        check("", &function)?;
        check(&options, &function)?;
    }

    #[test]
    fn any_block_is_expanded_or_refused(options in source::options(), block in source::block()) {
        check("", &block)?;
        check(&options, &block)?;
    }

    #[test]
    fn a_changed_item_is_expanded_or_refused(options in source::options(), item in source::changed()) {
        check("", &item)?;
        check(&options, &item)?;
    }

    #[test]
    fn any_body_is_a_graph_or_refused(options in source::options(), function in source::body()) {
        check("", &function)?;
        check("associated", &format!("#[delayed] {function}"))?;
        check(&options, &format!("#[delayed::graph] {function}"))?;
    }

    #[test]
    fn a_changed_body_is_a_graph_or_refused(function in source::changed_body()) {
        check("", &function)?;
    }

    #[test]
    fn garbage_is_refused(options in source::options(), garbage in source::garbage()) {
        check(&options, &garbage)?;
    }
}

#[test]
fn the_examples_are_expanded() {
    for example in source::EXAMPLES {
        let expanded = attribute(TokenStream::new(), tokens(example).expect("an example is lexed"));
        assert!(!has_error(&expanded), "{example} gives {expanded}");
        parse2::<File>(expanded).expect("an expansion is parsed");
    }
}

/// Deeper than anybody writes, on a stack as large as the compiler's.
#[test]
fn deep_types_are_expanded() {
    let deep = |open: &str, close: &str| format!("{}i64{}", open.repeat(64), close.repeat(64));
    let types =
        [deep("&", ""), deep("Vec<", ">"), deep("(", ",)"), deep("impl Fn(", ")"), deep("invisible(", ")")];
    let expand = move |ty: &String| {
        let item = tokens(&format!("fn f(x: {ty}) -> {ty} {{ x }}")).expect("balanced");
        parse2::<File>(attribute(TokenStream::new(), item)).expect("an expansion is parsed");
    };
    let thread = std::thread::Builder::new().stack_size(8 << 20);
    thread.spawn(move || types.iter().for_each(expand)).unwrap().join().unwrap();
}

#[test]
fn long_items_take_little_time() {
    let begin = std::time::Instant::now();
    let list = |one: fn(usize) -> String| (0..400).map(one).collect::<Vec<_>>().join(", ");
    let lifetimes = list(|i| format!("'l{i}"));
    let params = list(|i| format!("x{i}: &'l{i} impl Tr<'l{i}>"));
    let word = "x".repeat(1 << 14);
    check("", &format!("fn f<{lifetimes}>({params}) {{}}")).unwrap();
    check(&format!("{word}, {}", list(|_| "blocking".to_owned())), "fn f() {}").unwrap();
    check(&format!("name = \"{word}\""), &format!("fn {word}({word}: {word}) {{}}")).unwrap();
    let chain = (1..200).map(|i| format!("let x{i} = f(x{}, x0);", i - 1)).collect::<String>();
    check("", &format!("fn f(x0: i64) {{ {chain} }}")).unwrap();
    let wide = (0..200).map(|i| format!("let x{i} = f(y); let z{i} = f(x{i}, x0);")).collect::<String>();
    check("", &format!("fn f(y: i64) {{ {wide} }}")).unwrap();
    assert!(begin.elapsed().as_secs() < 10);
}
