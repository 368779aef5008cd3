//! What `explain` says of graphs, before, while and after they run.

use delayed::{Client, Delayed, Explanation, Graph, Status, delayed, explain, value};
use std::io;
use std::sync::Barrier;

#[delayed]
fn load(x: u64) -> u64 {
    x
}

#[delayed]
fn step(x: u64) -> u64 {
    x + 1
}

#[delayed]
fn merge(x: u64, y: u64) -> u64 {
    x + y
}

#[delayed]
fn fail(x: u64) -> Result<u64, io::Error> {
    Err(io::Error::other(x.to_string()))
}

/// The numbers that are not zero for all graphs, and the names on the chain.
fn said(plan: &Explanation) -> (usize, usize, &[usize], Vec<&str>) {
    assert_eq!(plan.chain.len(), plan.layers.len());
    assert_eq!(plan.layers.iter().sum::<usize>(), plan.to_run);
    assert_eq!(plan.names.iter().map(|(_, count)| count).sum::<usize>(), plan.to_run);
    (plan.to_run, plan.edges, &plan.layers, plan.chain.iter().map(|node| &*node.name).collect())
}

fn others(plan: &Explanation) -> [usize; 5] {
    [plan.to_fail, plan.waiting, plan.running, plan.done, plan.failed]
}

#[test]
fn a_diamond() {
    let first = load(1);
    let plan = merge(step(&first).named("left"), step(&first).named("right")).explain();
    assert_eq!(said(&plan), (4, 4, &[1, 2, 1][..], vec!["load", "left", "merge"]));
    assert_eq!(others(&plan), [0; 5]);
    assert_eq!(
        plan.names,
        [("left", 1), ("load", 1), ("merge", 1), ("right", 1)].map(|(n, c)| (n.to_owned(), c))
    );
    assert_eq!(plan.parallelism, 4.0 / 3.0);
    assert_eq!((&*plan.chain[0].file, plan.chain[0].line), (file!(), 8));
}

#[test]
fn a_node_is_as_deep_as_its_longest_way() {
    let first = load(1);
    let long = step(step(step(&first)));
    let plan = merge(merge(&first, &long), load(2)).explain();
    assert_eq!(
        said(&plan),
        (7, 7, &[2, 1, 1, 1, 1, 1][..], vec!["load", "step", "step", "step", "merge", "merge"])
    );
    assert_eq!(plan.names[..2], [("step".to_owned(), 3), ("load".to_owned(), 2)]);
}

#[test]
fn many_inputs_are_edges_of_their_consumer() {
    let sum: Delayed<u64> = (0..500).map(load).collect::<Delayed<Vec<u64>>>().map(|all| all.iter().sum());
    let plan = sum.explain();
    assert_eq!((plan.to_run, plan.edges, &*plan.layers), (502, 501, &[500, 1, 1][..]));
}

#[test]
fn a_collection_is_one_graph() {
    let first = load(1);
    let plan = explain((vec![step(&first), step(&first)], Some(&first)));
    assert_eq!(said(&plan), (3, 2, &[1, 2][..], vec!["load", "step"]));
    assert_eq!(plan.parallelism, 1.5);
}

#[test]
fn nothing_is_nothing() {
    let plan = explain(Vec::<Delayed<u64>>::new());
    assert_eq!(said(&plan), (0, 0, &[][..], vec![]));
    assert_eq!((others(&plan), plan.parallelism), ([0; 5], 0.0));
    assert_eq!(plan.to_string(), "to run       nothing");
}

#[test]
fn what_is_done_is_not_done_again() {
    let first = step(step(load(1)));
    let sum = merge(step(&first), value(3));
    assert_eq!(sum.explain().layers, [1, 1, 1, 1, 1]);
    first.wait_ref().unwrap();
    let plan = sum.explain();
    assert_eq!(said(&plan), (2, 3, &[1, 1][..], vec!["step", "merge"]));
    assert_eq!(others(&plan), [0, 0, 0, 2, 0]);
    sum.wait_ref().unwrap();
    let plan = sum.explain();
    assert_eq!((said(&plan), others(&plan)), ((0, 0, &[][..], vec![]), [0, 0, 0, 1, 0]));
    assert_eq!(plan.to_string(), "to run       nothing\nso far       1 done");
}

