//! What readers of events are told.

mod support;

use delayed::event::{Runs, What};
use delayed::{Client, Delayed, Event, Status, delayed};
use futures::executor::block_on;
use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Barrier, Mutex, MutexGuard};
use std::thread;
use std::time::Duration;
use support::{expect_panics, until};

#[delayed]
fn inc(x: i64) -> i64 {
    x + 1
}
#[delayed]
fn add(x: i64, y: i64) -> i64 {
    x + y
}
#[delayed]
fn total(numbers: &[i64]) -> i64 {
    numbers.iter().sum()
}
#[delayed]
fn parse(text: &str) -> Result<i64, std::num::ParseIntError> {
    text.parse()
}
#[delayed(blocking)]
fn read(x: i64) -> Vec<i64> {
    Vec::with_capacity(x as usize)
}
#[delayed]
async fn fetch(x: i64) -> i64 {
    tokio::time::sleep(Duration::from_millis(1)).await;
    x
}

fn client(threads: usize) -> Client {
    Client::builder().threads_per_worker(threads).build().unwrap()
}

/// Readers hear of all nodes that are made and released, so tests take turns.
fn alone() -> MutexGuard<'static, ()> {
    static TURN: Mutex<()> = Mutex::new(());
    TURN.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// What the events say of each node.
#[derive(Debug, Default)]
struct Told {
    name: String,
    file: &'static str,
    built: usize,
    demanded: usize,
    started: Vec<Runs>,
    needs: Vec<(u64, &'static str, String)>,
    finished: Vec<u64>,
    failed: Vec<String>,
    released: usize,
    /// The events in the order in which they were told.
    order: String,
}

fn told(events: &[Event]) -> HashMap<u64, Told> {
    let mut told: HashMap<u64, Told> = HashMap::new();
    for event in events {
        let of = told.entry(event.node).or_default();
        match &event.what {
            What::Built { node, .. } => {
                of.built += 1;
                of.name = node.name().to_owned();
                of.order.push('b');
            }
            What::Demanded => {
                of.demanded += 1;
                of.order.push('d');
            }
            What::Started { node, runs, .. } => {
                of.started.push(*runs);
                of.name = node.name().to_owned();
                of.file = node.file();
                of.order.push('s');
            }
            What::Needs { input, from, param, .. } => of.needs.push((*input, param, from.name().to_owned())),
            What::Finished { bytes, .. } => {
                of.finished.push(*bytes);
                of.order.push('f');
            }
            What::Failed { error, .. } => {
                of.failed.push(error.as_deref().unwrap_or("lost").to_owned());
                of.order.push('e');
            }
            What::Released => {
                of.released += 1;
                of.order.push('r');
            }
            other => panic!("{other:?}"),
        }
    }
    told
}

fn named<'t>(told: &'t HashMap<u64, Told>, name: &str) -> Vec<&'t Told> {
    told.values().filter(|of| of.name == name).collect()
}

#[test]
fn each_node_has_its_events_in_their_order() {
    let _alone = alone();
    let client = client(1);
    let mut events = client.events();
    let _guard = client.enter();
    let z = add(inc(1), inc(2)).named("the sum");
    assert_eq!(z.wait().unwrap(), 5);
    let told = told(&events.read());
    assert_eq!(events.lost(), 0);
    assert_eq!(told.len(), 3);
    let [sum] = named(&told, "the sum")[..] else { panic!("{told:?}") };
    assert_eq!(sum.order, "bdsfr");
    assert_eq!(sum.finished, [8]);
    assert_eq!(sum.started, [Runs::Here]);
    assert_eq!(sum.file, file!());
    assert_eq!(
        sum.needs.iter().map(|(_, param, of)| (*param, &**of)).collect::<Vec<_>>(),
        [("x", "inc"), ("y", "inc")]
    );
    for (input, ..) in &sum.needs {
        assert_eq!(told[input].order, "bsfr");
    }
}

#[test]
fn wide_inputs_are_told_one_by_one() {
    let _alone = alone();
    let client = client(2);
    let mut events = client.events();
    let _guard = client.enter();
    let leaves: Vec<Delayed<i64>> = (0..1000).map(inc).collect();
    assert_eq!(total(leaves).wait().unwrap(), 500_500);
    let told = told(&events.read());
    assert_eq!(told.len(), 1001);
    let [total] = named(&told, "total")[..] else { panic!() };
    assert_eq!(total.needs.len(), 1000);
    for (input, param, from) in &total.needs {
        assert_eq!((*param, &**from, &*told[input].order), ("numbers", "inc", "bsfr"));
    }
    // They were made one after the other, on one thread.
    assert!(total.needs.is_sorted_by_key(|(input, ..)| *input));
}

