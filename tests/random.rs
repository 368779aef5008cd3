//! Random graphs against a sequential oracle.
//!
//! Each graph mixes synchronous, asynchronous, blocking, nesting, failing and panicking nodes, with
//! owned and borrowed edges and such that only order; some are wide, some deep. Several tasks compute
//! parts of it at once, some give up on the way, and the client may be scaled meanwhile. The results must
//! be the oracle's, no node may run twice, and no value may be left over. Some graphs are first settled in
//! part: then all that can run has run, and nothing else, and the errors name all failures.

mod support;

use delayed::{Client, Delayed};
use futures::StreamExt;
use futures::executor::block_on;
use std::sync::Arc;
use support::graphs::{Graph, Plan, Tracked};
use support::{Clients, Random, each_seed, expect_panics, sized};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

/// Settles a few nodes, before anybody else wants one.
fn settle_part(random: &mut Random, graph: &Graph, runtime: &Runtime) {
    let wanted: Vec<usize> =
        (0..1 + random.below(4)).map(|_| random.below(graph.handles.len() as u64) as usize).collect();
    let handles: Vec<_> = wanted.iter().map(|&node| graph.handles[node].clone()).collect();
    if random.one_in(2) {
        // Several wishes at once.
        let ended = runtime.block_on(delayed::as_completed(handles.clone()).count());
        assert_eq!(ended, wanted.len());
    }
    let results = runtime.block_on(delayed::settle(handles));
    for (&node, result) in wanted.iter().zip(&results) {
        graph.oracle.check_settled(node, result);
    }
    graph.log.check_that_these_ran(&graph.oracle.all_that_can_run(wanted));
}

/// Somebody who wants one node, in one of the ways there are, for good or not.
fn caller(
    random: &mut Random,
    graph: &Graph,
    client: &Arc<Client>,
    runtime: &Runtime,
) -> Option<JoinHandle<()>> {
    let wanted = random.below(graph.handles.len() as u64) as usize;
    let (handle, oracle, client) = (graph.handles[wanted].clone(), graph.oracle.clone(), client.clone());
    let gives_up = random.one_in(4);
    if random.one_in(4) {
        let settles = random.one_in(2);
        return Some(runtime.spawn_blocking(move || {
            let _guard = client.enter();
            let result = if settles { block_on(delayed::settle(handle)) } else { handle.wait() };
            oracle.check(wanted, &result);
        }));
    }
    if random.one_in(4) {
        let kept = client.persist(handle);
        return (!gives_up).then(|| runtime.spawn(async move { oracle.check(wanted, &kept.await) }));
    }
    Some(runtime.spawn(async move {
        let mut wish = client.compute(handle);
        if gives_up {
            let _ = futures::poll!(&mut wish);
        } else {
            oracle.check(wanted, &wish.await);
        }
    }))
}

fn check(seed: u64, (client, workers): (Arc<Client>, usize), runtime: &Runtime) {
    let mut random = Random::new(seed);
    let most_nodes = match random.one_in(16) {
        _ if cfg!(miri) => 10,
        true => 600,
        false => 60,
    };
    let nodes = 2 + random.below(most_nodes);
    // The share of long functions changes every 64 graphs, so that functions are taken for short ones
    // and for long ones.
    let mut plan = Plan::random(&mut random, nodes as usize, seed / 64 % 5);
    if random.one_in(3) {
        plan = plan.with_failures(&mut random);
    }
    let graph = plan.build();
    if random.one_in(4) {
        let _guard = client.enter();
        settle_part(&mut random, &graph, runtime);
    }
    let callers = 1 + random.below(4);
    let tasks: Vec<_> = (0..callers).filter_map(|_| caller(&mut random, &graph, &client, runtime)).collect();
    let scales = random.one_in(8);
    if scales {
        client.scale(1 + random.below(3) as usize).unwrap();
    }
    let Graph { handles, oracle, log } = graph;
    // Some handles are given up while the graph runs.
    let kept: Vec<(usize, Delayed<Tracked>)> =
        handles.into_iter().enumerate().filter(|_| random.one_in(2)).collect();
    if scales {
        client.scale(workers).unwrap();
    }
    for task in tasks {
        runtime.block_on(task).unwrap();
    }
    let _guard = client.enter();
    for (node, handle) in kept {
        oracle.check(node, &handle.wait());
    }
    log.check_that_nothing_ran_twice();
    log.check_that_all_is_dropped();
}

#[test]
fn random_graphs_agree_with_the_oracle() {
    expect_panics();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let clients = Clients::start();
    each_seed(sized(2_000, 40_000, 1_000_000), |seed, _| check(seed, clients.next(), &runtime));
}
