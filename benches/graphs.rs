//! What graphs in the binary cost: `cargo bench --bench graphs`.
//!
//! Everything is measured beside the function as it was written, in interleaved rounds of one process; figures
//! are medians. `benches/peers` has the same graphs beside rayon, tokio and graphs that are built when they run.

mod wide;

use delayed::__private::graph::share_always;
use delayed::Client;
use std::alloc::{GlobalAlloc, Layout, System};
use std::hint::black_box;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};
use wide::{eight, median, sixty_four, spin, two};

/// Counts the calls of the allocator.
struct Counting;

static CALLS: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is passed on to the system allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        CALLS.fetch_add(1, Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(block, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A chain: one node.
#[delayed::graph]
fn chain(x: u64) -> u64 {
    let a = x.wrapping_mul(3).rotate_left(5);
    let b = a.wrapping_add(7) ^ 11;
    let c = b.wrapping_mul(13).rotate_left(17);
    c ^ 19
}

fn nanos_of(calls: u32, f: &mut dyn FnMut()) -> f64 {
    let begin = Instant::now();
    (0..calls).for_each(|_| f());
    begin.elapsed().as_nanos() as f64 / f64::from(calls)
}

/// Nanoseconds of a call as written, and what the graph takes more, in interleaved rounds.
fn beside(calls: u32, mut written: impl FnMut(), mut graph: impl FnMut()) -> (f64, f64) {
    let rounds = (0..41).map(|_| (nanos_of(calls, &mut written), nanos_of(calls, &mut graph)));
    let (written, more): (Vec<f64>, Vec<f64>) =
        rounds.map(|(written, graph)| (written, graph - written)).unzip();
    (median(written), median(more))
}

/// How many steps take so long.
fn steps_of(length: Duration) -> u64 {
    let fastest = (0..9).map(|_| nanos_of(100, &mut || _ = black_box(spin(1_000, 1))));
    let fastest = fastest.fold(f64::MAX, f64::min) / 1_000.0;
    (length.as_nanos() as f64 / fastest) as u64
}

fn main() {
    let clients = [1, 2].map(|threads| Client::builder().threads_per_worker(threads).build().unwrap());
    let [one, both] = &clients;
    let x = black_box(5);

    let guard = one.enter();
    let (written, more) = beside(10_000, || _ = black_box(chain::sequential(x)), || _ = black_box(chain(x)));
    println!("a chain: as written {written:.1} ns, as a graph {more:+.1} ns");
    let (written, more) =
        beside(10_000, || _ = black_box(eight::sequential(1, x)), || _ = black_box(eight(1, x)));
    println!("a light graph of 9 nodes: as written {written:.1} ns, as a graph {more:+.1} ns a call");
    let steps = steps_of(Duration::from_nanos(100));
    let (written, more) = beside(
        1_000,
        || _ = black_box(sixty_four::sequential(steps, x)),
        || _ = black_box(sixty_four(steps, x)),
    );
    println!(
        "65 nodes of 0.1 µs, client of one thread: as written {written:.0} ns, {:+.2} ns a node",
        more / 65.0
    );
    drop(guard);

    let guard = both.enter();
    share_always(true);
    let (written, more) =
        beside(1_000, || _ = black_box(sixty_four::sequential(1, x)), || _ = black_box(sixty_four(1, x)));
    println!("65 trivial nodes, shared: as written {written:.0} ns, {:+.2} ns a node", more / 65.0);
    let (written, more) = beside(1_000, || _ = black_box(two::sequential(1, x)), || _ = black_box(two(1, x)));
    println!("2 trivial nodes, shared: as written {written:.0} ns, {more:+.0} ns a call");
    share_always(false);
    // Waking a thread takes memory for the loop that begins on it, so these runs are too short for that.
    for _ in 0..1_000 {
        eight(6 * steps, x);
    }
    let before = CALLS.load(Relaxed);
    for _ in 0..1_000 {
        black_box(eight(6 * steps, x));
    }
    println!("calls of the allocator in 1,000 shared runs of 5 µs: {}", CALLS.load(Relaxed) - before);
    drop(guard);

    println!("\nspeed-up on two threads");
    let _guard = both.enter();
    type Graph = fn(u64, u64) -> u64;
    for (width, [written, graph]) in [
        (2, [two::sequential as Graph, two]),
        (8, [eight::sequential, eight]),
        (64, [sixty_four::sequential, sixty_four]),
    ] {
        for micros in [0.1, 0.3, 1.0, 3.0, 10.0, 100.0, 1000.0] {
            let steps = steps_of(Duration::from_nanos((micros * 1000.0) as u64));
            let calls = (20_000.0 / (micros * width as f64)).clamp(1.0, 1_000.0) as u32;
            for _ in 0..50 {
                graph(steps, x);
            }
            let rounds = (0..15).map(|_| {
                let took = nanos_of(calls, &mut || _ = black_box(written(steps, x)));
                took / nanos_of(calls, &mut || _ = black_box(graph(steps, x)))
            });
            println!("{width:>4} x {micros:>6} µs: {:.2}", median(rounds.collect()));
        }
    }
}
