//! A mixed load for a while: resident memory does not grow, and no thread or descriptor is left.
//!
//! `DELAYED_SIZE=ci` is a minute and `DELAYED_SIZE=soak` half an hour; `DELAYED_SECONDS` sets it.

mod support;

use delayed::{Client, Delayed};
use futures::StreamExt;
use futures::executor::block_on;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};
use support::graphs::{Graph, Plan, Tracked};
use support::process::{Resources, resources};
use support::{HANGS, Random, expect_panics, sized, until, variable};
use tokio::runtime::Runtime;

const CALLERS: u64 = 4;
/// The load repeats itself after this many graphs, so that a longer run has no larger ones.
const PLANS: u64 = 256;
/// Results that each caller keeps for a while, so that memory is not freed in the order in which it was
/// asked for.
const KEPT: usize = 200;
const SAMPLES_A_SECOND: u32 = 4;
/// A share of the memory, each minute.
const MOST_GROWTH: f64 = 0.01;
/// Shorter runs are mostly warm-up: for minutes, threads come to keep empty chunks, and the allocator's arenas
/// spread. They say no more than that there is no large leak, and print the slope.
const FOR_A_SLOPE: Duration = Duration::from_secs(600);
const MOST_GROWTH_OF_A_SHORT_RUN: f64 = 0.5;
/// The loops of three clients, a thread for each blocking node of the graphs that run, and some.
const MOST_THREADS: usize = 300;

/// Computes one graph in one of the ways there are; gives what it wants to keep of it.
fn compute_one(random: &mut Random, graph: Graph, client: &Client) -> Option<Delayed<Tracked>> {
    let Graph { handles, oracle, .. } = graph;
    let node = random.below(handles.len() as u64) as usize;
    let guard = client.enter();
    match random.below(6) {
        0 => {
            for (node, result) in block_on(delayed::settle(&handles)).iter().enumerate() {
                oracle.check(node, result);
            }
        }
        1 => {
            let mut wish = client.compute(&handles[node]);
            block_on(async { drop(futures::poll!(&mut wish)) });
        }
        2 => handles[node].cancel(),
        3 => {
            let all = handles.len();
            let ended = block_on(delayed::as_completed(handles.iter().cloned()).count());
            assert_eq!(ended, all);
        }
        4 => oracle.check(node, &block_on(client.compute(handles[node].clone()))),
        _ => oracle.check(node, &handles[node].clone().wait()),
    }
    drop(guard);
    random.one_in(2).then(|| client.persist(handles[node].clone()))
}

/// Computes graphs until `stop`, and scales the clients on the way.
fn caller(number: u64, clients: &[Client], stop: &AtomicBool) -> u64 {
    let mut kept = VecDeque::with_capacity(KEPT);
    let mut graphs = 0;
    while !stop.load(SeqCst) {
        let mut random = Random::new(1 + number * PLANS + graphs % PLANS);
        let nodes = 2 + random.below(60) as usize;
        let mut plan = Plan::random(&mut random, nodes, graphs / 64 % 3);
        if random.one_in(3) {
            plan = plan.with_failures(&mut random);
        }
        let client = &clients[random.below(clients.len() as u64) as usize];
        if random.one_in(16) {
            client.scale(1 + random.below(4) as usize).unwrap();
        }
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.extend(compute_one(&mut random, plan.build(), client));
        graphs += 1;
    }
    graphs
}

/// Runs the load for a while and looks at the process meanwhile.
fn samples(length: Duration, clients: Vec<Client>) -> Vec<(Duration, Resources)> {
    let (clients, stop) = (Arc::new(clients), Arc::new(AtomicBool::new(false)));
    let (report, reports) = mpsc::channel();
    for number in 0..CALLERS {
        let (clients, stop, report) = (clients.clone(), stop.clone(), report.clone());
        std::thread::spawn(move || report.send(caller(number, &clients, &stop)).unwrap());
    }
    drop(report);
    let mut samples = Vec::new();
    let begin = Instant::now();
    while begin.elapsed() < length {
        std::thread::sleep(Duration::from_secs(1) / SAMPLES_A_SECOND);
        samples.extend(resources().map(|now| (begin.elapsed(), now)));
        assert!(!matches!(reports.try_recv(), Err(mpsc::TryRecvError::Disconnected)), "all callers panicked");
    }
    stop.store(true, SeqCst);
    let graphs = (0..CALLERS).map(|_| reports.recv_timeout(HANGS).expect("a caller hangs or has panicked"));
    println!("{} graphs in {length:?}", graphs.sum::<u64>());
    samples
}

/// The slope of the line through the points, and its standard error.
fn slope(points: &[(f64, f64)]) -> (f64, f64) {
    let count = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / count;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let spread: f64 = points.iter().map(|p| (p.0 - x).powi(2)).sum();
    let slope = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum::<f64>() / spread;
    let rest: f64 = points.iter().map(|p| (p.1 - y - slope * (p.0 - x)).powi(2)).sum();
    (slope, (rest / (count - 2.0) / spread).sqrt())
}

/// What the samples say of memory, after the first half of them. Neighbours are not independent, so
/// the line goes through the means of some twelve parts, and fails only if its slope is too steep by three
/// times its error.
fn check_memory(samples: &[(Duration, Resources)], length: Duration) {
    let after_warm_up = &samples[samples.len() / 2..];
    let parts = after_warm_up.chunks((after_warm_up.len() / 12).max(1));
    let points: Vec<(f64, f64)> = parts
        .map(|part| {
            let mean = |of: &dyn Fn(&(Duration, Resources)) -> f64| {
                part.iter().map(of).sum::<f64>() / part.len() as f64
            };
            (mean(&|sample| sample.0.as_secs_f64() / 60.0), mean(&|sample| sample.1.resident as f64))
        })
        .collect();
    let resident = points[0].1;
    let (slope, error) = slope(&points);
    let (slope, error) = (slope / resident, error / resident);
    println!(
        "{:.1} MiB resident, growing {:.2} ± {:.2} % a minute",
        resident / 1048576.0,
        100.0 * slope,
        100.0 * error
    );
    if length >= FOR_A_SLOPE {
        assert!(slope - 3.0 * error < MOST_GROWTH, "resident memory grows: {points:?}");
    } else {
        let last = points.last().unwrap().1;
        assert!(last < resident * (1.0 + MOST_GROWTH_OF_A_SHORT_RUN), "resident memory grows: {points:?}");
    }
}

#[test]
fn a_mixed_load_leaves_nothing_behind() {
    expect_panics();
    let seconds = variable("DELAYED_SECONDS").unwrap_or(sized(5, 60, 1_800));
    let length = Duration::from_secs(seconds);
    let before = resources();
    let borrowed = Runtime::new().unwrap();
    let clients = vec![
        borrowed.block_on(async { Client::current_runtime().unwrap() }),
        Client::builder().threads_per_worker(1).build().unwrap(),
        Client::builder().threads_per_worker(2).build().unwrap(),
    ];
    let samples = samples(length, clients);
    borrowed.shutdown_background();
    let Some(before) = before else { return };
    check_memory(&samples, length);
    let descriptors = samples[0].1.descriptors;
    for (_, now) in &samples {
        assert_eq!(now.descriptors, descriptors, "descriptors while the load runs");
        assert!(now.threads <= MOST_THREADS, "{} threads", now.threads);
    }
    until("all threads and descriptors are gone", || {
        let now = resources().unwrap();
        now.threads <= before.threads && now.descriptors <= before.descriptors
    });
}