#[test]
fn how_nodes_run_and_what_they_hold() {
    let _alone = alone();
    let client = client(1);
    let mut events = client.events();
    let _guard = client.enter();
    let values = block_on(client.compute((fetch(3), read(100), parse("17")))).unwrap();
    assert_eq!((values.0, values.2), (3, 17));
    let all = events.read();
    assert!(all.is_sorted_by_key(|event| event.time));
    assert!(all.last().unwrap().time <= events.now());
    let told = told(&all);
    let ran = |name: &str| {
        let [of] = named(&told, name)[..] else { panic!("{name}") };
        assert_eq!(of.order, "bdsfr", "{name}");
        (of.started[0], of.finished[0])
    };
    assert_eq!(ran("fetch"), (Runs::Async, 8));
    assert_eq!(ran("read"), (Runs::Blocking, 24 + 800));
    assert_eq!(ran("parse"), (Runs::Here, 8));
}

#[test]
fn failures_say_why_and_who_never_started() {
    let _alone = alone();
    expect_panics();
    let client = client(1);
    let mut events = client.events();
    let _guard = client.enter();
    add(parse("no number"), inc(1)).wait().unwrap_err();
    inc(inc(1).map(|_| panic!("on purpose"))).wait().unwrap_err();
    let given_up = inc(7);
    given_up.cancel();
    let told = told(&events.read());
    let [parse] = named(&told, "parse")[..] else { panic!("{told:?}") };
    assert_eq!(parse.order, "bser");
    assert!(parse.failed[0].contains("invalid digit"), "{:?}", parse.failed);
    let [add] = named(&told, "add")[..] else { panic!("{told:?}") };
    assert_eq!(add.order, "bder");
    assert_eq!(add.needs[0].2, "parse");
    let [map] = named(&told, "map")[..] else { panic!("{told:?}") };
    assert_eq!(map.order, "bser");
    assert!(map.failed[0].contains("on purpose"));
    let cancelled = told.values().find(|of| of.order == "be").expect("its handle is still there");
    assert!(cancelled.failed[0].contains("cancelled"), "{:?}", cancelled.failed);
    drop(given_up);
}

#[test]
fn a_node_that_is_cancelled_says_so_once() {
    let _alone = alone();
    let client = client(1);
    let events = RefCell::new((client.events(), Vec::new()));
    let _guard = client.enter();
    let endless = || -> Delayed<i64> { delayed::call_async(std::future::pending, ()) };
    let late = endless().timeout(Duration::from_millis(1)).named("late");
    let error = late.wait().unwrap_err();
    assert!(error.is_timeout());
    drop(error);
    let never = endless().persist();
    until("it runs", || never.status() == Status::Running);
    never.cancel();
    until("it has ended", || never.try_get().is_some());
    drop(never);
    until("both are released", || {
        let (events, all) = &mut *events.borrow_mut();
        all.extend(events.read());
        told(all).values().filter(|of| of.demanded == 1 && of.released == 1).count() == 2
    });
    let told = told(&events.into_inner().1);
    for (name, why) in [("late", "took longer than 1ms"), ("call_async", "cancelled")] {
        let [of] = named(&told, name)[..] else { panic!("{told:?}") };
        assert_eq!((of.failed.len(), of.finished.len()), (1, 0), "{of:?}");
        assert!(of.failed[0].contains(why), "{of:?}");
    }
}

#[test]
fn a_node_that_makes_more_graph_starts_twice() {
    let _alone = alone();
    let client = client(1);
    let mut events = client.events();
    let _guard = client.enter();
    assert_eq!(inc(1).map(inc).flatten().wait().unwrap(), 3);
    let told = told(&events.read());
    let [flatten] = named(&told, "flatten")[..] else { panic!("{told:?}") };
    assert_eq!(flatten.order, "bdssfr");
    let needs: Vec<&str> = flatten.needs.iter().map(|(_, _, from)| &**from).collect();
    assert_eq!(needs, ["map", "inc"]);
}

#[test]
fn what_was_made_before_is_told_from_its_start() {
    let _alone = alone();
    let client = client(1);
    let _guard = client.enter();
    let z = add(inc(1), delayed::value(5));
    let mut events = client.events();
    assert_eq!(z.wait().unwrap(), 7);
    let told = told(&events.read());
    let [add] = named(&told, "add")[..] else { panic!("{told:?}") };
    assert_eq!(add.order, "dsfr");
    assert_eq!(add.needs.iter().map(|(_, _, from)| &**from).collect::<Vec<_>>(), ["inc", "value"]);
    assert_eq!(told[&add.needs[0].0].order, "sfr");
    assert_eq!(told[&add.needs[1].0].order, "r");
}

