//! Failures: what the error says, who sees it, and that everything else goes on.

use delayed::{Delayed, Error, delayed};
use std::error::Error as _;
use std::num::ParseIntError;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

#[delayed]
fn parse(text: &str) -> Result<i64, ParseIntError> {
    text.parse()
}
#[delayed]
fn double(x: i64) -> i64 {
    2 * x
}
#[delayed]
fn add(x: i64, y: i64) -> i64 {
    x + y
}
#[delayed]
fn explode(x: i64) -> i64 {
    panic!("no {x} today")
}

#[test]
fn the_error_says_which_node_where_and_who_needed_it() {
    let bad = parse("12x");
    let error = add(double(&bad), 1).wait().unwrap_err();
    assert_eq!(error.node().name(), "parse");
    assert_eq!(error.node().key(), bad.key());
    assert!(error.node().file().ends_with("failure.rs"));
    assert_eq!((error.node().line(), error.node().column()), (10, 4));
    let chain: Vec<_> = error.chain().map(|node| node.name().to_owned()).collect();
    assert_eq!(chain, ["double", "add"]);
    assert_eq!(error.to_string(), "`parse` failed: invalid digit found in string");
    assert_eq!(
        format!("{error:?}"),
        format!(
            "`parse` failed: invalid digit found in string\n  at {}:10:4, key {}\n  needed by double, add",
            file!(),
            bad.key()
        )
    );
    assert!(error.downcast_ref::<ParseIntError>().is_some());
    assert!(error.source().unwrap().is::<ParseIntError>());
    assert!(!error.is_panic() && !error.is_cancelled() && !error.is_timeout());
}

#[test]
fn a_panic_is_an_error_of_its_node() {
    let error = double(explode(3)).wait().unwrap_err();
    assert!(error.is_panic());
    assert_eq!(error.to_string(), "`explode` panicked: no 3 today");
    assert_eq!(error.chain().count(), 1);
}

#[test]
fn a_failure_is_kept_like_a_value() {
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    let bad = delayed::call(move || -> i64 { panic!("run {}", counted.fetch_add(1, SeqCst)) }, ());
    let first = (&bad + 1).wait().unwrap_err();
    let second = bad.wait().unwrap_err();
    assert_eq!(first.to_string(), second.to_string());
    assert_eq!(runs.load(SeqCst), 1);
}

#[tokio::test]
async fn settle_gives_every_result() {
    let (a, (b, c)) = delayed::settle((double(1), (double(parse("x")), [double(2), explode(1)]))).await;
    assert_eq!(a.unwrap(), 2);
    assert_eq!(b.unwrap_err().node().name(), "parse");
    assert_eq!(c.each_ref().map(Result::is_ok), [true, false]);
    let many: Vec<_> = (0..1_000).map(|i| parse(if i % 2 == 0 { "1" } else { "one" })).collect();
    let results = delayed::settle(many).await;
    assert_eq!(results.iter().filter(|r| r.is_ok()).count(), 500);
}

