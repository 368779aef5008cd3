//! The tutorial of Python's `dask.delayed`, step by step: a few slow functions become a lazy graph
//! that runs in parallel, in the background, and on more workers while it runs.
//!
//! ```sh
//! cargo run --release --example dask_delayed
//! ```

use delayed::{Client, Delayed, Status, delayed};
use std::error::Error;
use std::fmt::Display;
use std::io::{Write, stdout};
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::signal::ctrl_c;

/// Milliseconds that all functions together have slept: the time of one after another.
static WORK: AtomicU64 = AtomicU64::new(0);

/// Stands for real work: 2 to 9 ms, which look random but depend on the arguments alone.
fn work(x: i64, y: i64) {
    let hash = (x * 31 + y + 1).unsigned_abs().wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let millis = 2 + (hash >> 61);
    WORK.fetch_add(millis, Ordering::Relaxed);
    std::thread::sleep(Duration::from_millis(millis));
}

#[delayed]
pub(crate) fn inc(x: i64) -> i64 {
    work(x, 1);
    x + 1
}

#[delayed]
pub(crate) fn dec(x: i64) -> i64 {
    work(x, -1);
    x - 1
}

#[delayed]
pub(crate) fn add(x: i64, y: i64) -> i64 {
    work(x, y);
    x + y
}

/// Three nodes for each. `y` and the sum both need `x`, which runs once for the two.
pub(crate) fn build_loop(times: i64) -> Vec<Delayed<i64>> {
    (0..times)
        .map(|i| {
            let x = inc(i);
            let y = dec(&x);
            add(x, y)
        })
        .collect()
}

#[tokio::main]
async fn main() -> Result<ExitCode, Box<dyn Error>> {
    let client = Client::builder().workers(1).threads_per_worker(4).build()?;
    let _current = client.enter();
    tokio::select! {
        result = tutorial(&client) => result.map(|()| ExitCode::SUCCESS),
        // The future of the tutorial is dropped, and with it what it waits for.
        _ = ctrl_c() => {
            say("interrupted");
            Ok(ExitCode::from(130))
        }
    }
}

async fn tutorial(client: &Client) -> Result<(), Box<dyn Error>> {
    say("1. Eager: the functions as they were written, one after another");
    let clock = Clock::start();
    let z = add::eager(inc::eager(1), dec::eager(2));
    say(format!("   z = {z}, {clock}"));

    say("\n2. Lazy: a call only makes a node, which knows its inputs");
    let clock = Clock::start();
    let x = inc(1);
    let y = dec(2);
    let z = add(&x, &y);
    say(format!("   z = {z:?}, built in {:.1?}", clock.begin.elapsed()));
    let picture = std::env::temp_dir().join("delayed-inc-dec-add.svg");
    z.visualize(&picture)?;
    say(format!("   its picture: {}", picture.display()));

    say("\n3. Compute: inc and dec run at the same time");
    let clock = Clock::start();
    let value = (&z).await?;
    say(format!("   z = {value}, {clock}"));
    let clock = Clock::start();
    let again = z.compute().await?;
    say(format!("   z = {again} again, kept from before, in {:.1?}", clock.begin.elapsed()));

    say("\n4. A loop of 256 × inc, dec, add, started in the background, on 1 worker of 4 threads");
    run_loop().await?;

    say("\n5. The same loop on 10 workers");
    client.scale(10)?;
    run_loop().await?;

    say("\n6. Tree summation, which begins while the loop below it still runs");
    let clock = Clock::start();
    let mut layer = delayed::persist(build_loop(256));
    while layer.len() > 1 {
        layer = layer.chunks(2).map(|pair| add(&pair[0], &pair[1])).collect();
    }
    let total = delayed::compute(layer).await?;
    say(format!("   total = {total:?}, {clock}"));
    assert_eq!(total, [65_536]);
    Ok(())
}

/// Starts the loop, has a look at it on its way, and waits for its end.
async fn run_loop() -> Result<(), delayed::Error> {
    let layer = build_loop(256);
    let clock = Clock::start();
    let layer = delayed::persist(layer);
    say(format!("   persist returned after {:.1?}", clock.begin.elapsed()));
    tokio::time::sleep(Duration::from_millis(50)).await;
    let done = layer.iter().filter(|sum| sum.status() == Status::Done).count();
    say(format!("   after 50 ms, {done} of {} sums are done", layer.len()));
    let sums = delayed::compute(layer).await?;
    say(format!("   all sums are done, sums[..4] = {:?}, {clock}", &sums[..4]));
    Ok(())
}

/// Compares the time on the wall with that of one function after another.
struct Clock {
    begin: Instant,
    work: u64,
}

impl Clock {
    fn start() -> Self {
        Clock { begin: Instant::now(), work: WORK.load(Ordering::Relaxed) }
    }
}

impl Display for Clock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let work = WORK.load(Ordering::Relaxed) - self.work;
        let time = self.begin.elapsed();
        write!(
            f,
            "{work} ms of work in {} ms: {:.1} ×",
            time.as_millis(),
            work as f64 / 1e3 / time.as_secs_f64()
        )
    }
}

/// Prints a line. Nobody reads on after `| head -1`, which is no reason to panic.
fn say(line: impl Display) {
    if writeln!(stdout(), "{line}").is_err() {
        std::process::exit(0);
    }
}
