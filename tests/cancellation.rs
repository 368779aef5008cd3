//! Withdrawn wishes and cancelled nodes.

mod support;

use delayed::{Client, Delayed, Status, delayed};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::Duration;
use support::soon;
use tokio::sync::Semaphore;

/// Counts itself while it lives.
#[derive(Debug)]
struct Alive(Arc<AtomicUsize>);

impl Alive {
    fn new(count: &Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, SeqCst);
        Alive(count.clone())
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.fetch_sub(1, SeqCst);
    }
}

#[delayed]
async fn wait_for(gate: Arc<Semaphore>, alive: Arc<AtomicUsize>) -> i64 {
    let _alive = Alive::new(&alive);
    gate.acquire().await.unwrap().forget();
    1
}
#[delayed]
fn add(x: i64, y: i64) -> i64 {
    x + y
}

fn counting(runs: &Arc<AtomicUsize>, x: &Delayed<i64>) -> Delayed<i64> {
    let runs = runs.clone();
    x.map_ref(move |x| {
        runs.fetch_add(1, SeqCst);
        x + 1
    })
}

/// A wish that has begun: polled once.
async fn begun<F: Future + Unpin>(future: &mut F) {
    std::future::poll_fn(|cx| {
        assert!(std::pin::Pin::new(&mut *future).poll(cx).is_pending());
        std::task::Poll::Ready(())
    })
    .await;
}

#[tokio::test]
async fn dropping_a_compute_drops_a_future_that_nobody_can_reach() {
    let (gate, alive) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let mut wish = add(wait_for(gate.clone(), alive.clone()), 1).compute();
    begun(&mut wish).await;
    soon(|| alive.load(SeqCst) == 1).await;
    drop(wish);
    soon(|| alive.load(SeqCst) == 0).await;
}

#[tokio::test]
async fn a_future_that_a_handle_can_reach_goes_on() {
    let (gate, alive) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let runs = Arc::new(AtomicUsize::new(0));
    let x = wait_for(gate.clone(), alive.clone());
    let y = counting(&runs, &x);
    let mut wish = y.clone().compute();
    begun(&mut wish).await;
    soon(|| alive.load(SeqCst) == 1).await;
    drop(wish);
    gate.add_permits(1);
    soon(|| x.status() == Status::Done).await;
    assert_eq!((runs.load(SeqCst), y.status()), (0, Status::Lazy));
    // Computing again repeats nothing.
    assert_eq!(y.await.unwrap(), 2);
    assert_eq!(runs.load(SeqCst), 1);
}

#[tokio::test]
async fn two_wishes_for_the_same_node_are_independent() {
    let (gate, alive) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let x = wait_for(gate.clone(), alive.clone());
    let y = x.map(|x| x + 1);
    let (mut first, mut second) = (y.clone().compute(), y.compute());
    begun(&mut first).await;
    begun(&mut second).await;
    soon(|| alive.load(SeqCst) == 1).await;
    drop(first);
    gate.add_permits(1);
    assert_eq!(second.await.unwrap(), 2);
}

#[tokio::test]
async fn what_has_not_started_does_not_start() {
    let client = Client::builder().threads_per_worker(1).build().unwrap();
    let runs = Arc::new(AtomicUsize::new(0));
    let (started, go) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let (s, g) = (started.clone(), go.clone());
    let first = delayed::call(
        move || {
            s.add_permits(1);
            while g.try_acquire().is_err() {
                std::thread::yield_now();
            }
            1i64
        },
        (),
    );
    let last = counting(&runs, &counting(&runs, &first));
    let mut wish = client.compute(&last);
    begun(&mut wish).await;
    started.acquire().await.unwrap().forget();
    drop(wish);
    go.add_permits(1);
    soon(|| first.status() == Status::Done).await;
    assert_eq!(client.compute(delayed::value(3)).await.unwrap(), 3);
    assert_eq!((runs.load(SeqCst), last.status()), (0, Status::Lazy));
    assert_eq!(client.compute(last).await.unwrap(), 3);
}

