//! What the readers of events are told.

use delayed::{Client, Delayed, What, delayed};

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
