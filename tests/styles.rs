//! What each style changes in each format. The snapshots are in `tests/snapshots`:
//! `INSTA_UPDATE=always cargo test --test styles` writes them anew.

use delayed::{Colour, Delayed, Graph, Status, Style, call, value, visualize_with};
use insta::assert_snapshot;
use layout::gv::DotParser;
use layout::gv::parser::ast::{AttributeList, Stmt};
use std::time::Duration;

/// Two files and a rate, and a report that needs one of them twice.
fn report() -> Graph {
    let load = |name: &str| call(|x: i64| x, (1,)).named(name);
    let add = |a: &Delayed<i64>, b: &Delayed<i64>| call(|a: i64, b: i64| a + b, (a, b));
    let (left, right) = (load("load a"), load("load <b> & \"c\""));
    let rate = value(3).named("rate");
    let scaled = (&left * &rate).named("scale");
    let both = add(&scaled, &right).named("join");
    let all = delayed::gather(vec![both, left, scaled]);
    settled(all.map(|all| all.len() as i64).named("report").graph())
}

/// The same in each run: keys and lines are numbers of nodes, and half of it has run.
fn settled(mut graph: Graph) -> Graph {
    for (index, node) in graph.nodes.iter_mut().enumerate() {
        node.key = format!("{}-{index:02}", node.name);
        node.line = index as u32;
        if index < 4 {
            node.order = Some(index);
            node.time = Some(Duration::from_micros(100 * index as u64 * index as u64));
        }
        let states = [Status::Done, Status::Done, Status::Done, Status::Running, Status::Failed];
        node.status = states.get(index).copied().unwrap_or(Status::Waiting);
    }
    graph
}

fn all() -> Style {
    Style::new().left_to_right().values().labels()
}

#[test]
fn graphviz() {
    assert_snapshot!("dot", report().dot(&Style::new()));
    assert_snapshot!("dot_values_state", report().dot(&all().colour(Colour::State)));
}

#[test]
fn mermaid() {
    assert_snapshot!("mermaid", report().mermaid(&Style::new()));
    assert_snapshot!("mermaid_values_order", report().mermaid(&all().colour(Colour::Order)));
}

#[test]
fn text() {
    assert_snapshot!("text", report().text(&Style::new()));
    assert_snapshot!("text_time", report().text(&all().colour(Colour::Time)));
    assert_snapshot!("text_order", report().text(&all().colour(Colour::Order)));
}

#[test]
fn svg() {
    assert_snapshot!("svg", report().svg(&Style::new()));
    assert_snapshot!("svg_values_labels_time", report().svg(&all().colour(Colour::Time)));
    assert_snapshot!("svg_state", report().svg(&Style::new().colour(Colour::State)));
}

#[test]
fn a_file_is_drawn_in_its_style() {
    let (x, y) = (value(1), value(2));
    let style = Style::new().left_to_right().values();
    let sum = x + y;
    let file = std::env::temp_dir().join(format!("delayed-styles-{}.mmd", std::process::id()));
    sum.visualize_with(style.clone(), &file).unwrap();
    let one = std::fs::read_to_string(&file).unwrap();
    visualize_with((&sum, [&sum]), style.clone(), &file).unwrap();
    let two = std::fs::read_to_string(&file).unwrap();
    sum.graph().visualize(style.clone(), &file).unwrap();
    let three = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert!(one.starts_with("flowchart LR\n    n0[\"value\"]\n"), "{one}");
    assert_eq!((&one, &one), (&two, &three));
    assert_eq!(one, sum.graph().mermaid(&style));
}

/// Graphs of the given style, as a program reads them that is not this one.
fn parsed(dot: &str) -> (Vec<AttributeList>, usize) {
    let graph = DotParser::new(dot).process().unwrap_or_else(|error| panic!("{error} in {dot}"));
    let (mut nodes, mut edges) = (Vec::new(), 0);
    for statement in graph.list.list {
        match statement {
            Stmt::Node(node) => {
                assert_eq!(node.id.name, format!("n{}", nodes.len()));
                nodes.push(node.list);
            }
            Stmt::Edge(edge) => {
                for name in [&edge.from.name, &edge.to[0].0.name] {
                    assert!(name.strip_prefix('n').unwrap().parse::<usize>().unwrap() < nodes.len());
                }
                edges += 1;
            }
            Stmt::Attribute(_) => {}
            Stmt::SubGraph(_) => panic!("a name has begun a graph"),
        }
    }
    (nodes, edges)
}

