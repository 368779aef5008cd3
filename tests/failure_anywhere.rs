//! A failure at each position of random graphs, in some of which other nodes fail too: what needs a
//! failure does not run, everything else does, the errors name all nodes that failed, and no value is left
//! over or dropped twice.

mod support;

use delayed::Client;
use futures::executor::block_on;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use support::graphs::{Failure, Graph, Plan};
use support::{Clients, Random, each_seed, expect_panics, sized};

/// Every handle is settled.
fn settle_all(plan: &Plan, client: &Client) {
    let Graph { handles, oracle, log } = plan.build();
    let _guard = client.enter();
    for (node, result) in block_on(delayed::settle(&handles)).iter().enumerate() {
        oracle.check_settled(node, result);
    }
    log.check_that_these_ran(&oracle.all_that_can_run(0..handles.len()));
    // Failures are kept, like values.
    for (node, handle) in handles.into_iter().enumerate() {
        oracle.check_settled(node, &handle.wait());
    }
    log.check_that_nothing_ran_twice();
    log.check_that_all_is_dropped();
}

/// The last nodes are settled, and nobody has a handle of the others: values move.
fn settle_sinks(plan: &Plan, client: &Client) {
    let Graph { handles, oracle, log } = plan.build();
    let sinks = plan.sinks();
    let mut handles: Vec<_> = handles.into_iter().map(Some).collect();
    let wanted: Vec<_> = sinks.iter().map(|&sink| handles[sink].take().unwrap()).collect();
    drop(handles);
    let guard = client.enter();
    let results = block_on(delayed::settle(wanted));
    drop(guard);
    for (&sink, result) in sinks.iter().zip(&results) {
        oracle.check_settled(sink, result);
    }
    log.check_that_these_ran(&oracle.all_that_can_run(sinks));
    drop(results);
    log.check_that_all_is_dropped();
}

#[test]
fn a_failure_at_any_position_fails_what_needs_it_and_nothing_else() {
    expect_panics();
    let clients = Clients::start();
    each_seed(sized(2_000, 2_000, 100_000), |seed, _| {
        let mut random = Random::new(seed);
        let nodes = 3 + random.below(if cfg!(miri) { 3 } else { 10 }) as usize;
        let mut plan = Plan::random(&mut random, nodes, seed / 64 % 3);
        if random.one_in(3) {
            plan = plan.with_failures(&mut random);
        }
        for (failing, step) in plan.steps().iter().enumerate() {
            let failure = if random.one_in(2) { Failure::Err } else { Failure::Panic };
            let failing_plan = plan.clone().with_failure(failing, failure);
            let (client, _) = clients.next();
            let settle = if random.one_in(2) { settle_all } else { settle_sinks };
            let outcome = catch_unwind(AssertUnwindSafe(|| settle(&failing_plan, &client)));
            if let Err(panic) = outcome {
                eprintln!("with {failure:?} in step {failing}, {:?}, of {plan:#?}", step.kind);
                resume_unwind(panic);
            }
        }
    });
}
