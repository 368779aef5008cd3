//! How many values are alive while a graph runs. The rule of counting is stated in
//! `benches/memory.rs`, which prints what is tested here.

#[path = "../benches/memory/graph.rs"]
mod graph;
#[path = "../benches/memory/graphs.rs"]
mod graphs;
#[path = "../benches/memory/live.rs"]
mod live;
#[path = "../benches/memory/loads.rs"]
mod loads;
#[path = "../benches/memory/shapes.rs"]
mod shapes;

use delayed::Client;
use loads::{GROUP, Loads, Shape};

/// Graphs for which Dask's order needs less.
const WORSE: [&str; 13] = [
    "map_overlap",
    "many_branches",
    "array_store_final_order",
    "eager_to_free_parent",
    "anom_mean_raw",
    "rechunk_cohorts",
    "roots_asym",
    "stackstac",
    "three_means_5",
    "three_means_500",
    "anomalies_40_by_4",
    "stencil_4_by_100",
    "stencil_64_by_100",
];

fn client(threads: usize) -> Client {
    Client::builder().threads_per_worker(threads).build().unwrap()
}

#[test]
fn one_thread_keeps_no_more_values_than_dask_s_order() {
    let client = client(1);
    for graph in graphs::all().iter().filter(|graph| !WORSE.contains(&graph.name)) {
        let (ours, dask) = (live::run(graph, &client, 0), graph::dask(graph));
        assert!(ours.all <= dask.all, "{}: {ours:?}, Dask {dask:?}", graph.name);
        assert!(ours.intermediate <= dask.intermediate, "{}: {ours:?}, Dask {dask:?}", graph.name);
    }
}

const STEPS: usize = 2_000;
/// Levels of a tree over the steps: one value waits at each, and one more is being loaded.
const LEVELS: usize = STEPS.next_power_of_two().ilog2() as usize;

/// The most loads that are alive, if merging takes longer than loading: then a source that is run
/// as soon as it can be runs far ahead of its consumer.
fn peak(shape: Shape, threads: usize) -> usize {
    Loads { shape, steps: STEPS, size: 256 << 10, passes: 8 }.peak(&client(threads))
}

/// One thread keeps `alone`. Each of several keeps as many for what it works on, and four inputs a thread
/// may have been made early: two of the newest frames that a walk publishes, and two of the first nodes
/// that wait (`offer` in `engine/leave.rs`, `reach` in `engine/mod.rs`).
fn holds(shape: Shape, threads: usize, alone: usize) {
    let most = if threads == 1 { alone } else { threads * (alone + 4) };
    let peak = peak(shape, threads);
    assert!(peak <= most, "{shape:?} on {threads} threads: {peak} loads at once, not {most}");
}

#[test]
fn a_fold_holds_its_sum_and_one_load() {
    holds(Shape::LeftFold, 1, 2);
}

#[test]
fn a_fold_on_several_threads_holds_a_few_loads() {
    for threads in [2, 4] {
        holds(Shape::LeftFold, threads, 2);
    }
}

#[test]
fn a_fold_from_the_right_holds_its_sum_and_one_load() {
    for threads in [1, 2, 4] {
        holds(Shape::RightFold, threads, 2);
    }
}

#[test]
fn a_tree_holds_a_load_for_each_level() {
    for threads in [1, 2, 4] {
        holds(Shape::Tree, threads, LEVELS + 1);
    }
}

#[test]
fn groups_hold_the_loads_of_one_group() {
    for threads in [1, 2, 4] {
        holds(Shape::Groups, threads, GROUP);
    }
}
