//! Random graphs against a sequential oracle.
//!
//! Each graph mixes synchronous, asynchronous, blocking, failing and panicking nodes, with owned
//! and borrowed edges and such that only order; some are wide, some deep. Several tasks compute parts
//! of it at once, some give up on the way, and the client may be scaled meanwhile. The results must be
//! the oracle's, no node may run twice, and no value may be left over. Some graphs are first settled in
//! part: then all that can run has run, and nothing else, and the errors name all failures.
//!
//! `DELAYED_SEED=n cargo test --test random` replays one graph.

use delayed::{Client, Delayed, delayed};
use futures::StreamExt;
use futures::executor::block_on;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering::SeqCst};
use std::time::{Duration, Instant};

/// A small generator (xorshift64*), so that a seed replays everywhere.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn below(&mut self, n: u64) -> u64 {
        (self.next() >> 33) % n
    }
}

/// What the nodes of one graph share with the test.
struct Log {
    live: AtomicI64,
    runs: Vec<AtomicU32>,
}

/// A value that counts its copies.
struct Tracked {
    value: u64,
    log: Arc<Log>,
}

impl Tracked {
    fn new(value: u64, log: &Arc<Log>) -> Self {
        log.live.fetch_add(1, SeqCst);
        Tracked { value, log: log.clone() }
    }
}

impl Clone for Tracked {
    fn clone(&self) -> Self {
        Tracked::new(self.value, &self.log)
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.log.live.fetch_sub(1, SeqCst);
    }
}

/// How long a function takes. The share of long ones changes every 64 graphs, so that functions are taken
/// for short ones and for long ones.
#[derive(Clone, Copy)]
enum Length {
    Short,
    /// Long enough that others are offered what is beside it.
    Spins,
    /// Others come to wait for it, also if they share its core.
    Sleeps,
}

impl Length {
    fn any(random: &mut Random, longs: u64) -> Self {
        match (random.below(4) < longs, random.below(8)) {
            (false, _) => Length::Short,
            (true, 0) => Length::Sleeps,
            (true, _) => Length::Spins,
        }
    }

    fn pass(self) {
        match self {
            Length::Short => {}
            Length::Spins => {
                let end = Instant::now() + Duration::from_micros(5);
                while Instant::now() < end {
                    std::hint::spin_loop();
                }
            }
            Length::Sleeps => std::thread::sleep(Duration::from_micros(20)),
        }
    }
}

/// What a node is told beside its inputs.
#[derive(Clone)]
struct Order {
    node: usize,
    length: Length,
    log: Arc<Log>,
}

impl Order {
    fn run<'a>(self, inputs: impl IntoIterator<Item = &'a Tracked>) -> Tracked {
        self.log.runs[self.node].fetch_add(1, SeqCst);
        self.length.pass();
        let value = combine(self.node, inputs.into_iter().map(|x| x.value));
        Tracked::new(value, &self.log)
    }
}

fn combine(node: usize, inputs: impl IntoIterator<Item = u64>) -> u64 {
    inputs.into_iter().fold(node as u64, |sum, x| sum.wrapping_mul(31).wrapping_add(x))
}

#[delayed]
fn owned(inputs: Vec<Tracked>, order: Order) -> Tracked {
    order.run(&inputs)
}

#[delayed]
fn shared(a: &Tracked, order: Order, b: &Tracked) -> Tracked {
    order.run([a, b])
}

#[delayed]
fn one_of_each(a: Tracked, b: &Tracked, order: Order) -> Tracked {
    order.run([&a, b])
}

#[delayed]
async fn later(inputs: Vec<Tracked>, order: Order) -> Tracked {
    tokio::task::yield_now().await;
    order.run(&inputs)
}

#[delayed(blocking)]
fn apart(inputs: Vec<Tracked>, order: Order) -> Tracked {
    order.run(&inputs)
}

#[delayed]
fn failing(inputs: Vec<Tracked>, order: Order) -> Result<Tracked, String> {
    order.run(&inputs);
    Err("failing".into())
}

#[delayed]
fn panicking(inputs: Vec<Tracked>, order: Order) -> Tracked {
    order.run(&inputs);
    std::panic::panic_any("panicking");
}

#[derive(Clone, PartialEq, Debug)]
enum Expected {
    Value(u64),
    Failure,
}

struct Case {
    handles: Vec<Delayed<Tracked>>,
    expected: Vec<Expected>,
    blames: Blames,
    log: Arc<Log>,
}

/// What a node needs, and why it has no value.
#[derive(Default)]
struct Needs {
    before: Option<usize>,
    inputs: Vec<usize>,
    /// The nodes that failed by themselves.
    origins: BTreeSet<usize>,
    /// That of the first argument that failed.
    first: Option<usize>,
}

#[derive(Default)]
struct Blames {
    needs: Vec<Needs>,
    by_key: HashMap<String, usize>,
}

