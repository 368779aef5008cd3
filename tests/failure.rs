//! Failures: what the error says, who sees it, and that everything else goes on.

use delayed::{Delayed, Error, delayed};
use std::error::Error as _;
use std::num::ParseIntError;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::time::Duration;

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
    assert_eq!((error.node().line(), error.node().column()), (11, 4));
    let chain: Vec<_> = error.chain().map(|node| node.name().to_owned()).collect();
    assert_eq!(chain, ["double", "add"]);
    assert_eq!(error.to_string(), "`parse` failed: invalid digit found in string");
    assert_eq!(
        format!("{error:?}"),
        format!(
            "`parse` failed: invalid digit found in string\n  at {}:11:4, key {}\n  needed by double, add",
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
    let n = if cfg!(miri) { 10 } else { 1_000 };
    let many: Vec<_> = (0..n).map(|i| parse(if i % 2 == 0 { "1" } else { "one" })).collect();
    let results = delayed::settle(many).await;
    assert_eq!(results.iter().filter(|r| r.is_ok()).count(), n / 2);
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
    let n = if cfg!(miri) { 10 } else { 1_000 };
    let all: Vec<_> = (0..n).map(explode).collect();
    assert!(delayed::wait(all).is_err());
    let doubled = delayed::wait((0..n).map(double).collect::<Vec<_>>()).unwrap();
    assert_eq!(doubled.last(), Some(&(2 * n - 2)));
}

#[test]
fn a_long_chain_of_consumers_is_cut() {
    let mut x = parse("x");
    for _ in 0..if cfg!(miri) { 33 } else { 100_000 } {
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

#[delayed]
fn sum(values: Vec<i64>) -> i64 {
    values.iter().sum()
}

fn texts<'a>(errors: impl Iterator<Item = &'a Error>) -> Vec<String> {
    errors.map(Error::to_string).collect()
}

async fn settled<T: Clone + Send + Sync + 'static>(handle: &Delayed<T>) -> Result<T, Error> {
    delayed::settle(handle).await
}

#[tokio::test]
async fn a_consumer_lists_all_inputs_that_failed() {
    let (first, second) = (parse("x"), explode(2));
    let error = settled(&sum(vec![double(1), double(&first), parse(""), second.clone()])).await.unwrap_err();
    assert_eq!(error.node().key(), first.key());
    assert_eq!(error.chain().map(|node| node.name()).collect::<Vec<_>>(), ["double", "sum"]);
    assert_eq!(error.to_string(), "`parse` failed: invalid digit found in string (and 2 more nodes failed)");
    assert_eq!(error.others_count(), 2);
    let others: Vec<_> = error.others().collect();
    assert_eq!(others[0].to_string(), "`parse` failed: cannot parse integer from empty string");
    assert!(others[0].downcast_ref::<ParseIntError>().is_some());
    assert_eq!((others[1].node().key(), others[1].is_panic()), (second.key(), true));
    assert_eq!(others.iter().map(|e| e.others().len() + e.chain().len()).sum::<usize>(), 0);
    let report = format!("{error:?}");
    let end = format!(
        "\n  needed by double, sum\n  and 2 more nodes failed:\n    \
         `parse` failed: cannot parse integer from empty string, at {0}:11:4, key {1}\n    \
         `explode` panicked: no 2 today, at {0}:23:4, key {2}",
        file!(),
        others[0].node().key(),
        second.key()
    );
    assert!(report.ends_with(&end), "{report}");
}

#[tokio::test]
#[cfg_attr(miri, ignore = "thousands of nodes")]
async fn a_wish_for_several_handles_lists_those_that_had_failed() {
    let handles = ["1", "x", "2", "y", ""].map(parse);
    // All of them end first: a wish that ends with the first failure does not wait for others.
    delayed::settle(&handles).await;
    let error = delayed::compute(&handles).await.unwrap_err();
    assert_eq!((error.node().key(), error.chain().len()), (handles[1].key(), 0));
    let others: Vec<_> = error.others().map(|e| e.node().key()).collect();
    assert_eq!(others, [handles[3].key(), handles[4].key()]);

    // Also where the handles need several groups.
    let many: Vec<_> = (0..1_000).map(|i| parse(if i % 100 == 99 { "x" } else { "1" })).collect();
    delayed::settle(&many).await;
    for error in [delayed::compute(&many).await.unwrap_err(), sum(&many).await.unwrap_err()] {
        assert_eq!(error.node().key(), many[99].key());
        let others: Vec<_> = error.others().map(|e| e.node().key()).collect();
        assert_eq!(others, (1..10).map(|i| many[100 * i + 99].key()).collect::<Vec<_>>());
    }
}

#[tokio::test]
async fn failures_met_on_several_levels_are_listed_once() {
    let bad: Vec<_> = (0..6).map(|_| parse("x")).collect();
    let (low, high) = (sum(&bad[..4]), sum(&bad[2..]));
    let all = sum(vec![add(&low, &high), high.clone(), bad[5].clone(), double(&low)]);
    let error = settled(&all).await.unwrap_err();
    assert_eq!(error.node().key(), bad[0].key());
    assert_eq!(error.chain().map(|node| node.name()).collect::<Vec<_>>(), ["sum", "add", "sum"]);
    let others: Vec<_> = error.others().map(|e| e.node().key()).collect();
    assert_eq!(others, bad[1..].iter().map(Delayed::key).collect::<Vec<_>>());
    // Those of `high` met the first one in `add`, on top of their own `sum`.
    let chains: Vec<_> = error.others().map(|e| e.chain().len()).collect();
    assert_eq!(chains, [0, 0, 0, 0, 0]);

    // One origin on all ways is one failure.
    let x = &bad[0];
    let error = settled(&sum(vec![double(x), add(x, double(x)), x.clone()])).await.unwrap_err();
    assert_eq!((error.others().len(), error.others_count()), (0, 0));
}

#[tokio::test]
#[cfg_attr(miri, ignore = "a hundred thousand nodes")]
async fn many_failures_are_counted_and_some_of_them_listed() {
    let wide: Vec<_> = (0..100_000).map(|_| parse("x")).collect();
    let error = settled(&sum(&wide)).await.unwrap_err();
    assert_eq!(error.node().key(), wide[0].key());
    assert_eq!((error.others().len(), error.others_count()), (32, 99_999));
    assert!(error.others().zip(&wide[1..]).all(|(error, handle)| error.node().key() == handle.key()));
    assert!(error.to_string().ends_with("(and 99999 more nodes failed)"));
    assert!(format!("{error:?}").ends_with("\n    …"));

    // What two errors leave out may be the same.
    let both = sum(vec![sum(&wide[..100]), sum(&wide[50..150])]);
    let error = settled(&both).await.unwrap_err();
    assert_eq!(error.others().len(), 32);
    assert!((99..150).contains(&error.others_count()));
    assert!(error.to_string().contains("(and at least "), "{error}");
}

#[test]
#[cfg_attr(miri, ignore = "a hundred thousand nodes")]
fn a_failed_corner_fails_a_wavefront_with_one_error() {
    let mut row: Vec<Delayed<i64>> = Vec::new();
    for i in 0..316 {
        for j in 0..316 {
            let node = match (i, j) {
                (0, 0) => parse("x"),
                (0, _) => double(&row[j - 1]),
                (_, 0) => double(&row[0]),
                _ => add(&row[j], &row[j - 1]),
            };
            if i == 0 { row.push(node) } else { row[j] = node }
        }
    }
    let last = row.pop().unwrap();
    let error = futures::executor::block_on(delayed::settle(last)).unwrap_err();
    assert_eq!((error.others_count(), error.chain().len()), (0, 32));
}

#[tokio::test]
async fn settle_runs_all_that_can_run() {
    let runs = Arc::new(AtomicUsize::new(0));
    let count = || {
        let runs = runs.clone();
        delayed::call(move || runs.fetch_add(1, SeqCst) as i64, ())
    };
    let later = || delayed::call_async(|x: i64| async move { x }, (count(),));
    // Failures first, last and in between; below each other; in groups.
    let inner = sum(vec![parse("x"), count(), later()]);
    let n = if cfg!(miri) { 24 } else { 300 };
    let wide = |i| if i % (n / 2) == 10 { parse("") } else { double(count()) };
    let wide: Vec<_> = (0..n).map(wide).collect();
    let all = sum(vec![inner.clone(), count(), add(explode(1), count()), sum(wide), add(count(), 1)]);
    let error = settled(&all).await.unwrap_err();
    assert_eq!(runs.load(SeqCst), 2 + 1 + 1 + (n - 2) + 1);
    assert_eq!(error.others_count(), 3);
    assert_eq!(texts(error.others())[0], "`explode` panicked: no 1 today");

    runs.store(0, SeqCst);
    let completed: Vec<_> =
        futures::StreamExt::collect(delayed::as_completed([add(parse("x"), count()), count()])).await;
    assert_eq!((completed.len(), runs.load(SeqCst)), (2, 2));
}

#[tokio::test]
async fn compute_ends_with_the_first_failure() {
    let client = delayed::Client::builder().threads_per_worker(1).build().unwrap();
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    let other = delayed::call(move || counted.fetch_add(1, SeqCst) as i64, ());
    let all = sum(vec![parse("x"), other.clone(), parse("y")]);
    let error = client.compute(&all).await.unwrap_err();
    assert_eq!((error.others_count(), runs.load(SeqCst), other.status()), (0, 0, delayed::Status::Lazy));
    // It has failed once and for all.
    assert_eq!(settled(&all).await.unwrap_err().others_count(), 0);
    assert_eq!(runs.load(SeqCst), 0);
}

#[delayed]
async fn never() -> i64 {
    std::future::pending().await
}

#[delayed]
async fn fails_later() -> Result<i64, String> {
    tokio::time::sleep(Duration::from_millis(5)).await;
    Err("no".to_owned())
}

#[delayed(blocking)]
fn fails_apart() -> Result<i64, String> {
    std::thread::sleep(Duration::from_millis(5));
    Err("no".to_owned())
}

#[delayed]
fn fails_here() -> Result<i64, String> {
    std::thread::sleep(Duration::from_millis(5));
    Err("no".to_owned())
}

#[delayed]
fn total(xs: Vec<i64>) -> i64 {
    xs.iter().sum()
}

/// A failure ends a wish although another input, which a consumer waits for, never ends.
#[tokio::test(flavor = "multi_thread")]
#[cfg_attr(miri, ignore = "thousands of nodes")]
async fn the_first_failure_ends_a_wish() {
    async fn fails_soon<C: delayed::Gather>(what: &str, wish: C) -> Error {
        let ended = tokio::time::timeout(Duration::from_secs(20), delayed::compute(wish)).await;
        ended.unwrap_or_else(|_| panic!("{what} hangs")).err().unwrap()
    }
    for (name, fails) in [
        ("fails_later", fails_later as fn() -> Delayed<i64>),
        ("fails_apart", fails_apart),
        ("fails_here", fails_here),
        ("limited", || never().timeout(Duration::from_millis(5)).named("limited")),
    ] {
        let alone = fails_soon(name, (fails(), never())).await;
        assert_eq!(alone.node().name(), name);
        fails_soon(name, (never(), fails())).await;
        for sum in [add(fails(), never()), add(never(), fails()), add(add(fails(), 1), never())] {
            let error = fails_soon(name, sum).await;
            assert_eq!(error.node().name(), name);
            assert_eq!(error.chain().last().unwrap().name(), "add");
        }
        let deep = (0..50).fold(fails(), |sum, _| add(never(), sum));
        assert_eq!(fails_soon(name, deep).await.chain().len(), 32);
        for position in [0, 7, 299] {
            let all: Vec<_> = (0..300).map(|i| if i == position { fails() } else { never() }).collect();
            fails_soon(name, &all).await;
            let sum = total(all).persist();
            let error = fails_soon(name, &sum).await;
            assert_eq!(error.chain().next().unwrap().name(), "total");
            assert_eq!(sum.status(), delayed::Status::Failed);
        }
    }
}