#[test]
fn what_needs_a_failed_node_would_not_run() {
    let failed = fail(1);
    failed.wait_ref().unwrap_err();
    let (near, other) = (merge(&failed, load(2)), step(load(3)));
    let far = step(&near);
    let plan = explain((&far, &other, merge(far.clone(), &other)));
    // The input of a node that is going to fail runs all the same.
    assert_eq!(said(&plan), (3, 1, &[2, 1][..], vec!["load", "step"]));
    assert_eq!(others(&plan), [3, 0, 0, 0, 1]);
    assert_eq!(plan.to_string().lines().nth(3), Some("to fail      3 nodes, which need one that has failed"));
    far.cancel();
    assert_eq!(others(&explain((&far, &other))), [0, 0, 0, 0, 1]);
}

#[test]
fn what_runs_and_what_waits_for_it_are_told_apart() {
    static STARTED: Barrier = Barrier::new(2);
    static ENDS: Barrier = Barrier::new(2);
    #[delayed(blocking)]
    fn gate() -> u64 {
        STARTED.wait();
        ENDS.wait();
        1
    }
    let client = Client::builder().threads_per_worker(1).build().unwrap();
    let (gate, second) = (gate(), load(2));
    let wanted = client.persist(step(&gate));
    STARTED.wait();
    while wanted.status() != Status::Waiting {
        std::thread::yield_now();
    }
    let plan = explain((&gate, merge(&wanted, &second)));
    assert_eq!(said(&plan), (2, 2, &[1, 1][..], vec!["load", "merge"]));
    assert_eq!(others(&plan), [0, 1, 1, 0, 0]);
    assert_eq!(plan.to_string().lines().nth(2), Some("so far       1 running, 1 waiting"));
    ENDS.wait();
    assert_eq!(wanted.wait().unwrap(), 2);
}

#[test]
fn the_text_fits_a_terminal() {
    let loads: Vec<_> = (0..1000).map(load).collect();
    let mut sums: Vec<_> = loads.iter().map(|load| step(load).named("parse")).collect();
    while sums.len() > 1 {
        sums = sums.chunks(2).map(|pair| merge(&pair[0], pair.last().unwrap())).collect();
    }
    let best = step(step(&sums[0]).named("fit\n\u{1b}[31m to what is left of the data")).named("report");
    let failed = fail(0);
    let failing = merge(merge(&failed, 1), 1);
    let place = |line: u32| format!("{}:{line}", file!());
    let [load, step, merge] = [8, 13, 18].map(place);
    let text = format!(
        "to run       3,003 nodes, 3,004 edges\n\
         \x20            1,001 merge, 1,000 load, 1,000 parse, 1 fit \u{FFFD}[31m to what is left o…, 1 report\n\
         longest      14 nodes in a chain\n\
         \x20            load                          {load}\n\
         \x20            parse                         {step}\n\
         \x20            merge ×10                     {merge}\n\
         \x20            fit \u{FFFD}[31m to what is left o…  {step}\n\
         \x20            report                        {step}\n\
         widest       1,000 nodes, in layer 1 of 14\n\
         parallelism  214.5"
    );
    assert_eq!(best.explain().to_string(), text);

    let mut chain = best;
    for name in ["a", "b", "c", "d", "e"] {
        chain = chain.map(|x| x).named(name);
    }
    failed.wait_ref().unwrap_err();
    let text = explain((&chain, &failed, failing)).to_string();
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 12);
    assert!(lines[1].ends_with(", 1 a, 6 with other names"), "{}", lines[1]);
    assert_eq!(
        lines[2..5],
        [
            "so far       1 failed",
            "to fail      2 nodes, which need one that has failed",
            "longest      19 nodes in a chain"
        ]
    );
    assert_eq!(lines[7], "             … 15 more");
}

#[test]
fn a_long_chain_needs_no_stack() {
    let mut chain = load(1);
    for _ in 1..300_000 {
        chain = step(chain);
    }
    let plan = chain.explain();
    assert_eq!((plan.to_run, plan.edges, plan.chain.len()), (300_000, 299_999, 300_000));
    assert_eq!((plan.layers.iter().max(), plan.parallelism), (Some(&1), 1.0));
    assert_eq!((&*plan.chain[0].name, &*plan.chain[1].name), ("load", "step"));
}

#[test]
fn a_graph_that_somebody_has_changed() {
    let mut graph: Graph = step(step(load(1))).graph();
    // From front to back, and with edges that lead back, to the node itself, and to none.
    graph.edges.reverse();
    for (from, to) in [(2, 0), (1, 1), (0, 9), (9, 0)] {
        let mut edge = graph.edges[0].clone();
        (edge.from, edge.to) = (from, to);
        graph.edges.push(edge);
    }
    assert_eq!(said(&graph.explain()), (3, 2, &[1, 1, 1][..], vec!["load", "step", "step"]));
}
