//! Clients: sizes, scaling, which one is current, and their end.

use delayed::{Client, Delayed, delayed};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::time::{Duration, Instant};

#[delayed]
fn inc(x: i64) -> i64 {
    x + 1
}

/// Nodes that run at the same time: each waits until `together` of them have started.
fn meeting(together: usize) -> Vec<Delayed<usize>> {
    let here = Arc::new(AtomicUsize::new(0));
    (0..together)
        .map(|_| {
            let here = here.clone();
            delayed::call(
                move || {
                    here.fetch_add(1, SeqCst);
                    let begin = Instant::now();
                    while here.load(SeqCst) < together && begin.elapsed() < Duration::from_secs(10) {
                        std::thread::sleep(Duration::from_millis(1));
                    }
                    here.load(SeqCst)
                },
                (),
            )
        })
        .collect()
}

#[test]
fn scaling_up_and_down_is_live() {
    let client = Client::builder().workers(1).threads_per_worker(1).build().unwrap();
    let wait = |handles: Vec<Delayed<usize>>| {
        let _guard = client.enter();
        delayed::wait(handles).unwrap()
    };
    client.scale(10).unwrap();
    assert_eq!(wait(meeting(10)), vec![10; 10]);
    client.scale(3).unwrap();
    assert_eq!(wait(meeting(3)), vec![3; 3]);
    client.scale(1).unwrap();
    let running = Arc::new(AtomicUsize::new(0));
    let alone: Vec<Delayed<usize>> = (0..20)
        .map(|_| {
            let running = running.clone();
            delayed::call(
                move || {
                    let others = running.fetch_add(1, SeqCst);
                    std::thread::sleep(Duration::from_millis(1));
                    running.fetch_sub(1, SeqCst);
                    others
                },
                (),
            )
        })
        .collect();
    // What ran before the scaling may still be ending.
    std::thread::sleep(Duration::from_millis(20));
    assert_eq!(wait(alone), vec![0; 20]);
}

#[test]
fn a_running_graph_gets_the_new_workers() {
    let client = Client::builder().threads_per_worker(1).build().unwrap();
    let _guard = client.enter();
    let all = delayed::persist(meeting(4));
    std::thread::sleep(Duration::from_millis(20));
    client.scale(4).unwrap();
    assert_eq!(delayed::wait(all).unwrap(), vec![4; 4]);
}

#[test]
fn zero_workers_are_an_error() {
    let error = Client::builder().workers(0).build().unwrap_err();
    assert!(error.to_string().contains("at least one"), "{error}");
    assert!(error.node().file().ends_with("clients.rs"));
    assert!(Client::builder().threads_per_worker(0).build().is_err());
    assert!(Client::builder().workers(usize::MAX).build().is_err());
    let client = Client::builder().build().unwrap();
    assert!(client.scale(0).is_err());
    assert!(client.scale(1_000_000).is_err());
}

#[test]
fn the_entered_client_is_used() {
    let name = || std::thread::current().name().map(str::to_owned);
    let client = Client::builder().threads_per_worker(1).build().unwrap();
    let guard = client.enter();
    let handle = delayed::call(name, ()).persist();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    assert_eq!(runtime.block_on(handle.compute()).unwrap().as_deref(), Some("delayed"));
    drop(guard);
    // Guards may be dropped in any order.
    let other = Client::builder().threads_per_worker(1).build().unwrap();
    let (a, b) = (client.enter(), other.enter());
    drop(a);
    drop(b);
    assert_eq!(inc(1).wait().unwrap(), 2);
}

#[test]
fn current_thread_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = Client::current_runtime().unwrap();
        assert_eq!(client.compute(inc(inc(1))).await.unwrap(), 3);
        let later = delayed::call_async(
            |x: i64| async move {
                tokio::time::sleep(Duration::from_millis(1)).await;
                x
            },
            (inc(1),),
        );
        let nested = later.map(|x| inc(x).wait().unwrap());
        assert_eq!(client.compute(&nested).await.unwrap(), 3);
        // This would block the only thread.
        let _guard = client.enter();
        let error = inc(1).wait().unwrap_err();
        assert!(error.to_string().contains(".await"), "{error}");
        assert_eq!(error.node().line(), line!() - 2);
    });
    // The global client has threads of its own.
    runtime.block_on(async { assert_eq!(inc(1).wait().unwrap(), 2) });
}

