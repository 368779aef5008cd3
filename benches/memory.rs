//! How many values are alive while a graph runs: `cargo bench --bench memory`.
//!
//! # What is counted
//!
//! Every node produces one value, of the same size. A node borrows its inputs: it produces its value
//! while they are still there, and only when it has returned, those go that no other node needs. The
//! peak is the most values there are when a node has just produced its own. It is given by two rules:
//! *all* values, where sinks, which the caller has asked for, stay to the end; and *intermediate* ones,
//! where a sink counts at the moment when it is produced and no longer.
//!
//! The same rule is used for all columns. `1 thread` and `2 threads` are measured, with values that
//! count when they are made and dropped, through the public API; two threads are the most of several
//! runs with nodes that take some 20 µs. `Dask` is what `dask.order` would need if its order was
//! followed by one thread (`memory/dask_order.py` writes those numbers to a file, which is included
//! here). `best` is the least that any sequential order needs, found by exhaustive search where
//! there are at most 64 nodes and few enough states. A star marks what is more than Dask's.
//!
//! The second part reduces loads of 1 MiB and prints how many were alive at once, and by how much the
//! resident memory of the process grew.

#[path = "memory/best.rs"]
mod best;
#[path = "memory/graph.rs"]
mod graph;
#[path = "memory/graphs.rs"]
mod graphs;
#[path = "memory/live.rs"]
mod live;
#[path = "memory/loads.rs"]
mod loads;
#[path = "memory/shapes.rs"]
mod shapes;

use delayed::Client;
use graph::{Graph, Peaks};
use loads::{Loads, Shape};

/// Turns of a node in the runs of two threads.
const WORK: u32 = 500;
const RUNS: usize = 5;

fn client(threads: usize) -> Client {
    Client::builder().threads_per_worker(threads).build().expect("a client")
}

fn graphs_as_json() {
    for graph in graphs::all() {
        let nodes = graph.keys.iter().zip(&graph.inputs).map(|(key, inputs)| {
            let inputs: Vec<_> = inputs.iter().map(|&input| &graph.keys[input]).collect();
            format!("{key:?}: {inputs:?}")
        });
        println!("{{\"name\": {:?}, \"nodes\": {{{}}}}}", graph.name, nodes.collect::<Vec<_>>().join(", "));
    }
}

struct Row {
    graph: Graph,
    one: Peaks,
    two: Peaks,
    dask: Peaks,
    best: Peaks,
}

fn measure() -> Vec<Row> {
    let (one, two) = (client(1), client(2));
    let rows = graphs::all().into_iter().map(|graph| {
        let mut most = Peaks::default();
        for _ in 0..RUNS {
            let peaks = live::run(&graph, &two, WORK);
            most.all = most.all.max(peaks.all);
            most.intermediate = most.intermediate.max(peaks.intermediate);
        }
        let (one, best) = (live::run(&graph, &one, 0), best::best(&graph));
        let dask = graph::dask(&graph);
        Row { graph, one, two: most, dask, best }
    });
    rows.collect()
}

fn table(title: &str, rows: &[Row], count: impl Fn(&Peaks) -> usize) {
    println!("\nlive values, {title}");
    println!(
        "{:26} {:>6} {:>6} {:>9} {:>10} {:>6} {:>6}",
        "", "nodes", "sinks", "1 thread", "2 threads", "Dask", "best"
    );
    for Row { graph, one, two, dask, best } in rows {
        let sinks = graph.consumers().iter().filter(|&&consumers| consumers == 0).count();
        let best = match count(best) {
            0 => "-".to_string(),
            best => best.to_string(),
        };
        println!(
            "{:26} {:6} {:6} {:8}{} {:10} {:6} {:>6}",
            graph.name,
            graph.len(),
            sinks,
            count(one),
            if count(one) > count(dask) { '*' } else { ' ' },
            count(two),
            count(dask),
            best
        );
    }
}

/// A line of `/proc/self/status`, in MiB.
fn status(field: &str) -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))?;
    Some(line.trim().trim_end_matches(" kB").parse::<f64>().ok()? / 1024.0)
}

/// Runs `f`, and returns by how much the resident memory grew at most, in MiB.
fn growth<R>(f: impl FnOnce() -> R) -> (R, Option<f64>) {
    // Resets the mark that `VmHWM` gives.
    let reset = std::fs::write("/proc/self/clear_refs", "5").ok();
    let base = reset.and_then(|()| status("VmRSS"));
    let result = f();
    (result, base.and_then(|base| Some(status("VmHWM")? - base)))
}

fn loads() {
    println!("\nloads of 1 MiB, the most alive at once, and growth of the resident memory in MiB");
    println!("{:30} {:>16} {:>16} {:>16}", "", "1 thread", "2 threads", "4 threads");
    let clients = [1, 2, 4].map(client);
    let cases = [
        ("left fold, 10,000", Shape::LeftFold, 10_000, 1),
        ("left fold, 1,000, slow steps", Shape::LeftFold, 1_000, 32),
        ("right fold, 1,000", Shape::RightFold, 1_000, 1),
        ("tree, 10,000", Shape::Tree, 10_000, 1),
        ("groups of 16, 10,000", Shape::Groups, 10_000, 1),
    ];
    for (name, shape, steps, passes) in cases {
        print!("{name:30}");
        for client in &clients {
            let loads = Loads { shape, steps, size: 1 << 20, passes };
            let (peak, growth) = growth(|| loads.peak(client));
            let growth = growth.map_or_else(|| "?".to_string(), |growth| format!("{growth:.0}"));
            print!(" {peak:8} {growth:>7}");
        }
        println!();
    }
}

fn main() {
    if std::env::args().any(|argument| argument == "--graphs") {
        return graphs_as_json();
    }
    // First, before the table has left memory with the allocator.
    loads();
    let rows = measure();
    table("all", &rows, |peaks| peaks.all);
    table("intermediate", &rows, |peaks| peaks.intermediate);
}
