//! A mixed load for a while: memory does not grow, and no thread or descriptor is left.
//!
//! The load goes in laps that are all the same. After each one nothing of it is held, so that the bytes that are
//! allocated can be compared; they know nothing of fragments and of what the allocator keeps.
//! The resident set is everything. Under glibc each thread caches freed blocks, up to some 200 KiB,
//! and takes longer than a minute to come there: `GLIBC_TUNABLES=glibc.malloc.tcache_count=0` does without, and
//! without it only runs of ten minutes are held to a slope of the resident set.
//!
//! `DELAYED_SIZE=ci` is a minute and `DELAYED_SIZE=soak` half an hour; `DELAYED_SECONDS` sets it.

mod support;

use delayed::{Client, Delayed, delayed};
use futures::StreamExt;
use futures::executor::block_on;
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::collections::VecDeque;
use std::sync::atomic::{AtomicIsize, Ordering::Relaxed};
use std::sync::{Arc, Barrier, mpsc};
use std::time::{Duration, Instant};
use support::graphs::{Graph, Plan, Tracked};
use support::process::{Resources, resources};
use support::{HANGS, Random, expect_panics, sized, until, variable};
use tokio::runtime::Runtime;

const CALLERS: u64 = 4;
/// Graphs that each caller computes in a lap.
const PLANS: u64 = 512;
/// Results that each caller keeps for a while, so that memory is not freed in the order in which it was
/// asked for.
const KEPT: usize = 200;
/// Blocking nodes that run at once before the first lap, on each client: more than later, so that
/// no pool has to grow then.
const AT_ONCE: usize = 64;
/// A share of the memory, each minute.
const MOST_GROWTH: f64 = 0.01;
/// Shorter runs are warm-up.
const FOR_A_SLOPE: Duration = Duration::from_secs(60);
/// The same for the resident set, if malloc caches.
const FOR_A_SLOPE_WITH_CACHES: Duration = Duration::from_secs(600);

/// Counts what is allocated and not freed.
struct Counting;

static BYTES: AtomicIsize = AtomicIsize::new(0);

// SAFETY: `System` does the work; counting does not allocate.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        BYTES.fetch_add(layout.size() as isize, Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        BYTES.fetch_sub(layout.size() as isize, Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

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

/// Computes the graphs of one lap, and scales the clients on the way.
fn lap(number: u64, clients: &[Client]) {
    let mut kept = VecDeque::with_capacity(KEPT);
    for graph in 0..PLANS {
        let mut random = Random::new(1 + number * PLANS + graph);
        let nodes = 2 + random.below(60) as usize;
        let mut plan = Plan::random(&mut random, nodes, graph / 64 % 3);
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
    }
}

#[delayed(blocking)]
fn meet(barrier: Arc<Barrier>) {
    barrier.wait();
    // Each thread takes the chunks of memory for nodes that it may hold later.
    drop((0..128).map(|_| delayed::value([0_u64; 100])).collect::<Vec<_>>());
}

/// Starts more threads of the clients' pools than the load needs.
fn fill_pools(clients: &[Client]) {
    let barrier = Arc::new(Barrier::new(AT_ONCE * clients.len()));
    let all = |client: &Client| {
        let _guard = client.enter();
        (0..AT_ONCE).map(|_| client.persist(meet(barrier.clone()))).collect::<Vec<_>>()
    };
    let met: Vec<_> = clients.iter().flat_map(all).collect();
    // With a client that is there: another one would be the global one, whose threads stay.
    block_on(clients[0].compute(met)).unwrap();
}

/// What there is between two laps.
struct Sample {
    minutes: f64,
    /// Allocated and not freed.
    bytes: f64,
    process: Option<Resources>,
}

