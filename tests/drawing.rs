//! What pictures show, and that no graph or name breaks them.

use delayed::{Delayed, Error, call, value, visualize};
use std::path::PathBuf;

fn leaf(name: &str) -> Delayed<i64> {
    call(|a: i64| a, (1,)).named(name)
}

fn add(left: &Delayed<i64>, right: &Delayed<i64>) -> Delayed<i64> {
    call(|a: i64, b: i64| a.wrapping_add(b), (left, right)).named("add")
}

fn chain(length: usize) -> Delayed<i64> {
    (0..length).fold(leaf("start"), |last, _| call(|a: i64| a + 1, (last,)).named("inc"))
}

/// A graph in which each node takes two of the fifteen before it, and the last takes all the rest.
fn random_graph(nodes: usize) -> Delayed<i64> {
    let mut seed = 0x2545_F491_4F6C_DD1D_u64;
    let mut random = |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 33) as usize % below
    };
    let mut all = vec![leaf("load")];
    while all.len() + 2 < nodes {
        let (a, b) = (random(all.len().min(15)), random(all.len().min(15)));
        all.push(add(&all[all.len() - 1 - a], &all[all.len() - 1 - b]));
    }
    delayed::gather(all).map(|all| all.iter().fold(0, |a: i64, b| a.wrapping_add(*b)))
}

/// A file of this test run, which is removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Scratch {
        Scratch(std::env::temp_dir().join(format!("delayed-drawing-{}-{name}", std::process::id())))
    }

    fn drawing(name: &str, of: &Delayed<i64>) -> String {
        let file = Scratch::new(name);
        of.visualize(&file.0).unwrap();
        std::fs::read_to_string(&file.0).unwrap()
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Checks that tags are balanced, quotes closed and entities known; returns how many elements
/// there are of each name that is asked for.
fn count_elements<const N: usize>(svg: &str, names: [&str; N]) -> [usize; N] {
    let mut counts = [0; N];
    let mut open = Vec::new();
    let mut rest = svg;
    while let Some(start) = rest.find('<') {
        assert!(!rest[..start].contains('>'), "a bare `>` in {}", &rest[..start]);
        let end = start + rest[start..].find('>').expect("a tag ends");
        let tag = &rest[start + 1..end];
        rest = &rest[end + 1..];
        assert!(!tag.contains('<'), "a bare `<` in {tag}");
        assert_eq!(tag.matches('"').count() % 2, 0, "quotes in {tag}");
        if let Some(name) = tag.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name));
            continue;
        }
        let name = tag.split([' ', '/']).next().unwrap();
        names.iter().zip(&mut counts).filter(|(of, _)| **of == name).for_each(|(_, count)| *count += 1);
        if !tag.ends_with('/') {
            open.push(name);
        }
    }
    assert!(open.is_empty(), "not closed: {open:?}");
    for entity in svg.split('&').skip(1) {
        assert!(
            ["amp;", "lt;", "gt;", "quot;"].iter().any(|known| entity.starts_with(known)),
            "&{entity:.9}"
        );
    }
    let drawable = |c: char| c == '\n' || !(c.is_control() || ('\u{202A}'..='\u{202E}').contains(&c));
    assert!(svg.chars().all(drawable));
    counts
}

#[test]
fn dot_shows_names_parameters_and_places() {
    let (inc, dec) = (leaf("inc"), leaf("dec"));
    let line = line!() + 1;
    let both = inc.clone().zip(dec.clone());
    let at = |key: String, line| format!("{key}\\n{}:{line}\\nlazy", file!());
    let [inc, dec] = [&inc, &dec].map(|leaf| at(leaf.key(), leaf.graph().nodes[0].line));
    let zip = at(both.key(), line);
    assert_eq!(
        both.dot(),
        format!(
            r##"digraph delayed {{
  node [shape=box, style="rounded,filled", fillcolor="#eef2f6", fontname="monospace"];
  edge [fontname="monospace", fontsize=10, color="#7b8794"];
  n0 [label="inc", tooltip="{inc}"];
  n1 [label="dec", tooltip="{dec}"];
  n2 [label="zip", tooltip="{zip}"];
  n0 -> n2 [label="left", tooltip="left"];
  n1 -> n2 [label="right", tooltip="right"];
}}
"##
        )
    );
}

#[test]
fn mermaid_is_a_flowchart() {
    let sum = add(&leaf("inc"), &leaf("dec"));
    assert_eq!(
        sum.mermaid(),
        r#"flowchart TD
    n0["inc"]
    n1["dec"]
    n2["add"]
    n0 --> n2
    n1 --> n2
"#
    );
}