#[tokio::test]
async fn a_compute_dropped_after_any_number_of_polls() {
    for polls in (0..20).step_by(if cfg!(miri) { 5 } else { 1 }) {
        let mut x = delayed::value(0i64);
        for i in 0..10 {
            x = if i % 3 == 0 {
                delayed::call_async(
                    |x: i64| async move {
                        tokio::task::yield_now().await;
                        x + 1
                    },
                    (x,),
                )
            } else {
                x.map(|x| x + 1)
            };
        }
        let mut wish = x.clone().compute();
        for _ in 0..polls {
            let ended = std::future::poll_fn(|cx| {
                std::task::Poll::Ready(std::pin::Pin::new(&mut wish).poll(cx).is_ready())
            })
            .await;
            if ended {
                break;
            }
            tokio::time::sleep(Duration::from_micros(50)).await;
        }
        drop(wish);
        assert_eq!(x.await.unwrap(), 10);
    }
}

#[tokio::test]
async fn cancel_fails_the_node_and_what_needs_it() {
    let (gate, alive) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let x = wait_for(gate.clone(), alive.clone());
    let y = add(&x, 1);
    let mut wish = y.clone().compute();
    begun(&mut wish).await;
    soon(|| alive.load(SeqCst) == 1).await;
    x.cancel();
    let error = wish.await.unwrap_err();
    assert!(error.is_cancelled());
    assert_eq!(error.node().key(), x.key());
    assert_eq!(error.chain().next().unwrap().name(), "add");
    soon(|| alive.load(SeqCst) == 0).await;
    assert!(x.await.unwrap_err().is_cancelled());
    assert!(y.await.unwrap_err().is_cancelled());
}

#[tokio::test]
async fn cancel_before_running_while_running_and_after() {
    let lazy = add(1, 2);
    lazy.cancel();
    lazy.cancel();
    assert_eq!(lazy.status(), Status::Failed);
    assert!(add(&lazy, 1).await.unwrap_err().is_cancelled());

    let done = add(1, 2);
    done.compute_ref().await.unwrap();
    done.cancel();
    assert_eq!(done.await.unwrap(), 3);

    let (started, go) = (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)));
    let (s, g) = (started.clone(), go.clone());
    let running = delayed::call(
        move || {
            s.add_permits(1);
            while g.try_acquire().is_err() {
                std::thread::yield_now();
            }
            1i64
        },
        (),
    );
    let needs = running.map_ref(|x| x + 1).persist();
    let mut wish = needs.compute();
    begun(&mut wish).await;
    started.acquire().await.unwrap().forget();
    assert_eq!(running.status(), Status::Running);
    running.cancel();
    go.add_permits(1);
    assert!(wish.await.unwrap_err().is_cancelled());
    assert!(running.await.unwrap_err().is_cancelled());
}

#[tokio::test]
async fn a_persisted_node_that_nobody_can_reach_is_let_go() {
    let (gate, alive) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let x = add(wait_for(gate.clone(), alive.clone()), 1).persist();
    soon(|| alive.load(SeqCst) == 1).await;
    drop(x);
    soon(|| alive.load(SeqCst) == 0).await;
}

#[tokio::test]
async fn timeouts_and_select_around_compute() {
    let (gate, alive) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let x = wait_for(gate.clone(), alive.clone());
    assert!(tokio::time::timeout(Duration::from_millis(20), &x).await.is_err());
    gate.add_permits(1);
    assert_eq!(x.await.unwrap(), 1);
}

/// Blocks its thread until `go`.
#[delayed(blocking)]
fn hold(go: Arc<Semaphore>) -> i64 {
    while go.try_acquire().is_err() {
        std::thread::sleep(Duration::from_micros(100));
    }
    1
}
#[delayed]
fn fail(_x: i64) -> Result<i64, String> {
    Err("no".into())
}
#[delayed]
async fn wait_after(_x: i64, gate: Arc<Semaphore>, alive: Arc<AtomicUsize>) -> i64 {
    let _alive = Alive::new(&alive);
    gate.acquire().await.unwrap().forget();
    1
}

