//! Clients that are made, scaled up and down under load, and dropped in the middle of it: every wish ends,
//! and no thread is left.

mod support;

use delayed::{Client, Delayed, Error};
use support::graphs::{Graph, Oracle, Plan, Tracked};
use support::process::resources;
use support::{HANGS, Random, each_seed, expect_panics, sized, until};
use tokio::runtime::Runtime;

/// The value that the oracle knows, or what a wish of a dropped client gets. A node may wait for a graph of
/// its own, and then this error is inside its error.
fn check(oracle: &Oracle, node: usize, result: &Result<Tracked, Error>) -> bool {
    let shut_down = result.as_ref().is_err_and(|error| error.to_string().contains("shut down"));
    if !shut_down {
        oracle.check(node, result);
    }
    shut_down
}

/// Nodes that keep the error of a client that was dropped: futures that had begun, nodes that waited for
/// a graph of their own, and blocking ones, for which see the ignored test of `shutdown.rs`.
const CUT_OFF: [&str; 3] = ["later", "later_or_err", "waiting"];

/// Whether a wish was cut off.
fn one_client(seed: u64, lasting: &Client, runtime: &Runtime) -> bool {
    let mut random = Random::new(seed);
    let plans: Vec<Plan> = (0..4)
        .map(|_| {
            let nodes = 10 + random.below(40) as usize;
            let longs = 1 + random.below(4);
            Plan::random(&mut random, nodes, longs)
        })
        .collect();
    let graphs: Vec<Graph> = plans.iter().map(Plan::build).collect();
    let client = Client::builder().threads_per_worker(1).build().unwrap();
    let mut tasks = Vec::new();
    let mut kept: Vec<Delayed<Tracked>> = Vec::new();
    for (plan, graph) in plans.iter().zip(&graphs) {
        for node in plan.sinks() {
            if random.one_in(8) {
                kept.push(client.persist(graph.handles[node].clone()));
                continue;
            }
            let wish = client.compute(graph.handles[node].clone());
            let oracle = graph.oracle.clone();
            tasks.push(runtime.spawn(async move {
                let Ok(result) = tokio::time::timeout(HANGS / 2, wish).await else {
                    panic!("the wish for step {node} hangs");
                };
                check(&oracle, node, &result)
            }));
        }
    }
    // Each change comes after some of the load has run, if there is as much.
    let all: u64 = plans.iter().map(|plan| plan.steps().len() as u64).sum();
    let mut wait_for_load = |share: u64| {
        let some = random.below(all * share / 4);
        until("some of the load runs", || {
            let events: u64 = graphs.iter().map(|graph| graph.log.events()).sum();
            events >= some || tasks.iter().all(|task| task.is_finished())
        });
    };
    wait_for_load(1);
    client.scale(8).unwrap();
    wait_for_load(2);
    client.scale(1).unwrap();
    wait_for_load(3);
    drop(client);
    let mut cut_off = false;
    for task in tasks {
        cut_off |= runtime.block_on(task).unwrap();
    }
    // What had not started is lazy again.
    let _guard = lasting.enter();
    for graph in &graphs {
        for (node, handle) in graph.handles.iter().enumerate() {
            let result = delayed::wait(handle);
            if check(&graph.oracle, node, &result) {
                let error = result.err().unwrap();
                assert!(CUT_OFF.contains(&error.node().name()), "{error:?}");
            }
        }
        graph.log.check_that_nothing_ran_twice();
    }
    let logs: Vec<_> = graphs.into_iter().map(|graph| graph.log).collect();
    drop(kept);
    for log in logs {
        log.check_that_all_is_dropped();
    }
    cut_off
}

#[test]
fn clients_scaled_and_dropped_under_load_end_their_wishes_and_their_threads() {
    expect_panics();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let before = resources();
    let mut cut_off = 0;
    let mut rounds = 0;
    let lasting = Client::builder().threads_per_worker(2).build().unwrap();
    each_seed(sized(500, 500, 20_000), |seed, _| {
        rounds += 1;
        cut_off += u64::from(one_client(seed, &lasting, &runtime));
    });
    assert!(cut_off * 10 > rounds, "only {cut_off} of {rounds} clients were dropped while they had work");
    drop(lasting);
    if let Some(before) = before {
        until("all threads and descriptors of the clients are gone", || {
            let now = resources().unwrap();
            now.threads <= before.threads && now.descriptors <= before.descriptors
        });
    }
}