#[test]
fn graphviz_files_can_be_read_back() {
    let get = |list: &AttributeList, name: &str| {
        list.iter().find(|(of, _)| of == name).map_or(String::new(), |(_, content)| content.clone())
    };
    let mut graph = report();
    for name in ["\"]; evil [label=\"", "back\\slash\\", "a -> b; }", "価格 😀", "/* // #"] {
        graph.nodes[0].name = name.to_owned();
        let (nodes, edges) = parsed(&graph.dot(&Style::new()));
        assert_eq!((nodes.len(), edges), (graph.nodes.len(), graph.edges.len()));
        assert_eq!(get(&nodes[0], "label"), name);
        let shown: Vec<_> = nodes.iter().map(|list| get(list, "label").replace("&amp;", "&")).collect();
        assert_eq!(shown, graph.nodes.iter().map(|node| node.name.clone()).collect::<Vec<_>>());
    }
    // Each call has a value, and `rate` is one.
    let calls = graph.nodes.len() - 1;
    let (nodes, edges) = parsed(&graph.dot(&all().colour(Colour::Time)));
    assert_eq!((nodes.len(), edges), (2 * calls + 1, graph.edges.len() + calls));
    assert_eq!(nodes.iter().filter(|list| get(list, "shape") == "circle").count(), calls);
    assert!(nodes.iter().all(|list| get(list, "fillcolor").len() == 7));
}

#[test]
fn a_legend_says_what_is_shown() {
    let svg = |colour| report().svg(&Style::new().colour(colour));
    let states = svg(Colour::State);
    for state in ["waiting", "running", "done", "failed"] {
        assert!(states.contains(&format!(">{state}</text>")), "{state}");
    }
    assert!(!states.contains(">lazy</text>"));
    let orders = svg(Colour::Order);
    for text in ["0", "1", "2", "3", "unknown"] {
        assert!(orders.contains(&format!(">{text}</text>")), "{text}");
    }
    let times = svg(Colour::Time);
    for text in ["0", "225.0µs", "900.0µs", "unknown"] {
        assert!(times.contains(&format!(">{text}</text>")), "{text}");
    }
    assert!(!svg(Colour::Function).contains(">unknown</text>"));
    // Values do not run.
    let mut values = report();
    values.nodes.iter_mut().for_each(|node| node.time = (node.name != "rate").then_some(Duration::ZERO));
    assert!(!values.svg(&Style::new().colour(Colour::Time)).contains(">unknown</text>"));
}

#[test]
fn calls_of_one_function_have_one_colour_whatever_their_names() {
    #[delayed::delayed]
    fn read(path: String) -> String {
        path
    }
    let files = delayed::gather(vec![read("a").named("a"), read("b").named("b")]);
    let svg = files.graph().svg(&Style::new());
    // The first rectangle is the background.
    let fills = svg.split("<rect").skip(2).map(|rect| &rect.split("fill=\"").nth(1).unwrap()[..7]);
    let fills: Vec<&str> = fills.collect();
    assert_eq!(fills[0], fills[1]);
    assert_ne!(fills[0], fills[2]);

    let many = (0..2_500).map(|i| read("x").named(format!("{i} is a name of its own"))).collect::<Vec<_>>();
    assert!(delayed::gather(many).mermaid().contains("n0[\"read ×2500\"]"));
}

#[test]
fn nodes_can_be_found_by_their_keys() {
    let sum = value(1) + value(2);
    let svg = sum.graph().svg(&Style::new().values());
    // The call and its value.
    assert_eq!(svg.matches(&format!("data-key=\"{}\"", sum.key())).count(), 2);
    assert!(!svg.contains(" id="));
}

/// An edge that goes nowhere is the caller's mistake.
#[test]
#[should_panic(expected = "index out of bounds")]
fn an_edge_to_no_node_is_a_panic() {
    let mut graph = report();
    graph.nodes.pop();
    let _ = graph.svg(&Style::new());
}
