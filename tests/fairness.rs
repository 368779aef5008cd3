//! Asynchronous nodes and other tasks go on while nodes use all threads.
//!
//! The nodes that use the threads run until the other side has got where it should. If it never
//! does, they give up after `PATIENCE`, and the test fails.

use delayed::{Client, Delayed, delayed};
use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};

const PATIENCE: Duration = Duration::from_secs(60);
const STEPS: usize = 100;

/// What the two sides know of each other.
#[derive(Default)]
struct Sides {
    /// Nodes that use a thread.
    busy: AtomicUsize,
    /// The other side has started.
    started: AtomicBool,
    /// The other side is where it should be, or will never be.
    done: AtomicBool,
}

/// Uses a thread until the other side is done. False if that does not happen.
#[delayed]
fn busy(sides: Arc<Sides>) -> bool {
    sides.busy.fetch_add(1, SeqCst);
    let begin = Instant::now();
    while !sides.done.load(SeqCst) {
        if begin.elapsed() > PATIENCE {
            sides.done.store(true, SeqCst);
            return false;
        }
        std::hint::spin_loop();
    }
    true
}

/// Uses a thread for a short time.
#[delayed]
fn short() -> usize {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_micros(100) {
        std::hint::spin_loop();
    }
    1
}

/// Awaits the runtime's queue and its clock in turn.
#[delayed]
async fn many_steps(sides: Arc<Sides>) -> usize {
    sides.started.store(true, SeqCst);
    for _ in 0..STEPS / 2 {
        tokio::task::yield_now().await;
        tokio::time::sleep(Duration::from_micros(100)).await;
    }
    STEPS
}

#[delayed]
async fn one_step(before: usize) -> usize {
    tokio::task::yield_now().await;
    before + 1
}

fn chain() -> Delayed<usize> {
    (0..STEPS).fold(delayed::value(0), |x, _| one_step(x))
}

fn one_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn many_threads() -> [Runtime; 2] {
    [1, 4].map(|threads| Builder::new_multi_thread().worker_threads(threads).enable_all().build().unwrap())
}

/// Awaits `other` while nodes have all threads of the client, and then the nodes.
async fn beside_busy_nodes(client: &Client, sides: Arc<Sides>, other: impl Future<Output = usize>) {
    client.scale(1).unwrap();
    let threads = std::thread::available_parallelism().unwrap().get();
    let nodes: Vec<_> = (0..4 * threads).map(|_| busy(sides.clone())).collect();
    let nodes = client.persist(nodes);
    while sides.busy.load(SeqCst) < threads {
        tokio::task::yield_now().await;
    }
    assert_eq!(other.await, STEPS);
    sides.done.store(true, SeqCst);
    assert_eq!(client.compute(nodes).await.unwrap(), vec![true; 4 * threads]);
}

#[test]
fn an_asynchronous_node_goes_on_while_nodes_have_all_threads() {
    for runtime in many_threads().into_iter().chain([one_thread()]) {
        runtime.block_on(async {
            let client = Client::current_runtime().unwrap();
            let sides = Arc::<Sides>::default();
            let ends = tokio::spawn(client.compute(many_steps(sides.clone())));
            while !sides.started.load(SeqCst) {
                tokio::task::yield_now().await;
            }
            beside_busy_nodes(&client, sides, async { ends.await.unwrap().unwrap() }).await;
        });
    }
}

#[test]
fn an_asynchronous_node_starts_while_nodes_have_all_threads() {
    for runtime in many_threads() {
        runtime.block_on(async {
            let client = Client::current_runtime().unwrap();
            let sides = Arc::<Sides>::default();
            let ends = client.compute(many_steps(sides.clone()));
            beside_busy_nodes(&client, sides, async { ends.await.unwrap() }).await;
        });
    }
}

#[test]
#[ignore = "on a runtime without other threads it waits for a place in a loop"]
fn an_asynchronous_node_starts_on_one_thread_while_nodes_have_all_others() {
    one_thread().block_on(async {
        let client = Client::current_runtime().unwrap();
        let sides = Arc::<Sides>::default();
        let ends = client.compute(many_steps(sides.clone()));
        beside_busy_nodes(&client, sides, async { ends.await.unwrap() }).await;
    });
}

#[test]
fn a_chain_of_asynchronous_nodes_goes_on_while_nodes_have_all_threads() {
    for runtime in many_threads() {
        runtime.block_on(async {
            let client = Client::current_runtime().unwrap();
            let ends = client.compute(chain());
            beside_busy_nodes(&client, Arc::default(), async { ends.await.unwrap() }).await;
        });
    }
}

#[test]
fn a_task_of_the_runtime_goes_on_while_nodes_have_all_threads() {
    for runtime in many_threads().into_iter().chain([one_thread()]) {
        runtime.block_on(async {
            let client = Client::current_runtime().unwrap();
            let sides = Arc::<Sides>::default();
            let task = tokio::spawn(many_steps::eager(sides.clone()));
            beside_busy_nodes(&client, sides, async { task.await.unwrap() }).await;
        });
    }
}

/// Graphs of short nodes follow each other until a chain of asynchronous nodes is done.
async fn beside_short_nodes(client: &Client) {
    let done = AtomicBool::new(false);
    let begin = Instant::now();
    let graphs = async {
        while !done.load(SeqCst) && begin.elapsed() < PATIENCE {
            let sum: Delayed<usize> = (0..200).map(|_| short()).sum();
            assert_eq!(client.compute(sum).await.unwrap(), 200);
        }
        done.load(SeqCst)
    };
    let asynchronous = async {
        let steps = client.compute(chain()).await.unwrap();
        done.store(true, SeqCst);
        steps
    };
    assert_eq!(tokio::join!(graphs, asynchronous), (true, STEPS));
}

#[test]
fn a_chain_of_asynchronous_nodes_goes_on_beside_graphs_of_short_nodes() {
    for runtime in many_threads().into_iter().chain([one_thread()]) {
        runtime.block_on(async { beside_short_nodes(&Client::current_runtime().unwrap()).await });
    }
    let own = Client::builder().build().unwrap();
    one_thread().block_on(beside_short_nodes(&own));
}
