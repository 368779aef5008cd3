//! Our own parts, one by one: `cargo bench --bench parts`, or with a filter `-- build`.
//!
//! Each figure is only its own part: what it needs is made before, and what it leaves is dropped
//! after the clock has stopped. Times are those of all nodes, `thrpt` is nodes in a second.

mod workloads;

use criterion::measurement::WallTime;
use criterion::{BatchSize, Bencher, Criterion, Throughput};
use delayed::{Client, Delayed, delayed};
use std::hint::black_box;
use std::time::{Duration, Instant};
use workloads::{Build, add, chain, dec, inc, loops, tree};

const NODES: usize = 10_000;
const WORKLOADS: [(&str, Build); 4] = [("chain", chain), ("tree", tree), ("256-loop", loops), ("wide", wide)];

#[delayed]
fn total(values: Vec<i64>) -> i64 {
    values.iter().sum()
}

#[delayed]
async fn later(x: i64) -> i64 {
    x
}
#[delayed(blocking)]
fn blocks(x: i64) -> i64 {
    x
}

/// One node over all others, which it takes as a `Vec`.
fn wide(nodes: usize) -> Delayed<i64> {
    total((1..nodes as i64).map(inc).collect::<Vec<_>>())
}

fn one_thread() -> Client {
    Client::builder().threads_per_worker(1).build().unwrap()
}

fn for_each_workload(
    criterion: &mut Criterion,
    name: &str,
    bench: impl Fn(&mut Bencher<'_, WallTime>, Build),
) {
    let client = one_thread();
    let _guard = client.enter();
    let mut group = criterion.benchmark_group(name);
    for (workload, build) in WORKLOADS {
        let nodes = build(NODES).graph().nodes.len();
        group.throughput(Throughput::Elements(nodes as u64));
        group.bench_function(workload, |bencher| bench(bencher, build));
    }
}

fn graphs(criterion: &mut Criterion) {
    for_each_workload(criterion, "build", |bencher, build| {
        bencher.iter_batched(|| (), |()| build(NODES), BatchSize::PerIteration);
    });
    // Every node but the last is freed by the walk itself.
    for_each_workload(criterion, "run", |bencher, build| {
        bencher.iter_batched(
            || build(NODES),
            |handle| {
                let value = handle.wait_ref().unwrap();
                (handle, value)
            },
            BatchSize::PerIteration,
        );
    });
    for_each_workload(criterion, "drop undemanded", |bencher, build| {
        bencher.iter_batched(|| build(NODES), drop, BatchSize::PerIteration);
    });
}

/// Nodes that have run, each with a handle: a finished node has let go of its inputs.
fn drop_computed(criterion: &mut Criterion) {
    let client = one_thread();
    let _guard = client.enter();
    let mut group = criterion.benchmark_group("drop computed");
    group.throughput(Throughput::Elements(NODES as u64));
    group.bench_function("inc", |bencher| {
        bencher.iter_batched(
            || {
                let handles: Vec<_> = (0..NODES as i64).map(inc).collect();
                delayed::wait(&handles).unwrap();
                handles
            },
            drop,
            BatchSize::PerIteration,
        );
    });
}

/// A handle, and one node or few: as a caller in another runtime sees them, with building.
fn handles(criterion: &mut Criterion) {
    let client = Client::builder().build().unwrap();
    let _guard = client.enter();
    let mut group = criterion.benchmark_group("handle");
    let handle = inc(1);
    group.bench_function("clone and drop", |bencher| bencher.iter(|| black_box(&handle).clone()));
    group.bench_function("persist until try_get", |bencher| {
        bencher.iter(|| {
            let handle = inc(1).persist();
            while handle.try_get().is_none() {
                std::hint::spin_loop();
            }
            handle
        });
    });
    let ended = inc(1).persist();
    ended.wait_ref().unwrap();
    group.bench_function("try_get of an ended node", |bencher| {
        bencher.iter(|| black_box(&ended).try_get().is_some());
    });
    group.finish();
    awaited(criterion, "three nodes", 3, async || add(inc(1), dec(2)).compute().await.unwrap());
    awaited(criterion, "one async node", 1, async || later(1).compute().await.unwrap());
    awaited(criterion, "one blocking node", 1, async || blocks(1).compute().await.unwrap());
}

fn awaited(criterion: &mut Criterion, name: &str, nodes: u64, part: impl AsyncFn() -> i64) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let mut group = criterion.benchmark_group("compute().await");
    group.throughput(Throughput::Elements(nodes));
    group.bench_function(name, |bencher| {
        bencher.iter_custom(|rounds| {
            runtime.block_on(async {
                let begin = Instant::now();
                for _ in 0..rounds {
                    black_box(part().await);
                }
                begin.elapsed()
            })
        });
    });
}

fn main() {
    let mut criterion = Criterion::default()
        .without_plots()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .configure_from_args();
    graphs(&mut criterion);
    drop_computed(&mut criterion);
    handles(&mut criterion);
    criterion.final_summary();
}