#[test]
fn other_errors_inside_are_found() {
    #[derive(Debug, Clone)]
    struct NotStd;
    impl From<NotStd> for Box<dyn std::error::Error + Send + Sync> {
        fn from(_: NotStd) -> Self {
            "not std".into()
        }
    }
    #[delayed]
    fn through_anyhow(text: &str) -> anyhow::Result<i64> {
        use anyhow::Context;
        text.parse::<i64>().with_context(|| format!("reading {text:?}"))
    }
    #[delayed]
    fn through_box(text: &str) -> Result<i64, Box<dyn std::error::Error + Send + Sync>> {
        Ok(text.parse::<i64>()?)
    }
    #[delayed]
    fn text_only() -> Result<i64, String> {
        Err("as text".into())
    }
    #[delayed]
    fn into_box() -> Result<i64, NotStd> {
        Err(NotStd)
    }
    #[delayed]
    fn nested() -> Result<i64, Error> {
        parse("y").wait()
    }
    type Result<T, E = ParseIntError> = std::result::Result<T, E>;
    #[delayed]
    fn alias(text: &str) -> Result<i64> {
        text.parse()
    }

    let error = through_anyhow("x").wait().unwrap_err();
    assert_eq!(error.to_string(), "`through_anyhow` failed: reading \"x\"");
    assert!(error.downcast_ref::<ParseIntError>().is_some());
    assert!(format!("{error:?}").ends_with("caused by: invalid digit found in string"), "{error:?}");
    assert!(through_box("x").wait().unwrap_err().downcast_ref::<ParseIntError>().is_some());
    assert_eq!(text_only().wait().unwrap_err().to_string(), "`text_only` failed: as text");
    assert_eq!(into_box().wait().unwrap_err().to_string(), "`into_box` failed: not std");
    let error = nested().wait().unwrap_err();
    assert_eq!(error.downcast_ref::<Error>().unwrap().node().name(), "parse");
    assert!(error.downcast_ref::<ParseIntError>().is_some());
    assert!(alias("x").wait().is_err());
}

