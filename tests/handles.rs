//! Operators, combinators and collections of handles.

use delayed::{Delayed, Status, delayed, value};
use futures::{Stream, StreamExt};
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};

#[delayed]
fn inc(x: i64) -> i64 {
    x + 1
}

#[test]
fn operators_of_handles_and_literals() {
    let (a, b) = (inc(6), inc(2));
    let all = [
        &a + &b,
        &a - b.clone(),
        a.clone() * &b,
        &a / &b,
        &a % &b,
        &a & &b,
        &a | &b,
        &a ^ &b,
        &a << &b,
        &a >> &b,
    ];
    assert_eq!(delayed::wait(all).unwrap(), [10, 4, 21, 2, 1, 3, 7, 4, 56, 0]);
    assert_eq!(delayed::wait([&a + 1, 1 + &a, 10 - a.clone(), -&a, !&a]).unwrap(), [8, 8, 3, -7, -8]);
    assert!((value(true) & true).wait().unwrap());
    assert_eq!((value(1.5f64) * 2.0 + value(1.0)).wait().unwrap(), 4.0);
    assert_eq!((value("a".to_string()) + value("b")).wait().unwrap(), "ab");
    assert_eq!((a + b).graph().nodes.last().unwrap().line, line!());
}

#[test]
#[allow(clippy::needless_borrows_for_generic_args)]
fn map_zip_unzip_sum_collect() {
    let x = inc(1);
    assert_eq!(x.map_ref(|x| x * 2).map(|x| x + 1).wait().unwrap(), 5);
    let (a, b) = x.clone().zip(&inc(2)).unzip();
    assert_eq!(delayed::wait((a, b)).unwrap(), (2, 3));
    let (a, b, c) = value((1, "b", 2.0)).unzip();
    assert_eq!(delayed::wait((c, b, a)).unwrap(), (2.0, "b", 1));
    assert_eq!((0..10).map(inc).sum::<Delayed<i64>>().wait().unwrap(), 55);
    assert_eq!((0..3).map(inc).collect::<Delayed<Vec<_>>>().wait().unwrap(), [1, 2, 3]);
    assert_eq!([&x, &x].into_iter().collect::<Delayed<Vec<_>>>().wait().unwrap(), [2, 2]);
    assert_eq!(
        Vec::<Delayed<i64>>::new().into_iter().collect::<Delayed<Vec<_>>>().wait().unwrap(),
        [0i64; 0]
    );
}

#[test]
fn a_node_may_build_more_graph() {
    #[delayed]
    fn fibonacci(n: u64) -> Delayed<u64> {
        if n < 2 { value(n) } else { fibonacci(n - 1).flatten() + fibonacci(n - 2).flatten() }
    }
    let client = delayed::Client::builder().threads_per_worker(1).build().unwrap();
    let _guard = client.enter();
    let (n, expected) = if cfg!(miri) { (5, 5) } else { (15, 610) };
    assert_eq!(fibonacci(n).flatten().wait().unwrap(), expected);
    let failing = value(1).map(|_| value(2).map(|_| -> i32 { panic!("inside") })).flatten();
    assert_eq!(failing.wait().unwrap_err().to_string(), "`map` panicked: inside");
    // A chain of graphs that build graphs takes no stack.
    #[delayed]
    fn down(n: u64) -> Delayed<u64> {
        if n == 0 { value(0) } else { down(n - 1).flatten() + 1 }
    }
    let depth = if cfg!(miri) { 10 } else { 50_000 };
    assert_eq!(down(depth).flatten().wait().unwrap(), depth);
}

#[test]
fn results_flatten() {
    let good = value("5").map(|s| s.parse::<i64>()).flatten();
    assert_eq!(good.wait().unwrap(), 5);
    let bad = value("x").map(|s| s.parse::<i64>()).flatten().wait().unwrap_err();
    assert!(bad.downcast_ref::<std::num::ParseIntError>().is_some());
}

#[test]
fn after_orders_without_data() {
    let order = Arc::new(Mutex::new(Vec::new()));
    let step = |name: &'static str| {
        let order = order.clone();
        delayed::call(move || order.lock().unwrap().push(name), ())
    };
    let client = delayed::Client::builder().threads_per_worker(4).build().unwrap();
    let _guard = client.enter();
    for _ in 0..if cfg!(miri) { 2 } else { 50 } {
        order.lock().unwrap().clear();
        let first = step("first").map(|()| std::thread::sleep(std::time::Duration::from_micros(200)));
        let second = step("second").after(&first);
        let third = step("third").after(&second);
        delayed::wait([third, second, first]).unwrap();
        assert_eq!(*order.lock().unwrap(), ["first", "second", "third"]);
    }
    let failed = value(1).map(|_| panic!("no"));
    assert!(step("never").after(&failed.map(|()| ())).wait().is_err());
    assert!(!order.lock().unwrap().contains(&"never"));
}