#[test]
fn multi_thread_runtime_with_one_thread() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let result = runtime.block_on(async {
        tokio::spawn(async {
            let client = Client::current_runtime().unwrap();
            let _guard = client.enter();
            let later = delayed::call_async(
                |x: i64| async move {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    x
                },
                (inc(1),),
            );
            later.wait().unwrap()
        })
        .await
    });
    assert_eq!(result.unwrap(), 2);
}

#[test]
fn current_runtime_needs_a_runtime() {
    assert!(Client::current_runtime().unwrap_err().to_string().contains("tokio runtime"));
}

#[test]
fn dropping_a_client_ends_its_wishes_with_an_error() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    for _ in 0..if cfg!(miri) { 2 } else { 20 } {
        let client = Client::builder().threads_per_worker(1).build().unwrap();
        let (begun, begins) = std::sync::mpsc::channel();
        let (go_on, goes_on) = std::sync::mpsc::channel();
        let slow = delayed::call(
            move || {
                begun.send(()).unwrap();
                goes_on.recv().unwrap();
                1
            },
            (),
        );
        let last = slow.map_ref(|x| x + 1);
        let later = delayed::call_async(std::future::pending::<i32>, ());
        let wish = runtime.spawn(client.compute(last.clone()));
        let other = runtime.spawn(client.compute(later.clone()));
        begins.recv().unwrap();
        let begin = Instant::now();
        drop(client);
        assert!(begin.elapsed() < Duration::from_secs(1));
        go_on.send(()).unwrap();
        let error = runtime.block_on(wish).unwrap().unwrap_err();
        assert!(error.to_string().contains("shut down"), "{error}");
        assert!(runtime.block_on(other).unwrap().is_err());
        // The value of what was running is kept, and another client goes on.
        assert_eq!(last.wait().unwrap(), 2);
    }
}

#[test]
fn a_wish_of_a_dropped_client_is_an_error() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = Client::builder().threads_per_worker(1).build().unwrap();
    let wish = client.compute(inc(1).map(|x| x + 1));
    drop(client);
    assert!(runtime.block_on(wish).unwrap_err().to_string().contains("shut down"));
}

#[test]
fn a_client_can_be_dropped_inside_a_node_and_inside_async_code() {
    let client = Client::builder().threads_per_worker(1).build().unwrap();
    let node = delayed::call(
        move || {
            let inner = client.compute(inc(1));
            drop(client);
            drop(inner);
            5
        },
        (),
    );
    assert_eq!(node.wait().unwrap(), 5);
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let client = Client::builder().threads_per_worker(1).build().unwrap();
        assert_eq!(client.compute(inc(1)).await.unwrap(), 2);
        drop(client);
    });
}

#[test]
fn a_runtime_that_ends_ends_the_wishes_of_its_client() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = runtime.block_on(async { Client::current_runtime().unwrap() });
    runtime.shutdown_background();
    let other = tokio::runtime::Runtime::new().unwrap();
    let error = other.block_on(client.compute(delayed::call(|| 1, ()))).unwrap_err();
    assert!(error.to_string().contains("shut down"), "{error}");
}

#[test]
fn dropping_a_runtime_with_an_idle_client_does_not_hang() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let client = runtime.block_on(async {
        let client = Client::current_runtime().unwrap();
        let slow = delayed::call(|| std::thread::sleep(Duration::from_millis(1)), ());
        client.compute(slow).await.unwrap();
        client
    });
    drop(runtime);
    drop(client);
}

#[test]
fn blocking_inside_nodes_in_every_way() {
    let client = Client::builder().threads_per_worker(1).build().unwrap();
    let _guard = client.enter();
    let handle = delayed::call(
        || {
            let slow = |x: i64| {
                delayed::call(
                    move || {
                        std::thread::sleep(Duration::from_millis(2));
                        x
                    },
                    (),
                )
            };
            let a = slow(1).wait().unwrap();
            let b = futures::executor::block_on(slow(2).compute()).unwrap();
            let later = delayed::call_async(
                || async {
                    tokio::time::sleep(Duration::from_millis(2)).await;
                    3
                },
                (),
            );
            let c = futures::executor::block_on(later.compute()).unwrap();
            let d = slow(4).persist().wait().unwrap();
            a + b + c + d
        },
        (),
    );
    assert_eq!(handle.wait().unwrap(), 10);
}

