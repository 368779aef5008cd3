//! Names and messages that somebody else has chosen: whatever they hold, pictures keep their syntax, and
//! nothing that is shown to people moves a cursor, reorders text or leaves its line.
//!
//! `PROPTEST_CASES=10000 cargo test --test hostile` tries more names. The seed of a name that fails is kept
//! in `hostile.regressions`, from where it comes first in the next run.

use delayed::{Colour, Delayed, Error, Style, call, delayed, value};
use proptest::prelude::*;
use proptest::test_runner::FileFailurePersistence;
use std::path::PathBuf;

const NAMES: [&str; 30] = [
    "",
    " \t ",
    "\u{A0}\u{3000}",
    "<script>alert(1)</script>",
    "</text></svg><script href=\"x\"/>",
    "]]><![CDATA[",
    "<!-- & &amp; &#60; &nbsp;",
    "\"quotes\" 'and' `more`",
    "\"]; evil [label=\"",
    "\\",
    "\\\"",
    "\\N \\G \\l \\n \\\\",
    "nul\0bell\u{7}delete\u{7F}",
    "one\ntwo\r\nthree\rfour\u{B}five\u{85}six\u{2028}seven\u{2029}eight",
    "\u{1B}[2J\u{1B}]0;title\u{7}\u{9B}31m",
    "\u{202E}reversed\u{202C} \u{2066}isolated\u{2069} \u{200F}\u{61C}",
    "\u{301}lone",
    "e\u{301} and n\u{303}\u{323}",
    "z\u{300}\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}\u{308}\u{309}",
    "\u{FEFF}\u{FFFE}\u{FFFF}\u{1FFFF}\u{FDD0}\u{FFF9}",
    "%%{init: {'theme': 'x'}}%% end",
    "1. item",
    "1) item",
    "- item",
    "    code",
    "https://example.com/?a=b#c www.example.com a@example.com",
    "__init__ _private in_side $$x$$ **b** ~~s~~",
    "n0 --> n1; subgraph end",
    "価格 😀 ×2",
    "a name of more characters than a picture shows of any name, however important it may be",
];

fn any_name() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        prop::sample::select(&NAMES[..]).prop_map(str::to_owned),
        any::<String>(),
        any::<char>().prop_map(String::from),
        "[ -~]{0,8}",
    ];
    prop::collection::vec(part, 0..6).prop_map(|parts| parts.concat())
}

/// What a terminal or a text renderer obeys.
fn is_obeyed(c: char) -> bool {
    let reorders = ['\u{200E}'..='\u{200F}', '\u{202A}'..='\u{202E}', '\u{2066}'..='\u{2069}'];
    c.is_control()
        || matches!(c, '\u{61C}' | '\u{2028}' | '\u{2029}')
        || reorders.iter().any(|range| range.contains(&c))
}

/// The labels of all nodes in a Graphviz file, and how many edges it has. Fails if a statement is not one of
/// those that this crate writes, so no name has begun one of its own.
fn labels_of_dot(dot: &str) -> (Vec<String>, usize) {
    #[derive(PartialEq, Debug)]
    enum Token {
        Word(String),
        Text(String),
        Sign(char),
    }
    let mut tokens = Vec::new();
    let mut chars = dot.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                let mut text = String::new();
                loop {
                    match chars.next().expect("a text ends") {
                        '"' => break,
                        '\\' if chars.peek() == Some(&'"') => text.extend(chars.next()),
                        // In a label a backslash is the first of two; the other sequences stand for names.
                        '\\' => match chars.next() {
                            Some('\\') => text.push('\\'),
                            Some('n') => text.push('\n'),
                            other => panic!("\\{other:?} in {dot}"),
                        },
                        c => text.push(c),
                    }
                }
                for entity in text.split('&').skip(1) {
                    assert!(entity.starts_with("amp;"), "&{entity:.9}");
                }
                tokens.push(Token::Text(text.replace("&amp;", "&")));
            }
            c if c.is_ascii_alphanumeric() => {
                let mut word = String::from(c);
                word.extend(std::iter::from_fn(|| chars.next_if(char::is_ascii_alphanumeric)));
                tokens.push(Token::Word(word));
            }
            c if c.is_ascii_whitespace() => {}
            c => tokens.push(Token::Sign(c)),
        }
    }
    let word = |token: &Token| if let Token::Word(word) = token { word.clone() } else { String::new() };
    let is_node = |token: &Token| word(token).strip_prefix('n').is_some_and(|n| n.parse::<usize>().is_ok());
    assert_eq!(tokens.remove(0), Token::Word("digraph".to_owned()));
    assert_eq!(tokens.remove(0), Token::Word("delayed".to_owned()));
    assert_eq!(tokens.remove(0), Token::Sign('{'));
    assert_eq!(tokens.pop(), Some(Token::Sign('}')));
    let (mut labels, mut edges) = (Vec::new(), 0);
    for statement in
        tokens.split(|token| *token == Token::Sign(';')).filter(|statement| !statement.is_empty())
    {
        let attributes = match statement {
            [from, Token::Sign('-'), Token::Sign('>'), to, rest @ ..] if is_node(from) && is_node(to) => {
                edges += 1;
                rest
            }
            [node, rest @ ..] => {
                assert!(is_node(node) || ["node", "edge"].contains(&&*word(node)), "{node:?}");
                rest
            }
            [] => unreachable!("filtered"),
        };
        let [Token::Sign('['), attributes @ .., Token::Sign(']')] = attributes else {
            assert!(attributes.is_empty(), "{attributes:?}");
            continue;
        };
        for attribute in attributes.split(|token| *token == Token::Sign(',')) {
            let [name, Token::Sign('='), content] = attribute else { panic!("{attribute:?}") };
            match content {
                Token::Text(label) if word(name) == "label" && is_node(&statement[0]) => {
                    labels.push(label.clone());
                }
                Token::Text(text) => assert!(word(name) == "tooltip" || !text.contains('\n'), "{text}"),
                Token::Word(_) => {}
                Token::Sign(_) => panic!("{attribute:?}"),
            }
        }
    }
    (labels, edges)
}