struct Bomb(&'static str);

impl Clone for Bomb {
    fn clone(&self) -> Self {
        if self.0 == "clone" {
            panic!("in clone")
        }
        Bomb(self.0)
    }
}

impl Drop for Bomb {
    fn drop(&mut self) {
        if self.0 == "drop" && !std::thread::panicking() {
            panic!("in drop")
        }
    }
}

#[delayed]
fn bomb(when: &'static str) -> Bomb {
    Bomb(when)
}
#[delayed]
fn defuse(bomb: Bomb) -> i64 {
    drop(bomb);
    1
}
#[delayed]
fn defuse_all(bombs: Vec<Bomb>) -> i64 {
    bombs.len() as i64
}

#[test]
fn a_panic_in_clone_fails_the_consumer() {
    let shared = bomb("clone");
    let error = defuse(&shared).wait().unwrap_err();
    assert!(error.is_panic());
    assert_eq!(error.node().name(), "defuse");
    let error = defuse_all(vec![bomb("none"), shared.clone(), bomb("none")]).wait().unwrap_err();
    assert_eq!(error.to_string(), "`defuse_all` panicked: in clone");
    let error = shared.clone().wait().map(|_| ()).unwrap_err();
    assert_eq!(error.to_string(), "`bomb` panicked: in clone");
    // The value is still there for who does not clone it.
    assert_eq!(shared.wait_ref().unwrap().0, "clone");
}

#[test]
fn a_panic_in_drop_fails_the_node_or_ends_where_it_is() {
    let error = defuse(bomb("drop")).wait().unwrap_err();
    assert_eq!(error.to_string(), "`defuse` panicked: in drop");
    // A value that nobody takes is dropped by its node; the panic must not reach the caller.
    let unused = bomb("drop");
    drop(unused.wait_ref().unwrap());
    drop(unused);
    // As an argument that was never used, and as an input of a node that fails.
    drop(defuse(Bomb("drop")));
    let error = defuse_all(vec![bomb("drop"), bomb("none")]).zip(parse("x")).wait().unwrap_err();
    assert!(!error.to_string().is_empty());
    assert_eq!(defuse(bomb("none")).wait().unwrap(), 1);
}

#[test]
fn workers_survive_panics() {
    let client = delayed::Client::builder().threads_per_worker(2).build().unwrap();
    let _guard = client.enter();
    let all: Vec<_> = (0..1_000).map(explode).collect();
    assert!(delayed::wait(all).is_err());
    assert_eq!(delayed::wait((0..1_000).map(double).collect::<Vec<_>>()).unwrap()[999], 1998);
}

#[test]
fn a_long_chain_of_consumers_is_cut() {
    let mut x = parse("x");
    for _ in 0..100_000 {
        x = double(x);
    }
    let error = x.wait().unwrap_err();
    assert_eq!(error.chain().len(), 32);
    assert!(format!("{error:?}").ends_with(", …"));
}

#[test]
fn nodes_of_failed_inputs_do_not_run() {
    let runs = Arc::new(AtomicUsize::new(0));
    let count = |x: Delayed<i64>| {
        let runs = runs.clone();
        x.map(move |x| {
            runs.fetch_add(1, SeqCst);
            x
        })
    };
    let error = add(count(parse("x")), count(count(parse("y")))).wait().unwrap_err();
    assert_eq!(error.node().name(), "parse");
    assert_eq!(runs.load(SeqCst), 0);
}

#[tokio::test]
async fn a_timeout_inside_a_node_is_a_timeout() {
    #[delayed]
    async fn slow() -> Result<(), tokio::time::error::Elapsed> {
        tokio::time::timeout(std::time::Duration::from_millis(1), std::future::pending()).await
    }
    assert!(slow().await.unwrap_err().is_timeout());
}

#[test]
fn a_waker_that_panics_harms_nobody() {
    use std::task::{Context, Wake, Waker};
    struct Bad;
    impl Wake for Bad {
        fn wake(self: Arc<Self>) {
            panic!("in wake")
        }
    }
    let client = delayed::Client::builder().threads_per_worker(1).build().unwrap();
    for fails in [false, true] {
        #[delayed(blocking)]
        fn later(fails: bool) -> Result<Vec<i64>, String> {
            std::thread::sleep(std::time::Duration::from_millis(5));
            if fails { Err("no".into()) } else { Ok(vec![1; 100]) }
        }
        let node = later(fails);
        let mut wish = client.compute(node.clone());
        let waker = Waker::from(Arc::new(Bad));
        assert!(std::pin::Pin::new(&mut wish).poll(&mut Context::from_waker(&waker)).is_pending());
        while node.try_get().is_none() {
            std::thread::yield_now();
        }
        assert_eq!(futures::executor::block_on(wish).is_ok(), !fails);
        assert_eq!(futures::executor::block_on(client.compute(double(1))).unwrap(), 2);
    }
}

#[test]
fn panics_of_what_a_panic_carries_and_of_errors_end_where_they_are() {
    struct Payload;
    impl Drop for Payload {
        fn drop(&mut self) {
            panic!("in the drop of a payload")
        }
    }
    let error = add(delayed::call(|| -> i64 { std::panic::panic_any(Payload) }, ()), 1).wait().unwrap_err();
    assert!(error.is_panic());

    #[derive(Debug)]
    struct Bad;
    impl std::fmt::Display for Bad {
        fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
            f.write_str("bad")
        }
    }
    impl std::error::Error for Bad {}
    impl Drop for Bad {
        fn drop(&mut self) {
            panic!("in the drop of an error")
        }
    }
    #[delayed]
    fn bad() -> Result<i64, Bad> {
        Err(Bad)
    }
    let node = bad().persist();
    while node.try_get().is_none() {
        std::thread::yield_now();
    }
    drop(node);
    // The last error may be dropped by the engine, so it does not unwind, wherever that is.
    drop(bad().wait().unwrap_err());
    // This thread still frees values.
    let counted = Arc::new(());
    drop(delayed::value(counted.clone()));
    assert_eq!(Arc::strong_count(&counted), 1);
}

#[test]
fn a_handle_that_flattens_into_itself_is_an_error() {
    let cell = Arc::new(std::sync::Mutex::new(None::<Delayed<i64>>));
    let inside = cell.clone();
    let outer: Delayed<Delayed<i64>> = delayed::call(move || inside.lock().unwrap().take().unwrap(), ());
    let flat = outer.flatten();
    *cell.lock().unwrap() = Some(flat.clone());
    assert!(flat.wait().unwrap_err().to_string().contains("waits for itself"));
}