impl Blames {
    fn add(&mut self, key: String, before: Option<usize>, inputs: Vec<usize>, fails: bool) {
        let node = self.needs.len();
        let failed = |&i: &usize| self.needs[i].first.is_some();
        let causes: Vec<usize> = match before.filter(failed) {
            Some(before) => vec![before],
            None => inputs.iter().copied().filter(failed).collect(),
        };
        let mut needs = Needs { before, inputs, ..Needs::default() };
        if let Some(&cause) = causes.first() {
            needs.first = self.needs[cause].first;
            needs.origins = causes.iter().flat_map(|&i| &self.needs[i].origins).copied().collect();
        } else if fails {
            needs.first = Some(node);
            needs.origins = BTreeSet::from([node]);
        }
        self.by_key.insert(key, node);
        self.needs.push(needs);
    }

    /// The nodes that run when these are settled.
    fn all_that_can_run(&self, wanted: &[usize]) -> BTreeSet<usize> {
        let failed = |&i: &usize| self.needs[i].first.is_some();
        let (mut seen, mut runs) = (BTreeSet::new(), BTreeSet::new());
        let mut next = wanted.to_vec();
        while let Some(node) = next.pop() {
            if !seen.insert(node) {
                continue;
            }
            let Needs { before, inputs, .. } = &self.needs[node];
            next.extend(before);
            if !before.as_ref().is_some_and(failed) {
                next.extend(inputs);
                if !inputs.iter().any(failed) {
                    runs.insert(node);
                }
            }
        }
        runs
    }

    /// The error names nodes that failed, each once; with `all`, those that the oracle names.
    fn check(&self, node: usize, error: &delayed::Error, all: bool) {
        let needs = &self.needs[node];
        let named: Vec<usize> = std::iter::once(error)
            .chain(error.others())
            .map(|error| self.by_key[&error.node().key()])
            .collect();
        let origins: BTreeSet<usize> = named.iter().copied().collect();
        assert_eq!(origins.len(), named.len(), "node {node}: {error:?}");
        assert!(origins.is_subset(&needs.origins), "node {node}: {error:?}");
        assert!(error.others_count() < needs.origins.len(), "node {node}: {error:?}");
        if all {
            assert_eq!(Some(named[0]), needs.first, "node {node}: {error:?}");
            assert!(named.len() == needs.origins.len() || named.len() == 33, "node {node}: {error:?}");
        }
    }
}

fn case(random: &mut Random, longs: u64) -> Case {
    let most_nodes = if random.below(16) == 0 { 600 } else { 60 };
    let nodes = 2 + random.below(most_nodes) as usize;
    let reach = 1 + random.below(20);
    let most_inputs = if random.below(4) == 0 { 8 } else { 3 };
    let orders = random.below(3) == 0;
    let failures = random.below(3) == 0;
    let log =
        Arc::new(Log { live: AtomicI64::new(0), runs: (0..nodes).map(|_| AtomicU32::new(0)).collect() });
    let mut handles: Vec<Delayed<Tracked>> = Vec::new();
    let mut expected: Vec<Expected> = Vec::new();
    let mut blames = Blames::default();
    for node in 0..nodes {
        let order = Order { node, length: Length::any(random, longs), log: log.clone() };
        let mut pick = || node - 1 - random.below(reach.min(node as u64)) as usize;
        let kind;
        let inputs: Vec<usize>;
        if node == 0 {
            (kind, inputs) = (0, Vec::new());
        } else {
            let mut picked = Vec::new();
            picked.resize_with(most_inputs, &mut pick);
            kind = random.below(if failures { 12 } else { 10 });
            let count =
                if (5..8).contains(&kind) { 2 } else { random.below(most_inputs as u64 + 1) as usize };
            picked.truncate(count);
            inputs = picked;
        }
        // The node comes after another one, whose value it does not use.
        let before = (orders && node > 0 && random.below(8) == 0)
            .then(|| node - 1 - random.below(reach.min(node as u64)) as usize);
        let all = || inputs.iter().map(|&i| handles[i].clone()).collect::<Vec<_>>();
        let handle = match kind {
            5 | 6 => shared(&handles[inputs[0]], order, &handles[inputs[1]]),
            7 => one_of_each(&handles[inputs[0]], &handles[inputs[1]], order),
            8 => later(all(), order),
            9 => apart(all(), order),
            10 => failing(all(), order),
            11 => panicking(all(), order),
            _ => owned(all(), order),
        };
        blames.add(handle.key(), before, inputs.clone(), kind >= 10);
        handles.push(match before {
            Some(before) => handle.after(&handles[before]),
            None => handle,
        });
        let follows_a_failure = before.is_some_and(|before| expected[before] == Expected::Failure);
        let values: Option<Vec<u64>> = inputs
            .iter()
            .map(|&i| match expected[i] {
                Expected::Value(value) => Some(value),
                Expected::Failure => None,
            })
            .collect();
        expected.push(match values {
            Some(values) if kind < 10 && !follows_a_failure => Expected::Value(combine(node, values)),
            _ => Expected::Failure,
        });
    }
    Case { handles, expected, blames, log }
}

