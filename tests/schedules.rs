//! Small graphs that two threads meet in, for a tool that tries one schedule after another: `just miri`.
//! Each has a runtime of its own, whose threads have ended when the test has, so the tool sees what is left.

use delayed::{Client, Delayed, delayed};
use futures::executor::block_on;
use std::sync::Arc;
use std::task::{Context, Waker};
use tokio::runtime::Builder;

const ROUNDS: usize = if cfg!(miri) { 1 } else { 200 };

/// A number that shows, by its token, whether it has been dropped.
#[derive(Clone, Debug)]
struct Value(u32, Arc<()>);

#[delayed]
fn make(number: u32, token: Arc<()>) -> Value {
    Value(number, token)
}
#[delayed]
async fn later(x: Value) -> Value {
    tokio::task::yield_now().await;
    x
}
#[delayed]
fn add(x: Value, y: &Value) -> Value {
    Value(x.0 + y.0, x.1)
}
#[delayed]
fn refuse(x: Value) -> Result<Value, String> {
    Err(format!("not {}", x.0))
}
#[delayed(pure)]
fn square(x: u32) -> u32 {
    x * x
}

/// Runs a scenario with a client of two loops or more, and checks that no value is left.
fn each_time(scenario: impl Fn(&Client, &Arc<()>)) {
    for _ in 0..ROUNDS {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let client = runtime.block_on(async { Client::current_runtime().unwrap() });
        client.scale(2).unwrap();
        let token = Arc::new(());
        scenario(&client, &token);
        drop(client);
        // Waits for its threads.
        drop(runtime);
        assert_eq!(Arc::strong_count(&token), 1);
    }
}

/// Both at the same time, on threads of which each has entered the client.
fn both<A: Send, B>(client: &Client, a: impl FnOnce() -> A + Send, b: impl FnOnce() -> B) -> (A, B) {
    std::thread::scope(|scope| {
        let other = scope.spawn(move || {
            let _guard = client.enter();
            a()
        });
        let _guard = client.enter();
        let b = b();
        (other.join().unwrap(), b)
    })
}

/// Four nodes, of which the first two are shared by the others.
fn crossed(token: &Arc<()>) -> (Delayed<Value>, Delayed<Value>) {
    let (x, y) = (make(1, token.clone()), later(make(2, token.clone())));
    (add(&x, &y), add(y, &x))
}

fn give_up(handle: Delayed<Value>) {
    let mut wish = handle.compute();
    let _ = std::pin::Pin::new(&mut wish).poll(&mut Context::from_waker(Waker::noop()));
}

#[test]
fn two_threads_want_nodes_that_share_inputs() {
    each_time(|client, token| {
        let (left, right) = crossed(token);
        let (a, b) = both(client, || left.wait().unwrap(), || right.wait().unwrap());
        assert_eq!((a.0, b.0), (3, 3));
    });
}

#[test]
fn two_threads_want_the_same_node() {
    each_time(|client, token| {
        let (node, _) = crossed(token);
        let other = node.clone();
        let (a, b) = both(client, || other.wait().unwrap(), || node.wait_ref().unwrap().0);
        assert_eq!((a.0, b), (3, 3));
    });
}

#[test]
fn a_wish_is_given_up_beside_another() {
    each_time(|client, token| {
        let (left, right) = crossed(token);
        let ((), b) = both(client, || give_up(left), || right.wait().unwrap());
        assert_eq!(b.0, 3);
    });
}

#[test]
fn the_last_handles_go_while_nodes_run() {
    each_time(|client, token| {
        let (left, right) = crossed(token);
        let (left, right) = (client.persist(left), client.persist(right));
        both(client, || drop(left), || drop(right));
    });
}

#[test]
fn a_node_is_cancelled_while_it_is_wanted() {
    each_time(|client, token| {
        let (left, _) = crossed(token);
        let node = left.clone();
        match both(client, || left.cancel(), || node.wait()).1 {
            Ok(value) => assert_eq!(value.0, 3),
            Err(error) => assert!(error.is_cancelled(), "{error:?}"),
        }
    });
}

#[test]
fn a_failure_meets_another_wish() {
    each_time(|client, token| {
        let (x, y) = (refuse(make(1, token.clone())), later(make(2, token.clone())));
        let (left, right) = (add(&x, &y), add(&y, x));
        let (a, b) = both(client, || left.wait().unwrap_err(), || block_on(delayed::settle((right, y))));
        assert_eq!(a.to_string(), "`refuse` failed: not 1");
        assert_eq!((b.0.unwrap_err().to_string(), b.1.unwrap().0), (a.to_string(), 2));
    });
}

#[test]
fn two_threads_make_and_drop_equal_calls() {
    each_time(|client, _| {
        let caller = || {
            drop(square(3));
            square(3).wait().unwrap()
        };
        assert_eq!(both(client, caller, caller), (9, 9));
    });
}

#[test]
fn a_client_goes_while_it_is_wanted() {
    each_time(|client, token| {
        let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let doomed = runtime.block_on(async { Client::current_runtime().unwrap() });
        let (left, right) = crossed(token);
        let wish = doomed.compute(&left);
        let ((), b) = both(client, || drop(doomed), || block_on(wish));
        match b {
            Ok(value) => assert_eq!(value.0, 3),
            Err(error) => assert!(error.to_string().contains("shut down"), "{error:?}"),
        }
        drop((left, right));
    });
}
