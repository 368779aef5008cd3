//! Clients that are dropped in the middle of their work, wherever that happens: nothing hangs, nothing
//! aborts, and who waits gets an error.

mod support;

use delayed::{Client, Delayed, Error, Status, delayed};
use futures::StreamExt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex, OnceLock};
use std::task::{Context, Poll, Wake, Waker};
use support::{HANGS, expect_panics, panic_on_purpose, until};
use tokio::runtime::Runtime;

/// Of clients.
const THREADS: &[usize] = if cfg!(miri) { &[2] } else { &[1, 2, 4] };

fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| Runtime::new().unwrap())
}

/// What a future gives, if it does not hang.
#[track_caller]
fn end<F: Future>(future: F) -> F::Output {
    runtime().block_on(async { tokio::time::timeout(HANGS, future).await }).expect("it hangs")
}

#[track_caller]
fn check_shut_down<T>(result: Result<T, Error>) {
    let Err(error) = result else { panic!("the client was dropped before there was a value") };
    assert!(error.to_string().contains("shut down"), "{error:?}");
}

/// Where a node finds the client that it drops.
#[derive(Clone, Default)]
struct Place(Arc<Mutex<Option<Client>>>);

impl Place {
    /// Waits until there is one.
    fn drop_client(&self) {
        until("somebody leaves the client here", || self.0.lock().unwrap().is_some());
        drop(self.0.lock().unwrap().take());
    }

    fn leave(&self, client: Client) {
        *self.0.lock().unwrap() = Some(client);
    }
}

/// A client of its own, with a wish for something that never comes.
struct Doomed {
    client: Client,
    never: tokio::task::JoinHandle<Result<(), Error>>,
}

fn doomed(threads: usize) -> Doomed {
    let client = Client::builder().threads_per_worker(threads).build().unwrap();
    let pending = delayed::call_async(std::future::pending::<()>, ());
    let never = runtime().spawn(client.compute(pending.map_ref(|()| ())));
    until("the future runs", || pending.status() == Status::Running);
    Doomed { client, never }
}

#[delayed]
fn drops_its_client(place: Place) -> i64 {
    place.drop_client();
    1
}
#[delayed(blocking)]
fn drops_its_client_apart(place: Place) -> i64 {
    place.drop_client();
    1
}
#[delayed]
async fn drops_its_client_later(place: Place, waits: bool) -> i64 {
    place.drop_client();
    if waits {
        std::future::pending::<()>().await;
    }
    1
}
#[delayed]
fn inc(x: i64) -> i64 {
    x + 1
}

/// Drops the client of a node while the node runs; gives the node and its consumer.
fn drop_client_inside(threads: usize, node: impl FnOnce(Place) -> Delayed<i64>) -> [Delayed<i64>; 2] {
    let Doomed { client, never } = doomed(threads);
    let place = Place::default();
    let node = node(place.clone());
    let last = inc(&node);
    let wish = runtime().spawn(client.compute(last.clone()));
    until("the node runs", || node.status() == Status::Running);
    place.leave(client);
    check_shut_down(end(wish).unwrap());
    check_shut_down(end(never).unwrap());
    [node, last]
}

#[test]
fn a_node_may_drop_the_client_that_runs_it() {
    let nodes: [fn(Place) -> Delayed<i64>; 3] = [
        |place| drops_its_client(place),
        |place| drops_its_client_apart(place),
        |place| drops_its_client_later(place, false),
    ];
    for &threads in THREADS {
        for node in nodes {
            let [node, last] = drop_client_inside(threads, node);
            // What was running has ended, its value is kept, and another client goes on.
            assert_eq!(last.wait().unwrap(), 2);
            assert_eq!(node.wait().unwrap(), 1);
        }
    }
}

#[test]
fn a_future_that_drops_its_client_ends_at_its_next_await() {
    for &threads in THREADS {
        let [node, last] = drop_client_inside(threads, |place| drops_its_client_later(place, true));
        check_shut_down(node.wait());
        check_shut_down(last.wait());
    }
}

#[test]
fn a_client_may_be_dropped_in_asynchronous_code_with_wishes_left() {
    let drop_it = || async {
        let client = Client::builder().threads_per_worker(1).build().unwrap();
        let mut wish = client.compute(delayed::call_async(std::future::pending::<i64>, ()));
        assert!(futures::poll!(&mut wish).is_pending());
        drop(client);
        check_shut_down(tokio::time::timeout(HANGS, wish).await.expect("it hangs"));
    };
    end(drop_it());
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(drop_it());
    // On a runtime of a client, whose blocking threads include those that run nodes.
    let client = Client::builder().threads_per_worker(1).build().unwrap();
    end(client.compute(delayed::call_async(drop_it, ()))).unwrap();
}