#[test]
#[cfg_attr(miri, ignore = "no function is short there")]
fn a_short_function_that_becomes_long_is_shared() {
    #[delayed]
    fn meet(here: Option<Arc<AtomicUsize>>) -> usize {
        let Some(here) = here else { return 0 };
        here.fetch_add(1, SeqCst);
        let begin = Instant::now();
        while here.load(SeqCst) < 4 && begin.elapsed() < Duration::from_secs(10) {
            std::thread::sleep(Duration::from_millis(1));
        }
        here.load(SeqCst)
    }
    let client = Client::builder().threads_per_worker(4).build().unwrap();
    let _guard = client.enter();
    assert_eq!(delayed::wait((0..10_000).map(|_| meet(None)).collect::<Vec<_>>()).unwrap(), [0; 10_000]);
    // One call has to be long before anybody knows: this one ends when the other thread comes.
    let slow = Arc::new(AtomicUsize::new(2));
    let late = slow.clone();
    std::thread::spawn(move || {
        while late.load(SeqCst) < 3 {
            std::thread::yield_now();
        }
        std::thread::sleep(Duration::from_millis(5));
        late.fetch_add(1, SeqCst);
    });
    assert!(meet(Some(slow)).wait().unwrap() >= 4);
    let here = Arc::new(AtomicUsize::new(0));
    let four: Vec<_> = (0..4).map(|_| meet(Some(here.clone()))).collect();
    assert_eq!(delayed::wait(four).unwrap(), [4; 4]);
}

#[test]
fn nodes_that_wait_on_a_current_thread_runtime() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = Client::current_runtime().unwrap();
        for _ in 0..if cfg!(miri) { 5 } else { 200 } {
            let nested = inc(1).map(|x| inc(x).wait().unwrap());
            assert_eq!(client.compute(nested).await.unwrap(), 3);
        }
    });
}

#[test]
fn two_futures_inside_a_node_on_one_thread() {
    let client = Client::builder().threads_per_worker(1).build().unwrap();
    let node = delayed::call(
        || {
            let later = delayed::call_async(
                || async {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                    1
                },
                (),
            );
            let a = later.map(|x| x + 1);
            let b = delayed::call(|| std::thread::sleep(Duration::from_millis(5)), ());
            let (a, b) = futures::executor::block_on(futures::future::join(a.compute(), b.compute()));
            b.unwrap();
            a.unwrap()
        },
        (),
    );
    assert_eq!(futures::executor::block_on(client.compute(node)).unwrap(), 2);
}

#[test]
fn loops_are_counted_right_when_short_functions_block() {
    #[delayed]
    fn sometimes(x: i64, blocks: bool) -> i64 {
        if !blocks {
            return x + 1;
        }
        let later = delayed::call_async(
            || async {
                tokio::time::sleep(Duration::from_millis(5)).await;
                1
            },
            (),
        );
        futures::executor::block_on(later.map(|x| x + 1).compute()).unwrap()
    }
    let client = Client::builder().threads_per_worker(1).build().unwrap();
    let _guard = client.enter();
    let mut x = delayed::value(0);
    for _ in 0..if cfg!(miri) { 5 } else { 1_000 } {
        x = sometimes(x, false);
    }
    x.wait().unwrap();
    assert_eq!(sometimes(1, true).wait().unwrap(), 2);
    assert_eq!(delayed::call(|| 3, ()).persist().wait().unwrap(), 3);
    assert_eq!(futures::executor::block_on(delayed::call(|| 4, ()).compute()).unwrap(), 4);
}

