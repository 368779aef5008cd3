//! Graphs that are saved and read back, with the feature `serde`.

use delayed::{Graph, Status, delayed};
use serde_json::{Value, json};

#[delayed]
fn load(path: &str) -> u32 {
    path.parse().unwrap_or(0)
}

#[delayed]
fn add(x: u32, y: u32) -> u32 {
    x + y
}

#[test]
fn the_json_of_a_small_graph() {
    let (one, two) = (load("1"), load("two").named("odd \"name\""));
    two.cancel();
    let sum = add(&one, &two);
    let json = json!({
        "nodes": [
            { "name": "load", "key": one.key(), "file": file!(), "line": 7, "status": "lazy", "function": "load" },
            { "name": "odd \"name\"", "key": two.key(), "file": file!(), "line": 7, "status": "failed", "function": "load" },
            { "name": "add", "key": sum.key(), "file": file!(), "line": 12, "status": "lazy", "function": "add" },
        ],
        "edges": [
            { "from": 0, "to": 2, "param": "x" },
            { "from": 1, "to": 2, "param": "y" },
        ],
    });
    assert_eq!(serde_json::to_value(sum.graph()).unwrap(), json);
    let text = serde_json::to_string(&load("1").graph()).unwrap();
    assert!(text.starts_with(r#"{"nodes":[{"name":"load","key":"load-"#), "{text}");
    assert!(text.ends_with(r#","line":7,"status":"lazy","function":"load"}],"edges":[]}"#), "{text}");
}

#[test]
fn a_graph_is_read_back_as_it_was() {
    let one = load("1");
    one.wait_ref().unwrap();
    let graph = add(add(&one, 2), add(3, load("4"))).graph();
    let read: Graph = serde_json::from_str(&serde_json::to_string(&graph).unwrap()).unwrap();
    assert_eq!((&read.nodes, &read.edges), (&graph.nodes, &graph.edges));
    assert_eq!(read.nodes[0].status, Status::Done);
}

#[test]
fn what_was_added_later_is_ignored() {
    let json = json!({
        "nodes": [{ "name": "f", "key": "f-1", "file": "a.rs", "line": 1, "status": "running", "colour": 3 }],
        "edges": [],
        "version": 7,
    });
    let graph: Graph = serde_json::from_value(json).unwrap();
    assert_eq!((&*graph.nodes[0].name, graph.nodes[0].status), ("f", Status::Running));
}

#[test]
fn edges_that_no_graph_has_are_refused() {
    let read = |from: usize, to: usize| {
        let node =
            |name: &str| json!({ "name": name, "key": name, "file": "a.rs", "line": 1, "status": "lazy" });
        let edges: Value =
            json!([{ "from": 0, "to": 1, "param": "" }, { "from": from, "to": to, "param": "" }]);
        serde_json::from_value::<Graph>(json!({ "nodes": [node("f"), node("g"), node("h")], "edges": edges }))
            .map_err(|error| error.to_string())
    };
    assert_eq!(read(0, 2).unwrap().edges.len(), 2);
    let to_itself = "edge 1 goes from node 1 to node 1 of 3; edges go to later nodes";
    assert_eq!(read(1, 1).unwrap_err(), to_itself);
    let back = "edge 1 goes from node 2 to node 0 of 3; edges go to later nodes";
    assert_eq!(read(2, 0).unwrap_err(), back);
    let nowhere = "edge 1 goes from node 2 to node 3 of 3; edges go to later nodes";
    assert_eq!(read(2, 3).unwrap_err(), nowhere);
}