#[tokio::test]
async fn a_wish_that_fails_lets_its_other_futures_go() {
    let (go, gate, alive) =
        (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let other = add(wait_for(gate.clone(), alive.clone()), 1);
    let mut wish = delayed::compute((fail(hold(go.clone())), other));
    begun(&mut wish).await;
    soon(|| alive.load(SeqCst) == 1).await;
    go.add_permits(1);
    assert_eq!(wish.await.unwrap_err().to_string(), "`fail` failed: no");
    soon(|| alive.load(SeqCst) == 0).await;

    let go = Arc::new(Semaphore::new(0));
    let other = add(wait_for(gate.clone(), alive.clone()), 1);
    let kept = add(fail(hold(go.clone())), other).persist();
    soon(|| alive.load(SeqCst) == 1).await;
    go.add_permits(1);
    soon(|| kept.status() == Status::Failed).await;
    drop(kept);
    soon(|| alive.load(SeqCst) == 0).await;
}

#[tokio::test]
async fn a_wish_withdrawn_before_its_future_starts_does_not_keep_it() {
    let (go, gate, alive) =
        (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let future = wait_after(hold(go.clone()), gate.clone(), alive.clone());
    let consumer = add(&future, 2);
    let kept = future.persist();
    let mut wish = consumer.compute();
    begun(&mut wish).await;
    tokio::time::sleep(Duration::from_millis(10)).await;
    drop(wish);
    go.add_permits(1);
    soon(|| alive.load(SeqCst) == 1).await;
    drop(kept);
    soon(|| alive.load(SeqCst) == 0).await;
}

#[tokio::test]
async fn a_wish_dropped_at_any_moment_lets_its_future_go() {
    let (gate, alive) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let client = Client::builder().threads_per_worker(1).build().unwrap();
    for round in 0..if cfg!(miri) { 5 } else { 300 } {
        let mut wish = client.compute(add(wait_for(gate.clone(), alive.clone()), 1));
        begun(&mut wish).await;
        for _ in 0..round * 37 % 4_000 {
            std::hint::spin_loop();
        }
        drop(wish);
        soon(|| alive.load(SeqCst) == 0).await;
    }
}

#[tokio::test]
async fn a_future_that_only_a_withdrawn_wish_needs_is_dropped_beside_one_that_is_needed() {
    let (gate, alive) = (Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let needed = add(wait_for(gate.clone(), alive.clone()), 1);
    let mut first = needed.clone().compute();
    begun(&mut first).await;
    let mut second = add(&needed, wait_for(gate.clone(), alive.clone())).compute();
    begun(&mut second).await;
    soon(|| alive.load(SeqCst) == 2).await;
    drop(second);
    soon(|| alive.load(SeqCst) == 1).await;
    gate.add_permits(1);
    assert_eq!(first.await.unwrap(), 2);
}

#[tokio::test]
async fn settle_with_a_cancelled_node_that_is_still_running() {
    let (go, gate, alive) =
        (Arc::new(Semaphore::new(0)), Arc::new(Semaphore::new(0)), Arc::new(AtomicUsize::new(0)));
    let running = hold(go.clone());
    let mut wish = delayed::settle(vec![running.clone(), wait_for(gate.clone(), alive.clone())]);
    begun(&mut wish).await;
    soon(|| alive.load(SeqCst) == 1).await;
    running.cancel();
    gate.add_permits(1);
    let results = wish.await;
    assert!(results[0].as_ref().unwrap_err().is_cancelled());
    assert_eq!(*results[1].as_ref().unwrap(), 1);
    go.add_permits(1);
}

#[delayed]
fn short(runs: Arc<AtomicUsize>) -> i64 {
    runs.fetch_add(1, SeqCst);
    1
}
#[delayed]
fn long(x: i64, begun: Arc<AtomicUsize>) -> i64 {
    begun.fetch_add(1, SeqCst);
    std::thread::sleep(Duration::from_millis(100));
    x
}
#[delayed]
fn gated(gate: Arc<AtomicBool>) -> i64 {
    while !gate.load(SeqCst) {
        std::thread::sleep(Duration::from_millis(1));
    }
    0
}

/// A sum whose first summand runs until the gate opens, and what the others count.
fn gated_sum(gate: &Arc<AtomicBool>) -> (Delayed<i64>, Arc<AtomicUsize>, Arc<AtomicUsize>) {
    let (runs, begun) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let summand = || long(short(runs.clone()), begun.clone());
    let sum = (0..20).fold(gated(gate.clone()), |sum, _| add(sum, summand()));
    (sum, runs, begun)
}

fn is_known_to_be_short(client: &Client) {
    let _guard = client.enter();
    for _ in 0..200 {
        short(Arc::default()).wait().unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(miri, ignore = "no function is short there")]
async fn nothing_starts_for_a_withdrawn_wish_beside_its_running_function() {
    let client = Client::builder().threads_per_worker(2).build().unwrap();
    tokio::task::block_in_place(|| is_known_to_be_short(&client));
    let gate = Arc::new(AtomicBool::new(false));
    let (sum, runs, begun) = gated_sum(&gate);
    let mut wish = client.compute(&sum);
    self::begun(&mut wish).await;
    soon(|| begun.load(SeqCst) == 1).await;
    drop(wish);
    let before = runs.load(SeqCst);
    tokio::time::sleep(Duration::from_millis(200)).await;
    assert_eq!((runs.load(SeqCst), begun.load(SeqCst)), (before, 1));
    gate.store(true, SeqCst);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_starts_for_a_cancelled_node_beside_the_input_that_runs() {
    let client = Client::builder().threads_per_worker(2).build().unwrap();
    let gate = Arc::new(AtomicBool::new(false));
    let begun = Arc::new(AtomicUsize::new(0));
    let three = |x: i64, _: i64, _: i64| x;
    let other = || long(short(Arc::default()), begun.clone());
    let sum = delayed::call(three, (gated(gate.clone()), other(), other()));
    let mut wish = client.compute(&sum);
    self::begun(&mut wish).await;
    soon(|| begun.load(SeqCst) == 1).await;
    sum.cancel();
    tokio::time::sleep(Duration::from_millis(250)).await;
    assert_eq!(begun.load(SeqCst), 1);
    gate.store(true, SeqCst);
    assert!(wish.await.unwrap_err().is_cancelled());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_asynchronous_node_that_was_cancelled_while_it_waited_does_not_start() {
    let client = Client::builder().threads_per_worker(2).build().unwrap();
    let gate = Arc::new(AtomicBool::new(false));
    let starts = Arc::new(AtomicUsize::new(0));
    let counts = starts.clone();
    let start = move |x: i64| {
        counts.fetch_add(1, SeqCst);
        async move { x }
    };
    let input = gated(gate.clone());
    let node = delayed::call_async(start, (&input,));
    let mut wish = client.compute(&node);
    begun(&mut wish).await;
    soon(|| input.status() == Status::Running).await;
    let mut other = client.compute(&input);
    begun(&mut other).await;
    node.cancel();
    gate.store(true, SeqCst);
    assert!(wish.await.unwrap_err().is_cancelled());
    assert_eq!(other.await.unwrap(), 0);
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert_eq!(starts.load(SeqCst), 0);
}

/// Its function runs until the gate opens; then it has a value that counts itself.
#[delayed]
fn open(gate: Arc<AtomicBool>, runs: Arc<AtomicUsize>, alive: Arc<AtomicUsize>) -> Arc<Alive> {
    runs.fetch_add(1, SeqCst);
    gated::eager(gate);
    Arc::new(Alive::new(&alive))
}
#[delayed]
fn replace(old: Arc<Alive>, runs: Arc<AtomicUsize>, alive: Arc<AtomicUsize>) -> Arc<Alive> {
    runs.fetch_add(1, SeqCst);
    drop(old);
    Arc::new(Alive::new(&alive))
}

#[tokio::test]
async fn however_a_wish_is_given_up_nothing_starts_is_repeated_or_is_left() {
    for way in ["compute", "compute_ref", "settle", "as_completed", "timeout", "persist", "handles too"] {
        let client = Client::builder().threads_per_worker(1).build().unwrap();
        let _guard = client.enter();
        let (gate, alive) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let (opened, runs) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let first = open(gate.clone(), opened.clone(), alive.clone());
        let next = |old: &Delayed<_>| replace(old, runs.clone(), alive.clone());
        let last = next(&next(&first));
        let runs_now = || opened.load(SeqCst) == 1;
        match way {
            "compute_ref" => {
                let mut wish = last.compute_ref();
                begun(&mut wish).await;
                soon(runs_now).await;
            }
            "settle" => {
                let mut wish = delayed::settle((&first, next(&last)));
                begun(&mut wish).await;
                soon(runs_now).await;
            }
            "as_completed" => {
                let _wish = delayed::as_completed([next(&last), last.clone()]);
                soon(runs_now).await;
            }
            "timeout" => {
                let mut wish = last.compute_ref();
                begun(&mut wish).await;
                soon(runs_now).await;
                assert!(tokio::time::timeout(Duration::from_millis(50), wish).await.is_err());
            }
            "persist" => {
                let _wish = next(&last).persist();
                soon(runs_now).await;
            }
            _ => {
                let mut wish = last.clone().compute();
                begun(&mut wish).await;
                soon(runs_now).await;
            }
        }
        if way == "handles too" {
            drop((first, last));
            gate.store(true, SeqCst);
            // The function has let go of its argument, and the client of everything else.
            soon(|| Arc::strong_count(&gate) == 1 && Arc::strong_count(&alive) == 1).await;
            assert_eq!((runs.load(SeqCst), alive.load(SeqCst)), (0, 0), "{way}");
            continue;
        }
        gate.store(true, SeqCst);
        soon(|| first.status() == Status::Done).await;
        // Behind this nothing of the withdrawn wish can be left on the only thread.
        assert_eq!(delayed::value(3).map(|x| x + 1).await.unwrap(), 4);
        assert_eq!((runs.load(SeqCst), alive.load(SeqCst), last.status()), (0, 1, Status::Lazy), "{way}");
        drop(first);
        let value = last.await.unwrap();
        assert_eq!((opened.load(SeqCst), runs.load(SeqCst), alive.load(SeqCst)), (1, 2, 1), "{way}");
        drop(value);
        soon(|| alive.load(SeqCst) == 0).await;
    }
}

#[tokio::test]
async fn a_cancelled_node_lets_go_of_all_it_has() {
    let alive = Arc::new(AtomicUsize::new(0));
    let (argument, input) = (Alive::new(&alive), delayed::value(Arc::new(Alive::new(&alive))));
    let lazy = delayed::call(|_: Alive, _: Arc<Alive>| 1, (argument, input));
    let needs = lazy.map_ref(|x| x + 1);
    assert_eq!(alive.load(SeqCst), 2);
    lazy.cancel();
    assert_eq!((alive.load(SeqCst), lazy.status(), needs.status()), (0, Status::Failed, Status::Lazy));
    assert!(needs.await.unwrap_err().is_cancelled());

    let (gate, runs) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let running = open(gate.clone(), runs.clone(), alive.clone()).persist();
    soon(|| runs.load(SeqCst) == 1).await;
    running.cancel();
    assert!((&running).await.unwrap_err().is_cancelled());
    gate.store(true, SeqCst);
    soon(|| Arc::strong_count(&gate) == 1 && Arc::strong_count(&alive) == 1).await;
    assert_eq!(alive.load(SeqCst), 0);
    assert!((&running).await.unwrap_err().is_cancelled());
    assert_eq!(runs.load(SeqCst), 1);
}