/// The same of a Mermaid flowchart, whose lines are of two forms.
fn labels_of_mermaid(chart: &str) -> (Vec<String>, usize) {
    let lines = chart.strip_prefix("flowchart TD\n").expect("it begins as a flowchart");
    let (mut labels, mut edges) = (Vec::new(), 0);
    for line in lines.split_terminator('\n') {
        let line = line.strip_prefix("    n").expect("each line begins with a node");
        if let Some((from, to)) = line.split_once(" --> n") {
            assert!(from.parse::<usize>().is_ok() && to.parse::<usize>().is_ok(), "{line}");
            edges += 1;
            continue;
        }
        let (number, text) = line.split_once("[\"").expect("a node has a label");
        assert_eq!(number.parse(), Ok(labels.len()));
        let mut label = String::new();
        let mut rest = text.strip_suffix("\"]").expect("a label ends its line");
        while let Some((before, entity)) = rest.split_once('#') {
            label.push_str(before);
            let (code, after) = entity.split_once(';').expect("an entity ends");
            label.push(char::from_u32(code.parse().expect("a number")).expect("a character"));
            rest = after;
        }
        label.push_str(rest);
        let plain = text[..text.len() - 2].replace(['#', ';'], "");
        assert!(!plain.contains(|c| "\"[]{}<>|`%\\&$*~:@=!?^'+".contains(c)), "{plain}");
        labels.push(label);
    }
    (labels, edges)
}

/// The same of an SVG picture, which has no elements and attributes but those of drawings.
fn labels_of_svg(svg: &str) -> (Vec<String>, usize) {
    let document = roxmltree::Document::parse(svg).unwrap_or_else(|error| panic!("{error} in {svg}"));
    let elements = || document.descendants().filter(roxmltree::Node::is_element);
    for element in elements() {
        let name = element.tag_name().name();
        assert!(["svg", "rect", "g", "path", "title", "text"].contains(&name), "<{name}>");
        for attribute in element.attributes() {
            let name = attribute.name();
            assert!(!name.starts_with("on") && !["href", "style", "src", "id"].contains(&name), "{name}");
        }
    }
    let edges = elements().filter(|e| e.has_tag_name(("http://www.w3.org/2000/svg", "path"))).count() - 1;
    let texts = elements().filter(|e| e.tag_name().name() == "text");
    (texts.map(|text| text.text().unwrap_or_default().to_owned()).collect(), edges)
}

fn drawn(graph: &Delayed<i64>, ending: &str) -> String {
    struct Scratch(PathBuf);
    impl Drop for Scratch {
        fn drop(&mut self) {
            let _ = std::fs::remove_file(&self.0);
        }
    }
    static NUMBER: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let name = format!("delayed-hostile-{}-{number}.{ending}", std::process::id());
    let file = Scratch(std::env::temp_dir().join(name));
    graph.visualize(&file.0).unwrap();
    std::fs::read_to_string(&file.0).unwrap()
}

