//! What tests share: how many random graphs they run, which of them failed, what hangs, and waiting.

#![allow(dead_code, reason = "each test file uses a part")]

pub(crate) mod graphs;
pub(crate) mod process;

use delayed::Client;
use std::fmt::Display;
use std::panic::{AssertUnwindSafe, catch_unwind, panic_any, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

/// After this long without progress a test hangs. Nothing here takes a hundredth of it.
pub(crate) const HANGS: Duration = Duration::from_secs(120);

/// A small generator (xorshift64*), so that a seed replays everywhere.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    pub(crate) fn below(&mut self, n: u64) -> u64 {
        (self.next() >> 33) % n
    }

    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }
}

pub(crate) fn variable(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is a number, not {text:?}")))
}

/// How much a test does: as part of `cargo test`, with `DELAYED_SIZE=ci`, with `DELAYED_SIZE=soak`.
pub(crate) fn sized<T>(quick: T, ci: T, soak: T) -> T {
    match std::env::var("DELAYED_SIZE").as_deref() {
        Err(_) => quick,
        Ok("ci") => ci,
        Ok("soak") => soak,
        Ok(other) => panic!("DELAYED_SIZE is `ci` or `soak`, not {other:?}"),
    }
}

/// Runs `check` with the seeds 1 to `graphs`, and a number that goes up by one. `DELAYED_GRAPHS`
/// changes how often; with `DELAYED_SEED` it is that seed each time, because what goes wrong between
/// threads does not always do so. Under miri it is few times.
pub(crate) fn each_seed(graphs: u64, mut check: impl FnMut(u64, usize)) {
    let only = variable("DELAYED_SEED");
    let rounds = variable("DELAYED_GRAPHS").unwrap_or(match only {
        _ if cfg!(miri) => 4,
        Some(_) => 100,
        None => graphs,
    });
    let watch = Watch::new();
    for round in 1..=rounds {
        let seed = only.unwrap_or(round);
        watch.on(format!("seed {seed}"));
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| check(seed, round as usize))) {
            eprintln!("this was round {round}; DELAYED_SEED={seed} replays its graph");
            resume_unwind(panic);
        }
    }
}

/// Ends the process with a message when nothing new is begun for too long: a thread that hangs in
/// `wait` cannot fail a test in another way.
pub(crate) struct Watch(Arc<(Mutex<Watched>, Condvar)>);

#[derive(Default)]
struct Watched {
    doing: String,
    begun: u64,
    ended: bool,
}

impl Watch {
    pub(crate) fn new() -> Self {
        let shared: Arc<(Mutex<Watched>, Condvar)> = Arc::default();
        let watch = Watch(shared.clone());
        std::thread::spawn(move || {
            let (watched, changed) = &*shared;
            let mut guard = watched.lock().unwrap();
            let mut seen = (0, Instant::now());
            while !guard.ended {
                if guard.begun != seen.0 {
                    seen = (guard.begun, Instant::now());
                } else if seen.1.elapsed() > HANGS {
                    eprintln!("nothing has happened for {HANGS:?}: {}", guard.doing);
                    std::process::abort();
                }
                guard = changed.wait_timeout(guard, HANGS / 8).unwrap().0;
            }
        });
        watch
    }

    /// Says what is begun now.
    pub(crate) fn on(&self, what: impl Display) {
        let mut watched = self.0.0.lock().unwrap();
        watched.doing = what.to_string();
        watched.begun += 1;
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.0.0.lock().unwrap().ended = true;
        self.0.1.notify_one();
    }
}

/// Waits for what happens by itself.
#[track_caller]
pub(crate) fn until(what: impl Display, happens: impl Fn() -> bool) {
    let begin = Instant::now();
    while !happens() {
        assert!(begin.elapsed() < HANGS, "it did not happen within {HANGS:?}: {what}");
        if begin.elapsed() < Duration::from_millis(1) {
            std::thread::yield_now();
        } else {
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

/// Waits, in asynchronous code, for what happens at once by itself.
pub(crate) async fn soon(what: impl Fn() -> bool) {
    for _ in 0..5_000 {
        if what() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("it did not happen within 5 s");
}

/// What a node panics with on purpose.
pub(crate) const ON_PURPOSE: &str = "on purpose";

pub(crate) fn panic_on_purpose() -> ! {
    panic_any(ON_PURPOSE)
}

/// Panics on purpose print nothing.
pub(crate) fn expect_panics() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        if info.payload().downcast_ref::<&str>() != Some(&ON_PURPOSE) {
            hook(info);
        }
    }));
}

/// Clients of 1, 2, 4 and 8 threads, under miri of 1 and 2: as workers of one thread, and as one worker.
pub(crate) struct Clients {
    all: Vec<(Arc<Client>, usize)>,
    next: AtomicUsize,
}

impl Clients {
    pub(crate) fn start() -> Self {
        let sizes: &[usize] = if cfg!(miri) { &[1, 2] } else { &[1, 2, 4, 8] };
        let sizes = sizes.iter().flat_map(|&n| [(n, 1), (1, n)]);
        let client = |(workers, threads)| {
            let client = Client::builder().workers(workers).threads_per_worker(threads).build().unwrap();
            (Arc::new(client), workers)
        };
        Clients { all: sizes.map(client).collect(), next: AtomicUsize::new(0) }
    }

    /// Each in turn, with its number of workers.
    pub(crate) fn next(&self) -> (Arc<Client>, usize) {
        self.all[self.next.fetch_add(1, SeqCst) % self.all.len()].clone()
    }
}