#[test]
fn a_client_may_be_dropped_while_a_thread_unwinds() {
    expect_panics();
    let Doomed { client, never } = doomed(2);
    let unwinds = catch_unwind(AssertUnwindSafe(|| {
        let client = client;
        let _guard = client.enter();
        panic_on_purpose()
    }));
    assert!(unwinds.is_err());
    check_shut_down(end(never).unwrap());
}

#[test]
fn a_node_that_panics_may_drop_its_client_while_it_unwinds() {
    struct DropsClient(Place);
    impl Drop for DropsClient {
        fn drop(&mut self) {
            assert!(std::thread::panicking());
            self.0.drop_client();
        }
    }
    #[delayed]
    fn panics(place: Place) -> i64 {
        let _drops = DropsClient(place);
        panic_on_purpose()
    }
    #[delayed]
    async fn panics_later(place: Place) -> i64 {
        let _drops = DropsClient(place);
        panic_on_purpose()
    }
    expect_panics();
    let nodes: [fn(Place) -> Delayed<i64>; 2] = [|place| panics(place), |place| panics_later(place)];
    for node in nodes {
        let Doomed { client, never } = doomed(1);
        let place = Place::default();
        let node = node(place.clone());
        let wish = runtime().spawn(client.compute(inc(&node)));
        until("the node runs", || node.status() == Status::Running);
        place.leave(client);
        assert!(end(wish).unwrap().is_err());
        check_shut_down(end(never).unwrap());
        let error = node.wait().unwrap_err();
        assert!(error.is_panic(), "{error:?}");
    }
}

#[test]
fn the_drop_of_a_value_may_drop_the_client() {
    struct Owner(Place);
    impl Drop for Owner {
        fn drop(&mut self) {
            self.0.drop_client();
        }
    }
    #[delayed]
    fn own(place: Place) -> Owner {
        Owner(place)
    }
    #[delayed]
    fn eat(_owner: Owner) -> i64 {
        1
    }
    #[delayed]
    fn look(_owner: &Owner) -> i64 {
        1
    }
    // Dropped by a function, and by the node after its last reader.
    let nodes: [fn(Place) -> Delayed<i64>; 2] = [|place| eat(own(place).sole()), |place| look(own(place))];
    for node in nodes {
        let Doomed { client, never } = doomed(1);
        let place = Place::default();
        let node = node(place.clone());
        let mut wish = client.compute(inc(&node));
        runtime().block_on(async { assert!(futures::poll!(&mut wish).is_pending()) });
        place.leave(client);
        if let Err(error) = end(wish) {
            check_shut_down(Err::<i64, _>(error));
        }
        check_shut_down(end(never).unwrap());
        assert_eq!(node.wait().unwrap(), 1);
    }
}

#[test]
fn a_waker_may_drop_the_client() {
    struct Waking(Place);
    impl Wake for Waking {
        fn wake(self: Arc<Self>) {
            self.0.drop_client();
        }
    }
    let Doomed { client, never } = doomed(1);
    let (place, gate) = (Place::default(), Arc::new(AtomicBool::new(false)));
    let opened = gate.clone();
    let node = delayed::call(move || until("the gate opens", || opened.load(SeqCst)), ());
    let mut wish = client.compute(node.map(|()| 1));
    let waker = Waker::from(Arc::new(Waking(place.clone())));
    assert!(std::pin::Pin::new(&mut wish).poll(&mut Context::from_waker(&waker)).is_pending());
    place.leave(client);
    gate.store(true, SeqCst);
    check_shut_down(end(never).unwrap());
    assert_eq!(end(wish).unwrap(), 1);
}

#[test]
fn a_client_may_be_dropped_inside_the_first_poll_of_its_wish() {
    #[delayed]
    fn perhaps(place: Option<Place>) -> i64 {
        place.map_or(1, |place| {
            place.drop_client();
            2
        })
    }
    for _ in 0..if cfg!(miri) { 1 } else { 20 } {
        let Doomed { client, never } = doomed(1);
        // Known to be short, it runs where it is polled.
        let n = if cfg!(miri) { 3 } else { 100 };
        end(client.compute((0..n).map(|_| perhaps(None)).collect::<Vec<_>>())).unwrap();
        let place = Place::default();
        let node = perhaps(Some(place.clone()));
        let mut wish = client.compute(inc(&node));
        place.leave(client);
        let first = runtime().block_on(async { futures::poll!(&mut wish) });
        let result = match first {
            Poll::Ready(result) => result,
            Poll::Pending => end(wish),
        };
        if let Err(error) = result {
            check_shut_down(Err::<i64, _>(error));
        }
        check_shut_down(end(never).unwrap());
        assert_eq!(node.wait().unwrap(), 2);
    }
}

