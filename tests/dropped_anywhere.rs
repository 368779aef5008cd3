//! Futures of `compute` dropped after any number of polls: computing again works and repeats nothing.

mod support;

use delayed::{Client, Compute, Delayed};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::task::{Context, Poll, Wake, Waker};
use support::graphs::{Graph, Log, Plan, Tracked};
use support::{Clients, Random, each_seed, sized, until};

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, SeqCst);
    }
}

/// Polls up to `polls` times: after a wake, and after each call or poll of a node, so that the wish is
/// dropped at another moment each time. Whether it got ready.
fn poll_up_to(polls: usize, mut wish: Compute<Vec<Delayed<Tracked>>>, log: &Log) -> bool {
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(woken.clone());
    for poll in 0..polls {
        let seen = log.events();
        if let Poll::Ready(result) = Pin::new(&mut wish).poll(&mut Context::from_waker(&waker)) {
            result.unwrap();
            return true;
        }
        if poll + 1 < polls {
            until("a node goes on, or the future is woken", || {
                woken.0.swap(false, SeqCst) || log.events() != seen
            });
        }
    }
    false
}

fn drop_after(polls: usize, plan: &Plan, random: &mut Random, client: &Client, other: &Client) -> bool {
    let Graph { handles, oracle, log } = plan.build();
    let wanted: Vec<usize> = if random.one_in(2) { plan.sinks() } else { (0..handles.len()).collect() };
    let mut handles: Vec<_> = handles.into_iter().map(Some).collect();
    let wanted: Vec<_> = wanted.into_iter().map(|node| (node, handles[node].take().unwrap())).collect();
    drop(handles);
    let all = || wanted.iter().map(|(_, handle)| handle.clone()).collect();
    let ended = poll_up_to(polls, client.compute(all()), &log);
    let _guard = if random.one_in(2) { client } else { other }.enter();
    for (node, handle) in wanted {
        oracle.check(node, &handle.wait());
    }
    log.check_that_nothing_ran_twice();
    log.check_that_all_is_dropped();
    ended
}

#[test]
fn a_compute_dropped_after_any_number_of_polls_is_forgotten() {
    let clients = Clients::start();
    let mut most_polls = 0;
    each_seed(sized(200, 200, 5_000), |seed, _| {
        let mut random = Random::new(seed);
        let most_nodes = match random.one_in(8) {
            _ if cfg!(miri) => 3,
            true => 40,
            false => 10,
        };
        let nodes = 3 + random.below(most_nodes) as usize;
        let plan = Plan::random(&mut random, nodes, seed / 8 % 5);
        let mut polls = 0;
        let next = || clients.next().0;
        while !drop_after(polls, &plan, &mut random, &next(), &next()) {
            polls += 1;
        }
        most_polls = most_polls.max(polls);
    });
    assert!(most_polls > 3, "no graph took more than {most_polls} polls, so nothing was dropped on the way");
}