fn check(seed: u64, client: &Arc<Client>, runtime: &tokio::runtime::Runtime) {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let Case { handles, expected, blames, log } = case(&mut random, seed / 64 % 5);
    if random.below(4) == 0 {
        let wanted: Vec<_> =
            (0..1 + random.below(4)).map(|_| random.below(handles.len() as u64) as usize).collect();
        let _guard = client.enter();
        let handles: Vec<_> = wanted.iter().map(|&i| handles[i].clone()).collect();
        if random.below(2) == 0 {
            // Several wishes at once.
            let ended = runtime.block_on(delayed::as_completed(handles.clone()).count());
            assert_eq!(ended, wanted.len());
        }
        let results = runtime.block_on(delayed::settle(handles));
        for (result, &node) in results.into_iter().zip(&wanted) {
            if let Err(error) = &result {
                blames.check(node, error, true);
            }
            assert_eq!(outcome(result), expected[node], "seed {seed}, node {node}");
        }
        let runs = blames.all_that_can_run(&wanted);
        for (node, count) in log.runs.iter().enumerate() {
            assert_eq!(count.load(SeqCst) == 1, runs.contains(&node), "seed {seed}, node {node}");
        }
    }
    let mut tasks = Vec::new();
    for _ in 0..1 + random.below(4) {
        let wanted = random.below(handles.len() as u64) as usize;
        let (handle, expected) = (handles[wanted].clone(), expected[wanted].clone());
        let client = client.clone();
        let gives_up = random.below(4) == 0;
        let blocks = random.below(4) == 0;
        let settles = random.below(2) == 0;
        if blocks {
            tasks.push(runtime.spawn_blocking(move || {
                let _guard = client.enter();
                let result = if settles { block_on(delayed::settle(handle)) } else { handle.wait() };
                assert_eq!(outcome(result), expected, "seed {seed}, node {wanted}");
            }));
            continue;
        }
        if random.below(4) == 0 {
            let kept = client.persist(handle);
            if gives_up {
                continue;
            }
            tasks.push(runtime.spawn(async move {
                assert_eq!(outcome(kept.await), expected, "seed {seed}, node {wanted}");
            }));
            continue;
        }
        tasks.push(runtime.spawn(async move {
            let mut wish = client.compute(handle);
            if gives_up {
                std::future::poll_fn(|cx| {
                    let _ = std::pin::Pin::new(&mut wish).poll(cx);
                    std::task::Poll::Ready(())
                })
                .await;
                return;
            }
            assert_eq!(outcome(wish.await), expected, "seed {seed}, node {wanted}");
        }));
    }
    let scales = random.below(8) == 0;
    if scales {
        client.scale(1 + random.below(3) as usize).unwrap();
    }
    // Some handles are given up while the graph runs.
    let mut handles: Vec<_> = handles.into_iter().map(Some).collect();
    for handle in &mut handles {
        if random.below(2) == 0 {
            *handle = None;
        }
    }
    if scales {
        client.scale(1).unwrap();
    }
    for task in tasks {
        runtime.block_on(task).unwrap_or_else(|e| panic!("seed {seed}: {e}"));
    }
    let _guard = client.enter();
    for (node, handle) in handles.into_iter().enumerate() {
        if let Some(handle) = handle {
            let result = handle.wait();
            if let Err(error) = &result {
                blames.check(node, error, false);
            }
            assert_eq!(outcome(result), expected[node], "seed {seed}, node {node}");
        }
    }
    for (node, runs) in log.runs.iter().enumerate() {
        assert!(runs.load(SeqCst) <= 1, "seed {seed}: node {node} ran {} times", runs.load(SeqCst));
    }
    // What was given up while it ran ends by itself.
    let mut waits = 0;
    while log.live.load(SeqCst) != 0 {
        waits += 1;
        assert!(waits < 5_000, "seed {seed}: {} values are left", log.live.load(SeqCst));
        std::thread::sleep(Duration::from_millis(1));
    }
}

fn outcome(result: Result<Tracked, delayed::Error>) -> Expected {
    match result {
        Ok(tracked) => Expected::Value(tracked.value),
        Err(error) => {
            assert!(error.is_panic() == error.to_string().contains("panicking"), "{error:?}");
            Expected::Failure
        }
    }
}

#[test]
fn random_graphs_agree_with_the_oracle() {
    let graphs: u64 = std::env::var("DELAYED_GRAPHS").ok().and_then(|n| n.parse().ok()).unwrap_or(2_000);
    std::panic::set_hook(Box::new(|info| {
        // The graphs panic on purpose.
        if info.payload().downcast_ref::<&str>() != Some(&"panicking") {
            eprintln!("{info}");
        }
    }));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    let clients: Vec<_> = [1, 2, 4, 8]
        .iter()
        .map(|&threads| Arc::new(Client::builder().threads_per_worker(threads).build().unwrap()))
        .collect();
    if let Some(seed) = std::env::var("DELAYED_SEED").ok().and_then(|n| n.parse().ok()) {
        for client in &clients {
            check(seed, client, &runtime);
        }
        return;
    }
    for seed in 1..=graphs {
        check(seed, &clients[seed as usize % clients.len()], &runtime);
    }
}
