//! Nodes with a priority go before or after what else is ready.

use delayed::{Client, Delayed, delayed};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

type Log = Arc<Mutex<Vec<u32>>>;

#[delayed]
fn step(number: u32, log: Log) -> u32 {
    log.lock().unwrap().push(number);
    number
}

#[delayed]
fn next(before: u32, log: Log) -> u32 {
    log.lock().unwrap().push(before + 1);
    before + 1
}

#[delayed(priority = 5)]
fn soon(number: u32, log: Log) -> u32 {
    step::eager(number, log)
}

#[delayed(priority = -5)]
fn late(number: u32, log: Log) -> u32 {
    step::eager(number, log)
}

fn one_thread() -> Client {
    Client::builder().threads_per_worker(1).build().unwrap()
}

/// The order in which one thread runs the nodes of a wish.
fn order(nodes: impl FnOnce(&Log) -> Vec<Delayed<u32>>) -> Vec<u32> {
    let log = Log::default();
    let client = one_thread();
    let _guard = client.enter();
    delayed::wait(nodes(&log)).unwrap();
    Arc::into_inner(log).unwrap().into_inner().unwrap()
}

#[test]
fn the_highest_goes_first_and_what_is_below_zero_last() {
    let order = order(|log| {
        let step = |n, priority| step(n, log.clone()).priority(priority);
        vec![step(1, 0), step(2, -1), step(3, 7), step(4, 0), step(5, 9), step(6, -2)]
    });
    assert_eq!(order, [5, 3, 1, 4, 2, 6]);
}

#[test]
fn a_function_s_priority_is_that_of_its_nodes_unless_they_have_their_own() {
    let order = order(|log| {
        vec![
            step(1, log.clone()),
            late(2, log.clone()),
            soon(3, log.clone()),
            soon(4, log.clone()).priority(0),
            late(5, log.clone()).priority(6),
        ]
    });
    assert_eq!(order, [5, 3, 1, 4, 2]);
}

#[test]
fn what_an_urgent_node_needs_goes_first_too() {
    let order = order(|log| {
        let inner = next(next(step(20, log.clone()), log.clone()), log.clone()).priority(1);
        vec![step(1, log.clone()), next(inner, log.clone()), step(2, log.clone())]
    });
    assert_eq!(order, [20, 21, 22, 1, 23, 2]);
}

#[test]
fn what_comes_after_another_node_waits_for_it_however_urgent() {
    let order = order(|log| {
        let first = step(1, log.clone());
        let second = step(2, log.clone()).priority(9).after(&first);
        vec![first, second]
    });
    assert_eq!(order, [1, 2]);
}

#[test]
#[cfg_attr(miri, ignore = "twenty thousand nodes")]
fn an_urgent_wish_overtakes_a_long_graph() {
    #[delayed]
    fn work(ends: Arc<AtomicBool>) -> bool {
        let begin = Instant::now();
        while begin.elapsed() < Duration::from_micros(100) {
            std::hint::spin_loop();
        }
        ends.load(SeqCst)
    }
    #[delayed(priority = 1)]
    fn end(ends: Arc<AtomicBool>) {
        ends.store(true, SeqCst);
    }
    let client = one_thread();
    let ends = Arc::new(AtomicBool::new(false));
    let long: Vec<_> = (0..20_000).map(|_| work(ends.clone())).collect();
    let long = client.persist(long);
    while long[0].try_get().is_none() {
        std::thread::yield_now();
    }
    let _guard = client.enter();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(client.compute(end(ends))).unwrap();
    let seen = runtime.block_on(client.compute(long)).unwrap();
    let before = seen.iter().filter(|&&ended| !ended).count();
    assert!(before < 20_000, "the urgent node came last");
}

#[test]
fn a_wish_does_not_wait_for_the_end_of_another() {
    #[delayed]
    fn work() {
        std::thread::sleep(Duration::from_millis(1));
    }
    let client = one_thread();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let n = if cfg!(miri) { 200 } else { 3_000 };
    let long = client.persist((0..n).map(|_| work()).collect::<Delayed<Vec<()>>>());
    runtime.block_on(client.compute(work())).unwrap();
    assert!(long.try_get().is_none(), "the short wish waited for the long one");
    long.cancel();
}