#[test]
fn text_is_a_tree_in_which_shared_nodes_are_drawn_once() {
    let shared = add(&leaf("load"), &value(1));
    let tree = Scratch::drawing("tree.txt", &add(&shared, &shared.clone().map(|x| x + 1)));
    assert_eq!(tree, "add\n├─ add (1)\n│  ├─ load\n│  └─ value\n└─ map\n   └─ value: add (1) ↑\n");
    let deep = Scratch::drawing("deep.txt", &chain(100));
    assert_eq!(deep.lines().filter(|line| line.ends_with('↓')).count(), 3);
    assert!(deep.lines().all(|line| line.chars().count() < 90));
}

#[test]
fn svg_has_a_box_and_a_tooltip_for_each_node() {
    let sum = add(&leaf("inc"), &leaf("dec"));
    let svg = Scratch::drawing("three.svg", &sum);
    // The background is a rectangle, and the arrow heads are one path.
    assert_eq!(count_elements(&svg, ["rect", "title", "text", "path"]), [4, 3, 3, 3]);
    assert!(svg.contains(&format!("<title>{}\n{}:", sum.key(), file!())));
}

#[test]
fn names_cannot_break_out_of_a_picture() {
    let names = [
        "<script>alert(1)</script>",
        "\"]; evil [label=\"",
        "a & b &amp; c",
        "back\\slash\\N\\",
        "nul\0bell\u{7}line\nbreak\u{FFFF}",
        "\u{202E}reversed\u{2066}\u{200F}",
        "%%{init: {}}%% `x` $$y$$ #35; 1. item",
        "",
        "names of a hundred characters are cut, for no box should be as wide as all of the others together",
    ];
    let graph = delayed::gather(names.map(leaf)).map(|values| values[0]);
    let svg = Scratch::drawing("hostile.svg", &graph);
    count_elements(&svg, []);
    assert!(svg.contains("&lt;script&gt;") && svg.contains("nul\u{FFFD}bell\u{FFFD}line break\u{FFFD}"));
    assert!(svg.contains(">names of a hundred characters are cut, …<"));
    assert!(svg.contains(">(no name)<"));

    let dot = graph.dot();
    assert!(dot.contains(r#"label="\"]; evil [label=\"","#));
    assert!(dot.contains(r#"label="back\\slash\\N\\","#));
    assert!(dot.contains("a &amp; b &amp;amp; c"));
    assert_eq!(dot.lines().count(), 3 + 11 + 10 + 1);

    let mermaid = graph.mermaid();
    assert!(mermaid.contains(r##"n0["#60;script#62;alert(1)#60;/script#62;"]"##));
    assert!(mermaid.contains(r##"n1["#34;#93;#59; evil #91;label#61;#34;"]"##));
    assert!(mermaid.contains("1#46; item"));
    assert_eq!(mermaid.lines().count(), 1 + 11 + 10);
    for drawing in [dot, mermaid, Scratch::drawing("hostile.txt", &graph)] {
        assert!(
            drawing.chars().all(|c| c == '\n' || !(c.is_control() || c == '\u{202E}' || c == '\u{200F}'))
        );
    }
}

#[test]
fn svg_of_a_random_graph_is_well_formed() {
    let svg = Scratch::drawing("random.svg", &random_graph(300));
    assert_eq!(count_elements(&svg, ["rect", "title", "text"]), [301, 300, 300]);
    assert!(!svg.contains("NaN") && !svg.contains("inf"));
}

#[test]
fn large_graphs_are_drawn_in_groups() {
    let leaves: Vec<_> = (0..2_500).map(|_| call(|a: i64| a + 1, (leaf("load"),)).named("inc")).collect();
    let graph = delayed::gather(leaves).map(|all| all.len() as i64);
    let svg = Scratch::drawing("groups.svg", &graph);
    assert!(svg.contains("5002 nodes and 5001 edges, grouped by function and layer"));
    assert_eq!(count_elements(&svg, ["rect", "title", "text"]), [5, 4, 5]);
    assert_eq!(
        graph.mermaid(),
        r#"flowchart TD
    %% 5002 nodes and 5001 edges, grouped by function and layer
    n0["load ×2500"]
    n1["inc ×2500"]
    n2["gather"]
    n3["map"]
    n0 --> n1
    n1 --> n2
    n2 --> n3
"#
    );
}

#[test]
fn graphs_with_a_name_for_each_node_are_grouped_too() {
    let leaves: Vec<_> = (0..2_500).map(|i| leaf(&format!("load-{i}"))).collect();
    assert!(delayed::gather(leaves).mermaid().contains("n0[\"load ×2500\"]"));
    let word = |i: i32| i.to_string().chars().map(|c| char::from(c as u8 + b'a' - b'0')).collect::<String>();
    let leaves: Vec<_> = (0..2_500).map(|i| leaf(&word(i))).collect();
    assert!(delayed::gather(leaves).mermaid().contains("[\"other names ×2"));
}

#[test]
fn a_handle_that_is_done_is_drawn() {
    let sum = add(&leaf("inc"), &leaf("dec"));
    sum.clone().wait().unwrap();
    assert_eq!(sum.mermaid(), "flowchart TD\n    n0[\"add\"]\n");
}

#[test]
fn collections_and_nothing_at_all_are_drawn() {
    let file = Scratch::new("collection.MMD");
    let shared = leaf("shared");
    visualize((&shared, vec![add(&shared, &shared)]), &file.0).unwrap();
    let drawing = std::fs::read_to_string(&file.0).unwrap();
    assert_eq!(drawing, "flowchart TD\n    n0[\"shared\"]\n    n1[\"add\"]\n    n0 --> n1\n    n0 --> n1\n");
    let file = Scratch::new("nothing.svg");
    visualize(Vec::<Delayed<i64>>::new(), &file.0).unwrap();
    assert!(std::fs::read_to_string(&file.0).unwrap().contains("no nodes"));
}

#[test]
fn other_endings_are_refused() {
    for name in ["graph.jpg", "graph", "svg"] {
        let file = Scratch::new(name);
        let line = line!() + 1;
        let error: Error = leaf("inc").visualize(&file.0).unwrap_err();
        assert_eq!((error.node().file(), error.node().line()), (file!(), line));
        let text = error.to_string();
        assert!(text.contains(&file.0.display().to_string()), "{text}");
        assert!(text.ends_with("use .svg, .png, .dot, .gv, .mmd, .mermaid or .txt"), "{text}");
        assert!(!file.0.exists());
    }
}

#[test]
#[cfg(not(feature = "png"))]
fn png_says_which_feature_it_needs() {
    let file = Scratch::new("graph.png");
    let error = leaf("inc").visualize(&file.0).unwrap_err().to_string();
    let path = file.0.display();
    let why = "PNG needs the feature `png` of the crate `delayed`; turn it on, or use .svg";
    assert_eq!(error, format!("`visualize`: cannot paint `{path}`: {why}"));
    assert!(!file.0.exists());
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    let error = leaf("inc").visualize("/no such folder/graph.svg").unwrap_err().to_string();
    assert!(error.starts_with("`visualize`: cannot write `/no such folder/graph.svg`: "), "{error}");
}

/// The kernel of a notebook reads what a cell prints, so another process has to print it.
#[test]
fn a_notebook_shows_the_picture_of_a_handle() {
    const CHILD: &str = "DELAYED_NOTEBOOK";
    let sum = add(&leaf("inc"), &leaf("dec"));
    if std::env::var_os(CHILD).is_some() {
        sum.evcxr_display();
        return;
    }
    let test = "a_notebook_shows_the_picture_of_a_handle";
    let child = std::process::Command::new(std::env::current_exe().unwrap())
        .args([test, "--exact", "--nocapture"])
        .env(CHILD, "1")
        .output()
        .unwrap();
    let printed = String::from_utf8(child.stdout).unwrap();
    let (_, shown) = printed.split_once("EVCXR_BEGIN_CONTENT text/html\n").expect("it begins");
    let (shown, _) = shown.split_once("\nEVCXR_END_CONTENT\n").expect("it ends");
    assert_eq!(count_elements(shown, ["div", "svg", "title"]), [1, 1, 3]);
}

/// `cargo test --release --test drawing -- --ignored`
#[test]
#[ignore = "of use with --release alone"]
fn a_hundred_thousand_nodes_are_drawn_in_two_seconds() {
    let wide: Vec<_> = (0..50_000).map(|_| call(|a: i64| a + 1, (leaf("load"),)).named("inc")).collect();
    let wide = delayed::gather(wide).map(|all| all.len() as i64);
    let graphs = [("chain", chain(100_000)), ("random", random_graph(100_000)), ("wide", wide)];
    let all = delayed::Style::new().left_to_right().values().labels().colour(delayed::Colour::State);
    for (name, graph) in graphs {
        for ending in ["svg", "dot", "mmd", "txt", "png"] {
            if ending == "png" && !cfg!(feature = "png") {
                continue;
            }
            for style in [delayed::Style::new(), all.clone()] {
                let file = Scratch::new(&format!("{name}-large.{ending}"));
                let begin = std::time::Instant::now();
                graph.visualize_with(style, &file.0).unwrap();
                println!("{name} {ending} {:.2?}", begin.elapsed());
                assert!(begin.elapsed().as_secs() < 2, "{name} {ending} {:?}", begin.elapsed());
            }
        }
    }
}

#[test]
fn twenty_thousand_nodes_need_little_stack() {
    let draw = || {
        for (name, graph) in [("chain", chain(20_000)), ("random", random_graph(20_000))] {
            for ending in ["svg", "dot", "mmd", "txt"] {
                assert!(!Scratch::drawing(&format!("{name}.{ending}"), &graph).is_empty());
            }
        }
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(draw).unwrap().join().unwrap();
}