#[test]
fn a_drop_that_waits_ends_when_its_client_is_gone() {
    struct Waits(Arc<AtomicUsize>);
    impl Drop for Waits {
        fn drop(&mut self) {
            self.0.fetch_add(1 + usize::from(delayed::call(|| 1, ()).wait().is_ok()), SeqCst);
        }
    }
    let (started, go, dropped) =
        (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let client = Client::builder().threads_per_worker(1).build().unwrap();
    let value = delayed::value(Waits(dropped.clone()));
    let (s, g) = (started.clone(), go.clone());
    let node = client.persist(delayed::call(
        move || {
            s.store(1, SeqCst);
            while g.load(SeqCst) == 0 {
                std::thread::yield_now();
            }
            drop(value);
        },
        (),
    ));
    while started.load(SeqCst) == 0 {
        std::thread::yield_now();
    }
    drop(client);
    go.store(1, SeqCst);
    while dropped.load(SeqCst) == 0 {
        std::thread::yield_now();
    }
    drop(node);
}

#[test]
fn threads_that_nodes_start_may_wait() {
    #[delayed]
    fn scoped() -> i64 {
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|i| scope.spawn(move || inc(i).wait().unwrap())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        })
    }
    let (rounds, n) = if cfg!(miri) { (1, 2) } else { (20, 8) };
    for _ in 0..rounds {
        assert_eq!((0..n).map(|_| scoped()).sum::<Delayed<i64>>().wait().unwrap(), 10 * n);
    }
}

#[test]
fn waiting_inside_an_asynchronous_node_is_an_error() {
    #[delayed]
    async fn waits() -> Result<i64, delayed::Error> {
        inc(1).wait()
    }
    assert!(waits().wait().unwrap_err().to_string().contains(".await"));
}

#[test]
fn a_closure_that_waits_before_its_future_is_there_gets_an_error() {
    let client = Client::builder().threads_per_worker(2).build().unwrap();
    let gate = Arc::new(AtomicBool::new(false));
    let (begun, is_begun) = std::sync::mpsc::channel();
    let opened = gate.clone();
    let input = delayed::call(
        move || {
            begun.send(()).unwrap();
            while !opened.load(SeqCst) {
                std::thread::sleep(Duration::from_millis(1));
            }
            1
        },
        (),
    );
    // The thread that runs the input is the one that needs it for `more`, and starts `waits`.
    let more = inc(&input);
    let other = more.clone();
    let waits = move |_: i64| {
        let waited = other.wait_ref().map(|x| *x);
        async move { waited.is_err() }
    };
    let waits = delayed::call_async(waits, (&input,));
    let (end, ended) = std::sync::mpsc::channel();
    let more = client.persist(more);
    is_begun.recv().unwrap();
    let waits = client.persist(waits);
    std::thread::sleep(Duration::from_millis(20));
    gate.store(true, SeqCst);
    std::thread::spawn(move || {
        let _guard = client.enter();
        end.send((more.wait().unwrap(), waits.wait().unwrap())).unwrap();
    });
    assert_eq!(ended.recv_timeout(Duration::from_secs(10)), Ok((2, true)));
}

#[test]
fn asynchronous_nodes_do_not_queue_behind_others() {
    let client = Client::builder().threads_per_worker(1).build().unwrap();
    let go = Arc::new(AtomicUsize::new(0));
    let waits = go.clone();
    let busy = client.persist(delayed::call(
        move || {
            while waits.load(SeqCst) == 0 {
                std::thread::yield_now();
            }
        },
        (),
    ));
    let later = delayed::call_async(|| async { 1 }, ());
    assert_eq!(futures::executor::block_on(client.compute(later)).unwrap(), 1);
    go.store(1, SeqCst);
    futures::executor::block_on(client.compute(busy)).unwrap();
}

#[test]
fn a_thread_that_waits_beside_the_loops_lends_no_place() {
    let client = Client::builder().threads_per_worker(1).build().unwrap();
    let _guard = client.enter();
    let (started, go) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (s, g) = (started.clone(), go.clone());
    let busy = delayed::call(
        move || {
            s.store(1, SeqCst);
            while g.load(SeqCst) == 0 {
                std::thread::yield_now();
            }
        },
        (),
    )
    .persist();
    while started.load(SeqCst) == 0 {
        std::thread::yield_now();
    }
    // The only loop is busy, so this thread runs the node itself; the loop ends meanwhile.
    let node = delayed::call(
        move || {
            go.store(1, SeqCst);
            std::thread::sleep(Duration::from_millis(20));
            let later = delayed::call_async(
                || async {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    1
                },
                (),
            );
            later.map(|x| x + 1).wait().unwrap()
        },
        (),
    );
    assert_eq!(node.wait().unwrap(), 2);
    busy.wait().unwrap();
}
