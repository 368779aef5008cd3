//! Graphs in the binary beside the same branches by other means: some calls of the same length, and a sum.
//!
//! All means run in one process in turn, in rounds. A pool of rayon's and a runtime of tokio's have as many
//! threads as the client, and the thread that calls counts as one: it calls from inside the pool.

#[path = "../../wide/mod.rs"]
mod wide;

use delayed::{Client, Delayed};
use std::hint::black_box;
use std::time::{Duration, Instant};
use wide::{eight, median, sixty_four, spin, two};

const ROUNDS: usize = 15;

#[delayed::delayed]
fn branch(steps: u64, x: u64) -> u64 {
    spin(steps, x)
}
#[delayed::delayed]
fn all(of: &[u64]) -> u64 {
    of.iter().fold(0, |sum, of| sum ^ of)
}

/// Halves by `rayon::join`, as one writes it by hand.
fn joined(width: u64, steps: u64, x: u64) -> u64 {
    if width == 1 {
        return spin(steps, x);
    }
    let (a, b) = rayon::join(|| joined(width / 2, steps, x), || joined(width - width / 2, steps, x));
    a ^ b
}

async fn spawned(width: u64, steps: u64, x: u64) -> u64 {
    let tasks: Vec<_> = (0..width).map(|_| tokio::spawn(async move { spin(steps, x) })).collect();
    let mut sum = 0;
    for task in tasks {
        sum ^= task.await.expect("a branch does not panic");
    }
    sum
}

fn nanos(calls: u32, f: &mut dyn FnMut() -> u64) -> f64 {
    let begin = Instant::now();
    for _ in 0..calls {
        black_box(f());
    }
    begin.elapsed().as_nanos() as f64 / f64::from(calls)
}

/// How many steps take so long.
fn steps_of(length: Duration) -> u64 {
    let fastest = (0..9).map(|_| nanos(200, &mut || spin(1_000, 1))).fold(f64::MAX, f64::min) / 1_000.0;
    (length.as_nanos() as f64 / fastest) as u64
}

/// The table, in Markdown: the time of the function as written, and how many times faster each means is.
pub(crate) fn graphs(threads: usize) -> String {
    let client = Client::builder().threads_per_worker(threads).build().expect("the system has threads");
    let _guard = client.enter();
    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("the system has threads");
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).build();
    let runtime = runtime.expect("the system has threads");
    let mut table = String::from(
        "| branches | of | as written | `#[graph]` | `rayon::join` | `tokio::spawn` | `#[delayed]` |\n\
         |--:|--:|--:|--:|--:|--:|--:|\n",
    );
    let graphs: [(u64, fn(u64, u64) -> u64, fn(u64, u64) -> u64); 3] =
        [(2, two::sequential, two), (8, eight::sequential, eight), (64, sixty_four::sequential, sixty_four)];
    for (width, written, graph) in graphs {
        for length in [100, 1_000, 10_000, 100_000, 1_000_000] {
            let steps = steps_of(Duration::from_nanos(length));
            let calls = (20_000_000 / (length * width)).clamp(1, 2_000) as u32;
            let x = black_box(5);
            let mut took = [const { Vec::new() }; 5];
            for _ in 0..ROUNDS {
                // What sleeps is awake after the first calls of a round.
                took[0].push(nanos(calls, &mut || written(steps, x)));
                took[1].push(nanos(calls, &mut || graph(steps, x)));
                took[2].push(pool.install(|| nanos(calls, &mut || joined(width, steps, x))));
                let spawning = async move {
                    let begin = Instant::now();
                    for _ in 0..calls {
                        black_box(spawned(width, steps, x).await);
                    }
                    begin.elapsed().as_nanos() as f64 / f64::from(calls)
                };
                took[3].push(runtime.block_on(async { tokio::spawn(spawning).await.expect("no panic") }));
                took[4].push(nanos(calls, &mut || {
                    let branches: Vec<Delayed<u64>> = (0..width).map(|_| branch(steps, x)).collect();
                    all(branches).wait().expect("no branch fails")
                }));
            }
            let [written, others @ ..] = took;
            let ratios = others.map(|of| median(written.iter().zip(&of).map(|(a, b)| a / b).collect()));
            let cells: String = ratios.iter().map(|ratio| format!(" {ratio:.2} |")).collect();
            let micros = median(written) / 1e3;
            table += &format!("| {width} | {} µs | {micros:.2} µs |{cells}\n", length as f64 / 1e3);
        }
    }
    table
}