/// Runs the load for a while and looks at the process after each lap.
fn samples(length: Duration, clients: Vec<Client>) -> Vec<Sample> {
    let clients = Arc::new(clients);
    fill_pools(&clients);
    let (ended, ends) = mpsc::channel();
    let callers: Vec<_> = (0..CALLERS)
        .map(|number| {
            let (begin, begins) = mpsc::channel::<()>();
            let (clients, ended) = (clients.clone(), ended.clone());
            std::thread::spawn(move || {
                for () in begins {
                    lap(number, &clients);
                    ended.send(()).unwrap();
                }
            });
            begin
        })
        .collect();
    let mut samples = Vec::new();
    let begin = Instant::now();
    while begin.elapsed() < length {
        callers.iter().for_each(|caller| caller.send(()).unwrap());
        for _ in 0..CALLERS {
            ends.recv_timeout(HANGS).expect("a caller hangs or has panicked");
        }
        samples.push(Sample {
            minutes: begin.elapsed().as_secs_f64() / 60.0,
            bytes: settled(),
            process: resources(),
        });
    }
    println!("{} graphs in {length:?}", samples.len() as u64 * CALLERS * PLANS);
    samples
}

/// The bytes that are allocated, once what was given up while it ran has ended.
fn settled() -> f64 {
    let last = Cell::new(0);
    until("nothing runs any more", || {
        std::thread::sleep(Duration::from_millis(5));
        let before = last.replace(BYTES.load(Relaxed));
        before == last.get()
    });
    last.get() as f64
}

/// The slope of the bytes as a share of them, each minute, by least squares, and its standard error.
fn growth(samples: &[Sample], what: &str, bytes: impl Fn(&Sample) -> f64) -> f64 {
    let count = samples.len() as f64;
    let mean = |of: &dyn Fn(&Sample) -> f64| samples.iter().map(of).sum::<f64>() / count;
    let (minute, byte) = (mean(&|sample| sample.minutes), mean(&bytes));
    let square = mean(&|sample| (sample.minutes - minute).powi(2));
    let slope = mean(&|sample| (sample.minutes - minute) * (bytes(sample) - byte)) / square;
    let left = mean(&|sample| (bytes(sample) - byte - slope * (sample.minutes - minute)).powi(2));
    let error = (left / square / (count - 2.0)).sqrt();
    let (growth, error) = (slope / byte, error / byte);
    println!("{:.2} MiB {what}, {:+.2} ± {:.2} % a minute", byte / 1048576.0, 100.0 * growth, 100.0 * error);
    growth
}

#[test]
fn a_mixed_load_leaves_nothing_behind() {
    expect_panics();
    let seconds = variable("DELAYED_SECONDS").unwrap_or(sized(5, 60, 1_800));
    let length = Duration::from_secs(seconds);
    // The first runtime of a process opens what it listens for signals with, once for all.
    drop(Runtime::new().unwrap());
    let before = resources();
    let borrowed = Runtime::new().unwrap();
    let clients = vec![
        borrowed.block_on(async { Client::current_runtime().unwrap() }),
        Client::builder().threads_per_worker(1).build().unwrap(),
        Client::builder().threads_per_worker(2).build().unwrap(),
    ];
    let samples = samples(length, clients);
    borrowed.shutdown_background();
    let half = length.as_secs_f64() / 120.0;
    let warm = &samples[samples.partition_point(|sample| sample.minutes < half)..];
    let allocated = growth(warm, "allocated", |sample| sample.bytes);
    assert!(length < FOR_A_SLOPE || allocated < MOST_GROWTH, "the load leaks");
    let caches = !std::env::var("GLIBC_TUNABLES").is_ok_and(|set| set.contains("tcache_count=0"));
    if before.is_some() {
        let resident = growth(warm, "resident", |sample| sample.process.unwrap().resident as f64);
        let long = if caches { FOR_A_SLOPE_WITH_CACHES } else { FOR_A_SLOPE };
        assert!(length < long || resident < MOST_GROWTH, "memory grows");
        // The pools are about full from the first lap on; threads that idle for long end, and others start again. One
        // that leaks at each lap would be hundreds.
        let most = |samples: &[Sample]| samples.iter().map(|sample| sample.process.unwrap().threads).max();
        let (first, second) = samples.split_at(samples.len() / 2);
        println!("{:?} threads at most, then {:?}", most(first).unwrap(), most(second));
        assert!(
            length < FOR_A_SLOPE || most(second) <= most(first).map(|threads| threads + threads / 20),
            "threads grow in number"
        );
    }
    let Some(before) = before else { return };
    until("all threads and descriptors are gone", || {
        let now = resources().unwrap();
        now.threads <= before.threads && now.descriptors <= before.descriptors
    });
}