#[test]
fn every_kind_of_wish_ends_with_its_client() {
    let never = || delayed::call_async(std::future::pending::<i64>, ());
    let Doomed { client, never: wish } = doomed(2);
    let (done, kept, referred) = (inc(1), never().map(|x| x), never());
    let guard = client.enter();
    let kept = kept.persist();
    let mut settled = delayed::settle((done.clone(), never()));
    let mut all = delayed::compute(vec![never(), inc(1)]);
    let mut reference = referred.compute_ref();
    let mut stream = delayed::as_completed([never(), inc(2)]);
    runtime().block_on(async {
        assert!(futures::poll!(&mut settled).is_pending());
        assert!(futures::poll!(&mut all).is_pending());
        assert!(futures::poll!(&mut reference).is_pending());
    });
    drop(guard);
    assert_eq!(end(stream.next()).unwrap().try_get().unwrap().as_deref().ok(), Some(&3));
    until("one of the settled handles is done", || done.status() == Status::Done);
    drop(client);
    let (one, other) = end(settled);
    assert_eq!(one.unwrap(), 2);
    check_shut_down(other);
    check_shut_down(end(all));
    check_shut_down(end(reference));
    assert!(end(stream.next()).is_some());
    assert!(end(stream.next()).is_none());
    check_shut_down(end(wish).unwrap());
    check_shut_down(kept.wait());
}

#[test]
fn a_node_that_waits_for_what_its_client_will_not_finish_gets_an_error() {
    #[delayed(blocking)]
    fn wait_apart(inner: Arc<Delayed<()>>) -> Result<(), Error> {
        inner.wait_ref().map(|_| ())
    }
    #[delayed]
    fn wait_here(inner: Arc<Delayed<()>>) -> Result<(), Error> {
        inner.wait_ref().map(|_| ())
    }
    type Waiting = fn(Arc<Delayed<()>>) -> Delayed<()>;
    let nodes: [Waiting; 2] = [|inner| wait_here(inner), |inner| wait_apart(inner)];
    for threads in [1, 2] {
        for node in nodes {
            let client = Client::builder().threads_per_worker(threads).build().unwrap();
            let inner = Arc::new(delayed::call_async(std::future::pending::<()>, ()));
            let outer = client.persist(node(inner.clone()));
            until("the inner node runs", || inner.status() == Status::Running);
            drop(client);
            until("the outer node ends", || outer.status() == Status::Failed);
            check_shut_down(outer.wait());
        }
    }
}

#[test]
fn a_runtime_may_end_in_the_middle_of_its_clients_work() {
    for _ in 0..if cfg!(miri) { 1 } else { 20 } {
        let its_runtime = Runtime::new().unwrap();
        let client = its_runtime.block_on(async { Client::current_runtime().unwrap() });
        let gate = Arc::new(AtomicBool::new(false));
        let (opened, runs) = (gate.clone(), Arc::new(AtomicUsize::new(0)));
        let ran = runs.clone();
        let slow = move || {
            ran.fetch_add(1, SeqCst);
            until("the gate opens", || opened.load(SeqCst));
            1
        };
        let slow = delayed::call(slow, ());
        let last = inc(&slow);
        let wish = runtime().spawn(client.compute(last.clone()));
        let never = runtime().spawn(client.compute(delayed::call_async(std::future::pending::<i64>, ())));
        until("the slow node runs", || slow.status() == Status::Running);
        its_runtime.shutdown_background();
        check_shut_down(end(never).unwrap());
        gate.store(true, SeqCst);
        match end(wish).unwrap() {
            Ok(value) => assert_eq!(value, 2),
            Err(error) => check_shut_down(Err::<i64, _>(error)),
        }
        drop(client);
        assert_eq!(last.wait().unwrap(), 2);
        assert_eq!(runs.load(SeqCst), 1);
    }
}

#[test]
fn a_blocking_node_that_had_not_started_is_lazy_again() {
    #[delayed(blocking)]
    fn apart() -> i64 {
        1
    }
    for _ in 0..if cfg!(miri) { 3 } else { 300 } {
        let client = Client::builder().threads_per_worker(1).build().unwrap();
        let nodes = || (0..8).map(|_| apart()).collect::<Vec<_>>();
        // Its threads are idle afterwards.
        end(client.compute(nodes())).unwrap();
        let kept = client.persist(nodes());
        until("the first one begins", || !matches!(kept[0].status(), Status::Lazy | Status::Waiting));
        drop(client);
        assert_eq!(delayed::wait(kept).unwrap(), [1; 8]);
    }
}
