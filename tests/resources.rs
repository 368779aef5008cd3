//! What a client has of things that functions need while they run.

mod support;

use delayed::{Client, Delayed, Status, delayed};
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Barrier};
use std::time::Duration;
use support::soon;

/// How many run at once, and the most so far.
#[derive(Default)]
struct Gauge {
    now: AtomicU32,
    most: AtomicU32,
}

impl Gauge {
    fn enter(&self) {
        let now = self.now.fetch_add(1, SeqCst) + 1;
        self.most.fetch_max(now, SeqCst);
    }

    fn leave(&self) {
        self.now.fetch_sub(1, SeqCst);
    }
}

#[delayed(resource = "gpu")]
fn on_the_gpu(gauge: Arc<Gauge>, x: u32) -> u32 {
    gauge.enter();
    std::thread::yield_now();
    gauge.leave();
    x + 1
}

#[delayed(resource("db", 2))]
async fn query(gauge: Arc<Gauge>, x: u32) -> u32 {
    gauge.enter();
    tokio::task::yield_now().await;
    gauge.leave();
    x + 1
}

#[delayed]
fn sum(xs: &[u32]) -> u32 {
    xs.iter().sum()
}

#[tokio::test]
async fn no_more_run_at_once_than_there_is() {
    let client =
        Client::builder().threads_per_worker(4).resource("gpu", 1).resource("db", 5).build().unwrap();
    let (gpu, db) = (Arc::new(Gauge::default()), Arc::new(Gauge::default()));
    let n = if cfg!(miri) { 8 } else { 200 };
    let nodes: Vec<_> = (0..n).map(|x| query(db.clone(), on_the_gpu(gpu.clone(), x))).collect();
    assert_eq!(client.compute(sum(nodes)).await.unwrap(), (0..n).map(|x| x + 2).sum());
    assert_eq!(gpu.most.load(SeqCst), 1);
    assert!(db.most.load(SeqCst) <= 2, "two queries take four of five");
}

#[delayed(resource = "pair")]
fn meet(barrier: Arc<Barrier>) -> bool {
    barrier.wait().is_leader()
}

#[tokio::test]
async fn as_many_run_at_once_as_there_are() {
    let client = Client::builder().threads_per_worker(1).resource("pair", 2).build().unwrap();
    let barrier = Arc::new(Barrier::new(2));
    let (a, b) = client.compute((meet(barrier.clone()), meet(barrier))).await.unwrap();
    assert!(a != b);
}

#[tokio::test]
async fn a_client_without_it_is_an_error() {
    let gauge = Arc::new(Gauge::default());
    let error = on_the_gpu(gauge.clone(), 1).compute().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "`on_the_gpu`: it needs the resource `gpu`, which its client does not have: build one with \
         `Client::builder().resource(\"gpu\", 1)`"
    );
    let client = Client::builder().resource("db", 1).build().unwrap();
    let error = client.compute(query(gauge, 1)).await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "`query`: it needs 2 units of the resource `db`, of which its client has 1 in all"
    );
}

#[test]
fn a_resource_has_units() {
    let error = Client::builder().resource("gpu", 0).build().unwrap_err();
    assert_eq!(error.to_string(), "`client`: the resource `gpu` has no units: give it at least one");
    Client::builder().resource("gpu", u32::MAX).build().unwrap_err();
}

#[delayed(resource = "gpu")]
async fn forever() -> u32 {
    std::future::pending().await
}

/// A node that runs, and has the resource until it is dropped.
async fn hold(client: &Client) -> Delayed<u32> {
    let holder = client.persist(forever());
    soon(|| holder.status() == Status::Running).await;
    holder
}

#[tokio::test]
async fn what_waits_for_it_can_be_withdrawn_and_cancelled() {
    let client = Client::builder().threads_per_worker(1).resource("gpu", 1).build().unwrap();
    let gauge = Arc::new(Gauge::default());
    let holder = hold(&client).await;
    // A wish that is given up leaves the node lazy for others.
    let waiting = on_the_gpu(gauge.clone(), 1);
    let given_up = tokio::time::timeout(Duration::from_millis(20), client.compute(&waiting)).await;
    assert!(given_up.is_err());
    // A cancelled one fails at once.
    let cancelled = client.persist(on_the_gpu(gauge.clone(), 2).named("cancelled"));
    let consumer = client.persist(cancelled.clone().map(|x| x));
    soon(|| cancelled.status() == Status::Waiting).await;
    cancelled.cancel();
    assert!(consumer.compute().await.unwrap_err().is_cancelled());
    // What is dropped lets its arguments go.
    let dropped = client.persist(on_the_gpu(gauge.clone(), 3));
    drop(dropped);
    drop(holder);
    assert_eq!(client.compute(waiting).await.unwrap(), 2);
    soon(|| Arc::strong_count(&gauge) == 1).await;
    assert_eq!(gauge.most.load(SeqCst), 1);
}

#[tokio::test]
async fn a_client_that_goes_leaves_what_waits_to_another() {
    let client = Client::builder().threads_per_worker(1).resource("gpu", 1).build().unwrap();
    let gauge = Arc::new(Gauge::default());
    let _holder = hold(&client).await;
    let waiting = on_the_gpu(gauge, 1);
    let mut pending = tokio::spawn(client.compute(waiting.clone()));
    assert!(tokio::time::timeout(Duration::from_millis(20), &mut pending).await.is_err());
    drop(client);
    pending.await.unwrap().unwrap_err();
    let other = Client::builder().resource("gpu", 1).build().unwrap();
    assert_eq!(other.compute(waiting).await.unwrap(), 2);
}
