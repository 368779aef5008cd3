//! Running graphs: laziness, sharing, ownership, order, nesting.

use delayed::{Delayed, Status, call, value};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

fn inc(x: i64) -> i64 {
    x + 1
}

fn counted(count: &Arc<AtomicUsize>, x: &Delayed<i64>) -> Delayed<i64> {
    let count = count.clone();
    x.map_ref(move |x| {
        count.fetch_add(1, Ordering::Relaxed);
        x + 1
    })
}

#[test]
fn three_nodes() {
    let z = call(|a: i64, b: i64| a + b, (call(inc, (1,)), call(|x: i64| x - 1, (2,))));
    assert_eq!(z.status(), Status::Lazy);
    assert_eq!(z.wait().unwrap(), 3);
}

#[test]
fn a_shared_node_runs_once_on_every_path() {
    let count = Arc::new(AtomicUsize::new(0));
    let levels = if cfg!(miri) { 8 } else { 40 };
    let mut x = value(0);
    for _ in 0..levels {
        let (a, b) = (counted(&count, &x), counted(&count, &x));
        x = &a + &b;
    }
    assert_eq!(x.wait().unwrap(), (2 << levels) - 2);
    assert_eq!(count.load(Ordering::Relaxed), 2 * levels);
}

#[test]
#[cfg_attr(miri, ignore = "millions of nodes")]
fn a_chain_of_ten_million_runs_and_drops_on_a_small_stack() {
    std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(|| {
            let n = if cfg!(debug_assertions) { 1_000_000 } else { 10_000_000 };
            let mut x = value(0);
            for _ in 0..n {
                x = call(inc, (x,));
            }
            drop(x.clone());
            assert_eq!(x.wait().unwrap(), n);
            let mut x = value(0);
            for _ in 0..n {
                x = call(inc, (x,));
            }
            drop(x);
        })
        .unwrap()
        .join()
        .unwrap();
}

#[test]
#[cfg_attr(miri, ignore = "millions of nodes")]
fn a_large_graph_given_up_half_way_is_dropped_on_a_small_stack() {
    use std::sync::atomic::AtomicBool;
    std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(|| {
            let n = if cfg!(debug_assertions) { 1_000_000 } else { 10_000_000 };
            let (here, go) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
            let mut x = value(0);
            for i in 0..n {
                x = if i == n / 2 {
                    let (here, go) = (here.clone(), go.clone());
                    x.map(move |x| {
                        here.store(true, Ordering::SeqCst);
                        while !go.load(Ordering::SeqCst) {
                            std::thread::yield_now();
                        }
                        x + 1
                    })
                } else {
                    call(inc, (x,))
                };
            }
            let mut wish = x.compute();
            let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
            assert!(std::pin::Pin::new(&mut wish).poll(&mut cx).is_pending());
            while !here.load(Ordering::SeqCst) {
                std::thread::yield_now();
            }
            drop(wish);
            go.store(true, Ordering::SeqCst);
            let wide: Delayed<Vec<i64>> = (0..1_000_000).map(|i| call(inc, (i,))).collect();
            drop(wide);
        })
        .unwrap()
        .join()
        .unwrap();
}

#[test]
fn a_fan_in_of_a_million_runs() {
    let n = if cfg!(miri) { 70 } else { 1_000_000 };
    let all: Delayed<Vec<i64>> = (0..n).map(|i| call(inc, (i,))).collect();
    assert_eq!(all.map_ref(|v| v.iter().sum::<i64>()).wait().unwrap(), n * (n + 1) / 2);
}

#[tokio::test]
async fn the_loop_and_the_tree() {
    let n = if cfg!(miri) { 8 } else { 256 };
    let mut layer: Vec<Delayed<i64>> = (0..n)
        .map(|i| {
            let x = call(inc, (i,));
            let y = x.map_ref(|x| x - 1);
            x + y
        })
        .collect();
    layer = delayed::persist(layer);
    while layer.len() > 1 {
        layer = layer.chunks(2).map(|p| &p[0] + &p[1]).collect();
    }
    assert_eq!(delayed::compute(layer).await.unwrap(), vec![n * n]);
}

#[tokio::test]
async fn async_nodes() {
    let a = delayed::call_async(
        |x: i64| async move {
            tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            x + 1
        },
        (call(inc, (1,)),),
    );
    assert_eq!((&a + 1).compute().await.unwrap(), 4);
    assert_eq!(a.await.unwrap(), 3);
}

#[test]
fn nodes_that_compute_nodes_to_any_depth() {
    fn deep(n: i64) -> i64 {
        if n == 0 { 0 } else { call(deep, (n - 1,)).map(|x| x + 1).wait().unwrap() }
    }
    let client = delayed::Client::builder().threads_per_worker(1).build().unwrap();
    let _guard = client.enter();
    // The stack is not the limit: deep ones go on in other threads.
    for depth in if cfg!(miri) { [1, 5] } else { [100, 5_000] } {
        assert_eq!(call(deep, (depth,)).wait().unwrap(), depth);
    }
}