#[test]
fn a_reader_hears_of_its_own_client() {
    let _alone = alone();
    let (one, other) = (client(1), client(1));
    let (mut of_one, mut of_other, mut of_all) = (one.events(), other.events(), delayed::events());
    block_on(one.compute(inc(1))).unwrap();
    block_on(other.compute(add(1, 2))).unwrap();
    let started = |events: &[Event]| {
        let names = events.iter().filter_map(|event| match &event.what {
            What::Started { node, .. } => Some(node.name().to_owned()),
            _ => None,
        });
        names.collect::<Vec<_>>()
    };
    assert_eq!(started(&of_one.read()), ["inc"]);
    assert_eq!(started(&of_other.read()), ["add"]);
    // Other tests run at the same time.
    let all = started(&of_all.read());
    assert!(["inc", "add"].iter().all(|name| all.iter().any(|of| of == name)));
}

#[test]
fn a_slow_reader_counts_what_it_lost() {
    let _alone = alone();
    let client = client(1);
    let mut events = client.events();
    let _guard = client.enter();
    for _ in 0..200 {
        let leaves: Vec<Delayed<i64>> = (0..1000).map(inc).collect();
        total(leaves).wait().unwrap();
    }
    let read = events.read().len() as u64;
    assert!(events.lost() > 0);
    // Each leaf was built, started, needed, finished and released.
    assert!(read + events.lost() >= 200 * 5000, "{read} and {} lost", events.lost());
    assert!(read >= 10_000, "{read}");
    assert_eq!(inc(1).wait().unwrap(), 2);
    let lost = events.lost();
    assert_eq!(named(&told(&events.read()), "inc").len(), 1);
    assert_eq!(events.lost(), lost);
}

#[test]
fn events_of_threads_that_have_ended_are_there() {
    let _alone = alone();
    let mut events = delayed::events();
    let (name, ended) = ("a node of a thread that has ended", std::sync::mpsc::channel::<()>());
    thread::spawn(move || {
        inc(5).named(name).wait().unwrap();
        drop(ended.0);
    });
    ended.1.recv().unwrap_err();
    assert_eq!(named(&told(&events.read()), name)[0].order, "bdsfr");
}

#[test]
fn threads_end_while_readers_come_and_go() {
    let _alone = alone();
    let (rounds, many) = if cfg!(miri) { (2, 4) } else { (60, 40) };
    thread::scope(|scope| {
        let ending = scope.spawn(|| {
            for _ in 0..rounds {
                let all_ready = Barrier::new(many);
                thread::scope(|scope| {
                    for at in 0..many {
                        let all_ready = &all_ready;
                        scope.spawn(move || {
                            // Rings of two sizes.
                            (0..if at % 2 == 0 { 10 } else { 1000 }).for_each(|x| drop(inc(x)));
                            all_ready.wait();
                        });
                    }
                });
            }
        });
        while !ending.is_finished() {
            delayed::events().read();
        }
        ending.join().unwrap();
    });
}

#[test]
fn counts_are_exact_where_a_reader_is_slow() {
    let _alone = alone();
    let events = delayed::events();
    let client = client(2);
    let _guard = client.enter();
    let built = 100 * (1000 + 1);
    for _ in 0..100 {
        total((0..1000).map(inc).collect::<Vec<_>>()).wait().unwrap();
    }
    parse("no number").wait().unwrap_err();
    let counts = events.counts();
    assert_eq!((counts.built, counts.started, counts.finished), (built + 1, built + 1, built));
    assert_eq!((counts.failed, counts.released), (1, built + 1));
}

#[test]
fn metrics_count_from_the_first_call() {
    let _alone = alone();
    let value = |text: &str, name: &str| -> u64 {
        let line =
            text.lines().find(|line| line.starts_with(name)).unwrap_or_else(|| panic!("{name} in {text}"));
        line.rsplit(' ').next().unwrap().parse().unwrap()
    };
    delayed::metrics();
    let client = client(3);
    let before = delayed::metrics();
    block_on(client.compute(add(inc(1), 2))).unwrap();
    block_on(client.compute(parse("?"))).unwrap_err();
    let after = delayed::metrics();
    let more = |name: &str| value(&after, name) - value(&before, name);
    assert_eq!(more("delayed_nodes_built_total"), 3);
    assert_eq!(more("delayed_nodes_started_total"), 3);
    assert_eq!(more("delayed_nodes_finished_total"), 2);
    assert_eq!(more("delayed_nodes_failed_total"), 1);
    assert_eq!(more("delayed_nodes_released_total"), 3);
    let threads: Vec<&str> = after.lines().filter(|line| line.starts_with("delayed_threads{")).collect();
    assert!(threads.iter().any(|line| line.ends_with(" 3")), "{after}");
    // Each line is a comment or a sample: a name, labels perhaps, one number.
    for line in after.lines().filter(|line| !line.starts_with('#')) {
        let (name, number) = line.rsplit_once(' ').unwrap();
        assert!(name.starts_with("delayed_") && number.parse::<u64>().is_ok(), "{line}");
    }
}

/// A reader may come between any two events of a thread.
#[test]
fn a_reader_that_looks_all_the_time_gets_names_and_times() {
    let client = client(1);
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
