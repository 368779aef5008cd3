//! How others fare beside full CPU load: `cargo bench --bench fairness -- 30`, where 30 is the
//! seconds under load for each kind of runtime.
//!
//! All threads of a client run nodes of 100 µs, graph after graph. Beside them, on the same tokio
//! runtime, a task ticks every 10 ms, and asynchronous nodes of 1 ms follow each other. The goal is
//! that 99 of 100 ticks are at most 20 ms late.

use delayed::{Client, Delayed, delayed};
use std::future::Future;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::time::MissedTickBehavior;

const TICK: Duration = Duration::from_millis(10);
const PAUSE: Duration = Duration::from_millis(1);
const SPIN: Duration = Duration::from_micros(100);
const NODES: usize = 2_048;

#[delayed]
fn spin(time: Duration) -> u64 {
    let end = Instant::now() + time;
    while Instant::now() < end {
        std::hint::spin_loop();
    }
    1
}

/// How late each tick was.
#[delayed]
async fn ticks(until: Instant) -> Vec<Duration> {
    let mut interval = tokio::time::interval(TICK);
    interval.set_missed_tick_behavior(MissedTickBehavior::Skip);
    interval.tick().await;
    let mut lateness = Vec::new();
    while Instant::now() < until {
        lateness.push(interval.tick().await.elapsed());
    }
    lateness
}

#[delayed]
async fn pause() -> u64 {
    tokio::time::sleep(PAUSE).await;
    1
}

/// How many asynchronous nodes have ended, one after the other.
#[delayed]
async fn pauses(until: Instant) -> Result<u64, delayed::Error> {
    let mut ended = 0;
    while Instant::now() < until {
        ended += pause().compute().await?;
    }
    Ok(ended)
}

/// Keeps all threads of a client busy.
async fn load(client: &Client, until: Instant) {
    while Instant::now() < until {
        let sum: Delayed<u64> = (0..NODES).map(|_| spin(SPIN)).sum();
        assert_eq!(client.compute(sum).await.unwrap(), NODES as u64);
    }
}

/// What was seen in some seconds.
struct Seen {
    /// Sorted.
    lateness: Vec<Duration>,
    missed: usize,
    pauses_a_second: f64,
}

/// Watches a client for some seconds, with load or idle. `ticker` starts ticking.
async fn watch<F: Future<Output = Vec<Duration>>>(
    client: &Client,
    ticker: impl Fn(Instant) -> F,
    seconds: f64,
    loaded: bool,
) -> Seen {
    let begin = Instant::now();
    let until = begin + Duration::from_secs_f64(seconds);
    let load = async {
        if loaded {
            load(client, until).await;
        }
    };
    let (mut lateness, pauses, ()) = tokio::join!(ticker(until), client.compute(pauses(until)), load);
    lateness.sort();
    let due = (seconds / TICK.as_secs_f64()) as usize;
    Seen {
        missed: due.saturating_sub(lateness.len()),
        lateness,
        pauses_a_second: pauses.unwrap() as f64 / seconds,
    }
}

fn print(runtime: &str, state: &str, seen: &Seen) {
    let millis = |share: f64| {
        let last = seen.lateness.len() - 1;
        seen.lateness[(last as f64 * share) as usize].as_secs_f64() * 1e3
    };
    println!(
        "{runtime:22} {state:6} {:8.1} {:8.1} {:8.1} {:8} {:12.0}",
        millis(0.5),
        millis(0.99),
        millis(1.0),
        seen.missed,
        seen.pauses_a_second
    );
}

/// Idle for a fifth of the time, then with load.
fn report<F: Future<Output = Vec<Duration>>>(
    name: &str,
    runtime: &Runtime,
    client: &Client,
    ticker: impl Fn(Instant) -> F,
    seconds: f64,
) {
    print(name, "idle", &runtime.block_on(watch(client, &ticker, seconds / 5.0, false)));
    print(name, "loaded", &runtime.block_on(watch(client, &ticker, seconds, true)));
}

fn borrowed(name: &str, mut builder: Builder, seconds: f64) {
    let runtime = builder.enable_all().build().unwrap();
    let client = runtime.block_on(async { Client::current_runtime().unwrap() });
    let ticker = async |until| tokio::spawn(ticks::eager(until)).await.unwrap();
    report(name, &runtime, &client, ticker, seconds);
}

/// The tick is an asynchronous node, and the client is asked from outside.
fn own(seconds: f64) {
    let client = Client::builder().build().unwrap();
    let outside = Builder::new_current_thread().build().unwrap();
    let ticker = async |until| client.compute(ticks(until)).await.unwrap();
    report("the client's own", &outside, &client, ticker, seconds);
}

fn main() {
    let seconds = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(30.0);
    println!("                              lateness of a tick, ms     ticks  async nodes");
    println!("runtime                            p50      p99      max   missed     a second");
    borrowed("multi_thread", Builder::new_multi_thread(), seconds);
    borrowed("current_thread", Builder::new_current_thread(), seconds);
    own(seconds);
}
