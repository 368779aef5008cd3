//! Time limits of nodes.

mod support;

use delayed::{Client, Delayed, Status, delayed};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;
use support::soon;

const HOUR: Duration = Duration::from_secs(3600);

/// Lets a function block until the test lets it go.
struct Gate {
    open: Mutex<Receiver<()>>,
    passed: Sender<()>,
}

impl Gate {
    fn new() -> (Arc<Gate>, Sender<()>, Receiver<()>) {
        let (open, opened) = channel();
        let (passed, passes) = channel();
        (Arc::new(Gate { open: Mutex::new(opened), passed }), open, passes)
    }

    fn pass(&self) -> u32 {
        self.open.lock().unwrap().recv().unwrap();
        self.passed.send(()).unwrap();
        7
    }
}

#[delayed(timeout = "20ms")]
fn blocked(gate: Arc<Gate>) -> u32 {
    gate.pass()
}

#[delayed]
fn unlimited(gate: Arc<Gate>) -> u32 {
    gate.pass()
}

#[delayed(timeout = "20ms")]
async fn sleepy(token: Arc<()>) -> u32 {
    tokio::time::sleep(HOUR).await;
    Arc::strong_count(&token) as u32
}

#[delayed(timeout = "1h")]
fn quick(x: u32) -> u32 {
    x + 1
}

#[delayed(timeout = "1h")]
async fn quick_async(x: u32) -> u32 {
    x + 1
}

#[tokio::test]
async fn what_is_in_time_has_its_value() {
    let nodes = vec![quick(1), quick_async(1), quick(quick_async(quick(1)))];
    assert_eq!(delayed::compute(nodes).await.unwrap(), [2, 2, 4]);
}

#[tokio::test]
async fn a_late_future_is_dropped_and_fails() {
    let token = Arc::new(());
    let node = sleepy(token.clone());
    let consumer = node.clone().map(|x| x + 1).named("consumer");
    let error = consumer.compute().await.unwrap_err();
    assert!(error.is_timeout() && !error.is_cancelled() && !error.is_panic());
    assert_eq!(error.to_string(), "`sleepy` took longer than 20ms");
    assert_eq!(error.node().key(), node.key());
    assert_eq!(error.chain().next().unwrap().name(), "consumer");
    soon(|| Arc::strong_count(&token) == 1).await;
    assert_eq!(node.status(), Status::Failed);
    assert!(node.compute().await.unwrap_err().is_timeout());
}

#[tokio::test]
async fn consumers_of_a_late_function_fail_before_it_returns() {
    let client = Client::builder().threads_per_worker(1).build().unwrap();
    let with_limit_of_its_own = |gate| unlimited(gate).timeout(Duration::from_millis(20));
    for make in [blocked, with_limit_of_its_own] {
        let (gate, open, passes) = Gate::new();
        let node = make(gate);
        let consumer = node.clone() + 1;
        let error = client.compute(&consumer).await.unwrap_err();
        assert!(error.is_timeout(), "{error}");
        assert_eq!(node.try_get().unwrap().unwrap_err().to_string(), error.to_string());
        // The client's only thread is free.
        assert_eq!(client.compute(quick(1).map(|x| x * 2)).await.unwrap(), 4);
        open.send(()).unwrap();
        passes.recv().unwrap();
        // What it returned is thrown away.
        assert!(client.compute(node).await.unwrap_err().is_timeout());
    }
}

#[test]
fn a_late_function_fails_a_wait() {
    let (gate, open, _passes) = Gate::new();
    assert!((blocked(gate) + 1).wait().unwrap_err().is_timeout());
    open.send(()).unwrap();
}

#[tokio::test]
async fn the_node_s_own_limit_is_the_one_that_counts() {
    let long = sleepy(Arc::new(())).timeout(HOUR);
    let short = long.clone().map(|x| x).timeout(Duration::from_millis(1));
    assert_eq!(short.status(), Status::Lazy);
    let pending = tokio::time::timeout(Duration::from_millis(100), long.compute()).await;
    assert!(pending.is_err(), "20 ms are over, an hour is not");
}

#[delayed(timeout = "20ms", retries = 1000000, backoff = "1ms")]
fn fails() -> Result<u32, String> {
    Err("no".to_owned())
}

#[tokio::test]
async fn the_limit_holds_for_all_attempts_together() {
    assert!(fails().compute().await.unwrap_err().is_timeout());
}

#[tokio::test]
async fn a_cancelled_node_is_not_late() {
    let node = sleepy(Arc::new(())).timeout(HOUR).persist();
    node.cancel();
    let error = node.compute().await.unwrap_err();
    assert!(error.is_cancelled() && !error.is_timeout());
}

#[test]
fn a_runtime_without_a_clock_is_named() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let error = runtime.block_on(async {
        let client = Client::current_runtime().unwrap();
        client.compute(quick(1)).await.unwrap_err()
    });
    assert_eq!(error.node().name(), "quick");
    assert!(error.to_string().contains("enable_time"), "{error}");
}

#[tokio::test]
async fn the_first_use_of_tokio_s_own_timeout_is_told_too() {
    #[delayed]
    async fn fetch() -> Result<u32, tokio::time::error::Elapsed> {
        tokio::time::timeout(Duration::from_millis(1), std::future::pending()).await
    }
    assert!(fetch().compute().await.unwrap_err().is_timeout());
}

#[tokio::test]
async fn a_limit_that_nobody_needs_any_more_ends_with_its_node() {
    let token = Arc::new(());
    let node: Delayed<u32> = sleepy(token.clone()).timeout(HOUR).persist();
    soon(|| Arc::strong_count(&token) == 2 && node.status() == Status::Running).await;
    drop(node);
    soon(|| Arc::strong_count(&token) == 1).await;
}
