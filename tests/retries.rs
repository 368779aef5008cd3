//! Functions that are called again when they fail.

mod support;

use delayed::{Client, Delayed, Status, delayed};
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::thread::ThreadId;
use support::soon;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    Transient,
    Final,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a fault that is {self:?}")
    }
}

impl Error for Fault {}

fn is_transient(fault: &Fault) -> bool {
    *fault == Fault::Transient
}

/// Counts calls, and lets all before `ends` fail.
#[derive(Clone)]
struct Calls {
    made: Arc<AtomicU32>,
    ends: u32,
}

impl Calls {
    fn until(ends: u32) -> Self {
        Calls { made: Arc::default(), ends }
    }

    fn made(&self) -> u32 {
        self.made.load(SeqCst)
    }

    fn next(&self, fault: Fault) -> Result<u32, Fault> {
        let number = self.made.fetch_add(1, SeqCst) + 1;
        if number < self.ends { Err(fault) } else { Ok(number) }
    }
}

#[delayed(retries = 3)]
fn at_once(calls: Calls) -> Result<u32, Fault> {
    calls.next(Fault::Transient)
}

#[delayed(retries = 3, backoff = "1ms")]
fn with_delays(calls: &Calls) -> Result<u32, Fault> {
    calls.next(Fault::Transient)
}

#[delayed(retries = 3)]
async fn at_once_async(calls: Calls) -> Result<u32, Fault> {
    tokio::task::yield_now().await;
    calls.next(Fault::Transient)
}

#[delayed(retries = 3, backoff = "1ms", retry_if = is_transient)]
async fn with_delays_async(calls: &Calls, fault: Fault) -> Result<u32, Fault> {
    tokio::task::yield_now().await;
    calls.next(fault)
}

#[delayed(blocking, retries = 3, backoff = "1ms")]
fn on_the_pool(calls: Calls) -> Result<u32, Fault> {
    calls.next(Fault::Transient)
}

/// Each kind of function, as a node.
fn all_kinds(ends: u32) -> Vec<(Calls, Delayed<u32>)> {
    type Make = fn(Calls) -> Delayed<u32>;
    let kinds: [Make; 5] = [
        at_once,
        with_delays,
        at_once_async,
        |calls| with_delays_async(calls, Fault::Transient),
        on_the_pool,
    ];
    kinds
        .into_iter()
        .map(|make| {
            let calls = Calls::until(ends);
            (calls.clone(), make(calls))
        })
        .collect()
}

#[tokio::test]
async fn the_first_success_counts() {
    for (calls, node) in all_kinds(3) {
        assert_eq!(node.compute().await.unwrap(), 3);
        assert_eq!(calls.made(), 3);
    }
}

#[tokio::test]
async fn the_last_failure_is_the_error() {
    for (calls, node) in all_kinds(100) {
        let error = node.compute_ref().await.unwrap_err();
        assert_eq!(calls.made(), 4, "one call and three retries");
        assert_eq!(error.downcast_ref::<Fault>(), Some(&Fault::Transient));
        let text = format!("`{}` failed in each of 4 attempts: a fault that is Transient", node.name());
        assert_eq!(error.to_string(), text);
        // The node has failed for good.
        node.compute_ref().await.unwrap_err();
        assert_eq!(calls.made(), 4);
    }
}

#[tokio::test]
async fn an_error_that_is_not_worth_it_is_final() {
    let calls = Calls::until(100);
    let error = with_delays_async(delayed::value(calls.clone()), Fault::Final).compute().await.unwrap_err();
    assert_eq!(calls.made(), 1);
    assert_eq!(error.to_string(), "`with_delays_async` failed: a fault that is Final");
}

#[delayed(retries = 3)]
fn panics(calls: Calls) -> Result<u32, Fault> {
    calls.next(Fault::Transient).ok();
    panic!("out of order");
}

#[tokio::test]
async fn a_panic_is_not_tried_again() {
    let calls = Calls::until(1);
    assert!(panics(calls.clone()).compute().await.unwrap_err().is_panic());
    assert_eq!(calls.made(), 1);
}

#[delayed(retries = 3, backoff = "1ms", retry_if = |text: &String| text != "panic")]
fn panics_later(calls: Calls) -> Result<u32, String> {
    match calls.next(Fault::Transient) {
        Err(_) => Err("again".to_owned()),
        Ok(_) => panic!("out of order"),
    }
}

#[tokio::test]
async fn a_panic_after_a_delay_fails_the_node() {
    let error = panics_later(Calls::until(2)).compute().await.unwrap_err();
    assert!(error.is_panic());
    assert_eq!(error.to_string(), "`panics_later` panicked: out of order");
}

#[delayed(retries = 2, backoff = "1ms")]
fn where_it_runs(calls: &Calls, value: String) -> Result<(ThreadId, String), Fault> {
    calls.next(Fault::Transient)?;
    // Nodes may compute with the client that runs them, in each attempt.
    let nested = delayed::call(|s: String| s + "!", (value,)).wait().unwrap();
    Ok((std::thread::current().id(), nested))
}

#[tokio::test]
async fn each_attempt_has_the_arguments_and_the_client() {
    let client = Client::builder().threads_per_worker(1).build().unwrap();
    let (_, value) = client.compute(where_it_runs(Calls::until(3), "x")).await.unwrap();
    assert_eq!(value, "x!");
}

#[delayed(retries = 100, backoff = "1h")]
fn fails_once_an_hour(calls: &Calls) -> Result<u32, Fault> {
    calls.next(Fault::Transient)
}

#[tokio::test]
async fn a_node_between_attempts_can_be_cancelled_and_dropped() {
    let client = Client::builder().threads_per_worker(1).build().unwrap();
    let calls = delayed::value(Calls::until(100));
    let node = client.persist(fails_once_an_hour(&calls));
    let consumer = client.persist(node.clone().map(|n| n + 1));
    soon(|| node.status() == Status::Running).await;
    // The thread is free meanwhile.
    assert_eq!(client.compute(at_once(Calls::until(1))).await.unwrap(), 1);
    node.cancel();
    assert!(consumer.compute().await.unwrap_err().is_cancelled());

    // Without a handle the future is dropped, and with it the arguments.
    let calls = Calls::until(100);
    let node = client.persist(fails_once_an_hour(calls.clone()));
    soon(|| calls.made() > 0).await;
    drop(node);
    soon(|| Arc::strong_count(&calls.made) == 1).await;
}

struct Source(Calls);

#[delayed]
impl Source {
    #[delayed(retries = 3, backoff = "1ms")]
    fn read(&self, suffix: &str) -> Result<String, Fault> {
        self.0.next(Fault::Transient).map(|n| format!("{n}{suffix}"))
    }
    #[delayed(retries = 3)]
    async fn read_async(&self, suffix: String) -> Result<String, Fault> {
        self.0.next(Fault::Transient).map(|n| format!("{n}{suffix}"))
    }
}

#[tokio::test]
async fn methods_are_called_again() {
    let source = delayed::value(Source(Calls::until(2)));
    assert_eq!(source.read("a").compute().await.unwrap(), "2a");
    assert_eq!(source.read_async("b").compute().await.unwrap(), "3b");
}

#[delayed(retries = 1)]
fn generic<T: Clone + Send + Sync + 'static>(calls: &Calls, value: T, borrowed: &T) -> Result<(T, T), Fault> {
    calls.next(Fault::Transient).map(|_| (value, borrowed.clone()))
}

#[tokio::test]
async fn generic_functions_are_called_again() {
    let five = delayed::value(5);
    assert_eq!(generic(Calls::until(2), &five, &five).compute().await.unwrap(), (5, 5));
}