#[test]
fn every_shape_is_given_back() {
    let h = |x| inc(x);
    let shape = (
        vec![h(0), h(1)],
        [h(2), h(3)],
        Some(h(4)),
        None::<Delayed<i64>>,
        HashMap::from([("a", h(5))]),
        BTreeMap::from([(1, vec![(h(6), "plain")])]),
        VecDeque::from([h(7)]),
        7u8,
        (h(8),),
    );
    let expected = (
        vec![1, 2],
        [3, 4],
        Some(5),
        None,
        HashMap::from([("a", 6)]),
        BTreeMap::from([(1, vec![(7, "plain")])]),
        VecDeque::from([8]),
        7u8,
        (9,),
    );
    let kept = delayed::persist(shape);
    assert_eq!(delayed::wait(delayed::gather(kept.clone())).unwrap(), expected);
    assert_eq!(delayed::wait(kept).unwrap(), expected);
    let v = vec![h(1), h(2)];
    assert_eq!(delayed::wait(&v).unwrap(), [2, 3]);
    assert_eq!(delayed::wait(&v[1..]).unwrap(), [3]);
    assert_eq!(delayed::wait(v.iter().collect::<Vec<_>>()).unwrap(), [2, 3]);
    assert_eq!(delayed::wait(&[&v[0], &v[1]]).unwrap(), [2, 3]);
    assert_eq!(delayed::wait((&v[0], &Some(&v[1]))).unwrap(), (2, Some(3)));
    assert_eq!(delayed::wait(&BTreeMap::from([(1, &v[0])])).unwrap(), BTreeMap::from([(1, 2)]));
    delayed::wait(()).unwrap();
    assert_eq!(delayed::wait(Vec::<Delayed<i64>>::new()).unwrap(), [0i64; 0]);
}

#[test]
fn status_and_try_get() {
    let x = inc(1);
    assert_eq!(x.status(), Status::Lazy);
    assert!(x.try_get().is_none());
    assert_eq!(*x.wait_ref().unwrap(), 2);
    assert_eq!(x.status(), Status::Done);
    assert_eq!(*x.try_get().unwrap().unwrap(), 2);
    let bad = x.map(|_| -> i64 { panic!("no") });
    assert!(bad.wait_ref().is_err());
    assert_eq!(bad.status(), Status::Failed);
    assert!(bad.try_get().unwrap().is_err());
}

#[tokio::test]
async fn handles_are_futures() {
    let x = inc(1);
    assert_eq!((&x).await.unwrap(), 2);
    let (a, b) = tokio::try_join!(inc(1).compute(), x.map_ref(|x| x + 1).compute()).unwrap();
    assert_eq!((a, b), (2, 3));
    assert_eq!(tokio::spawn(inc(3).compute()).await.unwrap().unwrap(), 4);
    assert_eq!(*x.compute_ref().await.unwrap(), 2);
    assert_eq!(x.await.unwrap(), 2);
}

#[tokio::test]
async fn as_completed_yields_what_is_done_first() {
    let go = Arc::new(AtomicBool::new(false));
    let waits = go.clone();
    let last = delayed::call_async(
        move || async move {
            while !waits.load(SeqCst) {
                tokio::task::yield_now().await;
            }
            0
        },
        (),
    );
    let bad = value(0).map(|_| -> i64 { panic!("no") });
    let handles = [last].into_iter().chain((1..5).map(inc)).chain([bad]);
    let mut stream = delayed::as_completed(handles);
    assert_eq!(stream.size_hint(), (6, Some(6)));
    let (mut values, mut failures) = (Vec::new(), 0);
    for _ in 0..5 {
        match stream.next().await.unwrap().await {
            Ok(value) => values.push(value),
            Err(_) => failures += 1,
        }
    }
    values.sort_unstable();
    assert_eq!((values, failures), (vec![2, 3, 4, 5], 1));
    go.store(true, SeqCst);
    assert_eq!(stream.next().await.unwrap().await.unwrap(), 0);
    assert!(stream.next().await.is_none());
}

#[test]
fn the_graph_can_be_inspected() {
    #[delayed]
    fn add(left: i64, right: i64) -> i64 {
        left + right
    }
    let x = inc(1);
    let z = add(&x, add(&x, 3)).named("sum");
    let graph = z.graph();
    let names: Vec<_> = graph.nodes.iter().map(|n| n.name.as_str()).collect();
    assert_eq!(names, ["inc", "add", "sum"]);
    let edges: Vec<_> = graph.edges.iter().map(|e| (e.from, e.to, &*e.param)).collect();
    assert_eq!(edges, [(0, 1, "left"), (0, 2, "left"), (1, 2, "right")]);
    assert!(graph.nodes[1].file.ends_with("handles.rs"));
    z.wait_ref().unwrap();
    let graph = z.graph();
    assert_eq!((graph.nodes.len(), graph.edges.len()), (1, 0));
    assert_eq!(graph.nodes[0].status, Status::Done);
}

#[test]
fn what_comes_after_a_node_that_waits_for_a_future_waits_without_a_thread() {
    #[delayed]
    async fn later(x: i64) -> i64 {
        for _ in 0..if cfg!(miri) { 10 } else { 100 } {
            tokio::task::yield_now().await;
        }
        x
    }
    #[delayed]
    fn plus(x: i64, y: i64) -> i64 {
        x + y
    }
    let client = delayed::Client::builder().threads_per_worker(1).build().unwrap();
    let _guard = client.enter();
    let first = plus(later(1), 1);
    let then = plus(2, 3).after(&first);
    assert_eq!(plus(then, first).wait().unwrap(), 7);
}
