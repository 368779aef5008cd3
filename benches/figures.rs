//! The figures that the README quotes: `cargo bench --bench figures`.
//!
//! Each line is the median of interleaved rounds in one process.

mod workloads;

use delayed::{Client, Delayed, delayed};
use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};
use workloads::{Build, add, chain, dec, inc, loops, tree};

/// Counts what the program takes from the system allocator.
struct Counting;

static CALLS: AtomicUsize = AtomicUsize::new(0);
static BYTES: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is passed on to the system allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.fetch_add(1, Relaxed);
        BYTES.fetch_add(layout.size(), Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        BYTES.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples[samples.len() / 2]
}

fn nanos(since: Instant, per: usize) -> f64 {
    since.elapsed().as_nanos() as f64 / per as f64
}

const WORKLOADS: [(&str, Build); 3] = [("chain", chain), ("tree", tree), ("256-loop", loops)];

fn trivial_nodes(client: &Client) {
    let _guard = client.enter();
    let nodes = 100_000;
    println!("\ntrivial nodes, one thread, {nodes} nodes, ns a node");
    println!("{:10} {:>8} {:>8} {:>8}", "", "build", "run+drop", "total");
    let mut samples = vec![(Vec::new(), Vec::new()); WORKLOADS.len()];
    for _ in 0..21 {
        for ((_, build), (built, ran)) in WORKLOADS.iter().zip(&mut samples) {
            let begin = Instant::now();
            let handle = build(nodes);
            built.push(nanos(begin, nodes));
            let begin = Instant::now();
            std::hint::black_box(handle.wait().unwrap());
            ran.push(nanos(begin, nodes));
        }
    }
    for ((name, _), (built, ran)) in WORKLOADS.iter().zip(samples) {
        let total = built.iter().zip(&ran).map(|(b, r)| b + r).collect();
        println!("{name:10} {:8.1} {:8.1} {:8.1}", median(built), median(ran), median(total));
    }
}

fn memory() {
    println!("\nundemanded nodes with two edges and an 8-byte value");
    let (x, y) = (inc(1), inc(2));
    let nodes = 1_000_000;
    let mut handles = Vec::with_capacity(nodes);
    let (calls, bytes) = (CALLS.load(Relaxed), BYTES.load(Relaxed));
    handles.extend((0..nodes).map(|_| add(&x, &y)));
    let (calls, bytes) = (CALLS.load(Relaxed) - calls, BYTES.load(Relaxed) - bytes);
    println!(
        "{:.1} bytes a node, {:.4} calls of the allocator a node",
        bytes as f64 / nodes as f64,
        calls as f64 / nodes as f64
    );
}

fn latency(client: &Client) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let _guard = client.enter();
    let samples: Vec<f64> = runtime.block_on(async {
        let mut samples = Vec::new();
        for _ in 0..2_000 {
            let begin = Instant::now();
            assert_eq!(add(inc(1), dec(2)).compute().await.unwrap(), 3);
            samples.push(begin.elapsed().as_nanos() as f64);
        }
        samples
    });
    println!("\nthree nodes, built and `compute().await`, warm client: {:.0} ns", median(samples));
}

fn extremes(client: &Client) {
    let _guard = client.enter();
    println!("\non a thread with a 2 MiB stack");
    let timed = |what: &str, f: &dyn Fn()| {
        let begin = Instant::now();
        f();
        println!("{what}: {:.2} s", begin.elapsed().as_secs_f64());
    };
    timed("chain of 10,000,000, built and run", &|| {
        assert_eq!(chain(10_000_000).wait().unwrap(), 10_000_000);
    });
    timed("the same, built and dropped", &|| drop(chain(10_000_000)));
    timed("fan-in of 1,000,000 into one node", &|| {
        let sum: Delayed<i64> = (0..1_000_000).map(inc).sum();
        assert_eq!(sum.wait().unwrap(), 500_000_500_000);
    });
    timed("40 stacked diamonds, 2^40 paths", &|| {
        let mut x = inc(0);
        for _ in 0..40 {
            x = add(dec(&x), inc(x));
        }
        assert_eq!(x.wait().unwrap(), 1 << 40);
    });
}

fn speed_up() {
    #[delayed]
    fn spin(nanos: u64) -> u64 {
        let end = Instant::now() + Duration::from_nanos(nanos);
        while Instant::now() < end {
            std::hint::spin_loop();
        }
        nanos
    }
    println!("\nspeed-up of 2 threads over 1, tree sum of 8,192 tasks that spin");
    let clients: Vec<_> =
        [1, 2].iter().map(|&n| Client::builder().threads_per_worker(n).build().unwrap()).collect();
    for micros in [1, 10, 100] {
        let mut samples = [Vec::new(), Vec::new()];
        for _ in 0..5 {
            for (client, samples) in clients.iter().zip(&mut samples) {
                let _guard = client.enter();
                let sum: Delayed<u64> = (0..8_192).map(|_| spin(micros * 1_000)).sum();
                let begin = Instant::now();
                sum.wait().unwrap();
                samples.push(nanos(begin, 8_192));
            }
        }
        let [one, two] = samples.map(median);
        println!("{micros:4} µs: {:.2}  ({one:.0} and {two:.0} ns a task)", one / two);
    }
}

fn main() {
    let one = Client::builder().threads_per_worker(1).build().unwrap();
    memory();
    trivial_nodes(&one);
    latency(&one);
    speed_up();
    std::thread::scope(|scope| {
        std::thread::Builder::new().stack_size(2 << 20).spawn_scoped(scope, || extremes(&one)).unwrap();
    });
}
