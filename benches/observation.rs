//! What it costs to be looked at: `cargo bench --bench observation`.
//!
//! Nodes of some length, on one thread and on two, with nobody looking, with a reader of events and with a
//! recording. Rounds are interleaved, and each figure is the median of the rounds' ratios.

use delayed::{Client, Delayed, delayed};
use std::hint::black_box;
use std::time::{Duration, Instant};

const ROUNDS: usize = 31;
const NODES: usize = 20_000;

/// Takes about so long.
#[inline(never)]
fn spin(steps: u64) -> u64 {
    (0..steps).fold(0, |sum, step| black_box(sum ^ step))
}

#[delayed]
fn work(steps: u64, _: u64) -> u64 {
    spin(steps)
}
#[delayed]
fn last(_: &[u64]) {}

/// Chains beside each other, enough of them for some threads.
fn graph(steps: u64) -> Delayed<()> {
    let mut layer: Vec<Delayed<u64>> = (0..64).map(delayed::value).collect();
    for _ in 0..NODES / 64 {
        layer = layer.into_iter().map(|input| work(steps, input)).collect();
    }
    last(layer)
}

fn round(client: &Client, steps: u64) -> Duration {
    let _guard = client.enter();
    let begin = Instant::now();
    graph(steps).wait().unwrap();
    begin.elapsed()
}

/// How many steps make a node take so long on one thread, with all that a node costs.
fn steps_of(length: Duration) -> u64 {
    let client = Client::builder().threads_per_worker(1).build().unwrap();
    // Nearer each time: caches and the processor's pace differ with the length.
    (0..8).fold(length.as_nanos() as u64, |steps, _| {
        let took = median((0..5).map(|_| round(&client, steps).as_secs_f64() / NODES as f64).collect());
        (steps as f64 * length.as_secs_f64() / took).max(1.0) as u64
    })
}

fn main() {
    println!("{:>8} {:>8} {:>10} {:>10} {:>10}", "node", "threads", "off, ns", "events", "recording");
    for nanos in [100, 1_000, 10_000] {
        let steps = steps_of(Duration::from_nanos(nanos));
        for threads in [1, 2] {
            let client = Client::builder().threads_per_worker(threads).build().unwrap();
            round(&client, steps);
            let (mut off, mut events, mut recording) = (Vec::new(), Vec::new(), Vec::new());
            for _ in 0..ROUNDS {
                let without = round(&client, steps);
                off.push(without.as_nanos() as f64 / NODES as f64);
                let mut reader = client.events();
                events.push(round(&client, steps).as_secs_f64() / without.as_secs_f64());
                drop(reader.read());
                drop(reader);
                let record = client.record();
                recording.push(round(&client, steps).as_secs_f64() / without.as_secs_f64());
                drop(record);
            }
            println!(
                "{:>5} ns {threads:>8} {:>10.0} {:>10.3} {:>10.3}",
                nanos,
                median(off),
                median(events),
                median(recording)
            );
        }
    }
}

fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}