/// Draws a graph of three nodes, the first of which has the name, in all formats. They agree on its label.
fn check_pictures(name: &str) {
    let first = call(|a: i64| a, (1,)).named(name);
    let sum = call(|a: i64, b: i64| a + b, (&first, value(2).named("second"))).named("sum");
    let (labels, edges) = labels_of_dot(&sum.dot());
    assert_eq!((&labels[1..], edges), (&["second".to_owned(), "sum".to_owned()][..], 2));
    let label = &labels[0];
    let length = label.chars().count();
    assert!((1..=40).contains(&length) && !label.trim().is_empty(), "{label:?} is {length} characters");
    assert!(!label.contains(is_obeyed), "{label:?}");
    if name.len() <= 40 && !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric()) {
        assert_eq!(label, name);
    }
    assert_eq!(labels_of_mermaid(&sum.mermaid()), (labels.clone(), 2));
    assert_eq!(labels_of_svg(&drawn(&sum, "svg")), (labels.clone(), 2));
    let style = Style::new().values().labels().colour(Colour::State);
    let (all, edges) = labels_of_dot(&sum.graph().dot(&style));
    assert_eq!(
        (all, edges),
        (vec![label.clone(), String::new(), "second".to_owned(), "sum".to_owned(), String::new()], 4)
    );
    assert!(labels_of_svg(&sum.graph().svg(&style)).0.contains(label));
    assert_eq!(drawn(&sum, "txt"), format!("sum\n├─ {label}\n└─ second\n"));
}

fn is_one_line(text: &str) -> bool {
    !text.contains(is_obeyed)
}

/// Looks at all texts that say what went wrong in a node with the name, and at those of its handle.
fn check_texts(name: &str, message: &str) {
    let failing = value(Err::<i64, String>(message.to_owned())).flatten().named(name);
    let consumer = failing.clone().map(|x| x + 1).named(name);
    assert!(is_one_line(&format!("{failing:?}")));
    let error = consumer.wait().unwrap_err();
    assert_eq!((error.node().name(), error.downcast_ref::<Error>().is_none()), (name, true));
    assert!(is_one_line(&error.to_string()), "{error}");
    assert!(is_one_line(&format!("{:?}", error.node())), "{:?}", error.node());
    let report = format!("{error:?}");
    assert!(report.split('\n').all(is_one_line), "{report:?}");
    let place = format!("\n  at {}:", error.node().file());
    assert!(report.contains(&place), "{report}");
    // The message is whole, and names are cut.
    let most = message.chars().count() * 4 + 4_000;
    assert!(report.len() < most, "{} bytes", report.len());
}

proptest! {
    #![proptest_config(ProptestConfig {
        failure_persistence: Some(Box::new(FileFailurePersistence::WithSource("regressions"))),
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_name_breaks_a_picture(name in any_name()) {
        check_pictures(&name);
    }

    #[test]
    fn no_message_leaves_its_line(name in any_name(), message in any_name()) {
        check_texts(&name, &message);
    }
}

#[test]
fn known_names_break_nothing() {
    for name in NAMES {
        check_pictures(name);
        check_texts(name, name);
    }
}

#[test]
fn other_failures_are_shown_like_the_first() {
    for name in NAMES {
        let failing = || value(Err::<i64, String>("no".to_owned())).flatten().named(name);
        let [result] = futures::executor::block_on(delayed::settle([failing() + failing()]));
        let report = format!("{:?}", result.unwrap_err());
        assert!(report.contains("and 1 more node failed"), "{report}");
        assert!(report.split('\n').all(is_one_line), "{report:?}");
    }
}

#[test]
fn a_megabyte_of_text_is_cut() {
    for part in ["x", " ", "\\", "\u{301}", "\n"] {
        let name = part.repeat((1 << 20) / part.len());
        check_pictures(&name);
        check_texts(&name, &name);
    }
}

#[delayed(name = "\"]; </text><script>\u{202E}\n\u{1B}[2J")]
fn with_a_hostile_name(x: i64) -> i64 {
    assert!(x > 0, "\u{1B}[2J{x}\n\u{202E}");
    x
}

#[test]
fn a_function_with_such_a_name_breaks_nothing() {
    let handle = with_a_hostile_name(0);
    let label = "\"]; </text><script>\u{FFFD} \u{FFFD}[2J".to_owned();
    assert_eq!(labels_of_dot(&handle.dot()), (vec![label.clone()], 0));
    assert_eq!(labels_of_svg(&drawn(&handle, "svg")), (vec![label.clone()], 0));
    let error = handle.wait().unwrap_err();
    assert!(error.is_panic());
    assert_eq!(error.to_string(), format!("`{label}` panicked: \u{FFFD}[2J0 …"));
}
