//! What the readers of events are told.

use delayed::{Client, Delayed, What, delayed};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

#[delayed]
fn inc(x: i64) -> i64 {
    x + 1
}
#[delayed]
fn add(x: i64, y: i64) -> i64 {
    x + y
}

#[test]
fn a_graph() {
    let client = Client::builder().threads_per_worker(1).build().unwrap();
    let mut events = client.events();
    let _guard = client.enter();
    let z: Delayed<i64> = add(inc(1), inc(2)).named("the sum");
    assert_eq!(z.wait().unwrap(), 5);
    for event in events.read() {
        println!("{event:?}");
    }
    assert_eq!(events.lost(), 0);
    let _ = What::Demanded;
}

/// A reader may come between any two events of a thread.
#[test]
fn a_reader_that_looks_all_the_time_gets_names_and_times() {
    let client = Client::builder().threads_per_worker(1).build().unwrap();
    let mut events = client.events();
    let ended = AtomicBool::new(false);
    let all = thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut all = Vec::new();
            while !ended.load(Ordering::Acquire) {
                all.extend(events.read());
            }
            all.extend(events.read());
            all
        });
        let _guard = client.enter();
        let sum = (0..3000).fold(inc(0), |sum, _| inc(sum).named("step"));
        assert_eq!(sum.wait().unwrap(), 3001);
        ended.store(true, Ordering::Release);
        reader.join().unwrap()
    });
    let mut steps = 0;
    for event in &all {
        match &event.what {
            What::Started { node, .. } => steps += usize::from(node.name() == "step"),
            What::Needs { .. } => assert!(event.time > Duration::ZERO),
            _ => {}
        }
    }
    assert_eq!(steps, 3000);
}
