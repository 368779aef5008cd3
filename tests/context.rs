//! A node's `tracing` span is a child of the span that the node was made in, and says how the node ended.

mod support;

use delayed::{Client, Delayed, Error, Status, delayed, settle};
use std::collections::HashMap;
use std::fmt::Write;
use std::io;
use std::sync::{Barrier, LazyLock, Mutex};
use std::time::{Duration, Instant};
use support::until;
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Subscriber, info_span};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};
use tracing_subscriber::registry::{LookupSpan, Registry, SpanRef};

/// The span of a node that has closed.
#[derive(Clone)]
struct Closed {
    /// The name of the span at its root.
    root: String,
    line: String,
    seconds: Option<f64>,
}

static CLOSED: Mutex<Vec<Closed>> = Mutex::new(Vec::new());

/// One subscriber for all tests, because one for all threads belongs to the process.
static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    tracing::subscriber::set_global_default(Registry::default().with(Recorder)).unwrap();
    Client::builder().threads_per_worker(2).build().unwrap()
});

/// Makes a graph in the span `root`.
fn make<R>(root: &'static str, graph: impl FnOnce() -> R) -> R {
    LazyLock::force(&CLIENT);
    info_span!("test", name = root).in_scope(graph)
}

/// What has closed by now of what was made in the span `root`, in that order.
fn closed(root: &str) -> Vec<String> {
    let closed = CLOSED.lock().unwrap();
    closed.iter().filter(|closed| closed.root == root).map(|closed| closed.line.clone()).collect()
}

fn run(handle: &Delayed<u32>) -> Result<u32, Error> {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(CLIENT.compute(handle))
}

struct Recorder;

#[derive(Default)]
struct Fields(HashMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        let before = self.0.insert(field.name(), format!("{value:?}"));
        if let Some(before) = before {
            self.0.insert(field.name(), format!("{before} and then {value:?}"));
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.record_debug(field, &format_args!("{value}"));
    }
}

/// What was told inside a span.
#[derive(Default)]
struct Told(Vec<String>);

fn path<'a, S: LookupSpan<'a>>(span: SpanRef<'a, S>) -> String {
    let names =
        span.scope().from_root().map(|span| span.extensions().get::<Fields>().unwrap().0["name"].clone());
    names.collect::<Vec<_>>().join(" > ")
}

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Recorder {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        let span = context.span(id).unwrap();
        span.extensions_mut().insert(fields);
        span.extensions_mut().insert(Told::default());
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        values.record(context.span(id).unwrap().extensions_mut().get_mut::<Fields>().unwrap());
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let Some(span) = context.event_span(event) else { return };
        let mut fields = Fields::default();
        event.record(&mut fields);
        let mut text = match event.metadata().target() {
            "delayed" => format!("{} {}", event.metadata().level(), fields.0["message"]),
            _ => format!("{} in {}", fields.0["message"], path(context.event_span(event).unwrap())),
        };
        if let Some(error) = fields.0.get("error") {
            write!(text, " ({error})").unwrap();
        }
        span.extensions_mut().get_mut::<Told>().unwrap().0.push(text);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        let span = context.span(&id).unwrap();
        if span.metadata().target() != "delayed" {
            return;
        }
        let root = span.scope().from_root().next().unwrap();
        let root = root.extensions().get::<Fields>().unwrap().0["name"].clone();
        let mut line = String::new();
        let extensions = span.extensions();
        let fields = &extensions.get::<Fields>().unwrap().0;
        if let Some(name) = fields.get("name") {
            assert!(fields["key"].starts_with(&format!("{name}-")));
            write!(line, "{name}: ").unwrap();
        }
        for told in &extensions.get::<Told>().unwrap().0 {
            write!(line, "{told}; ").unwrap();
        }
        line += fields.get("outcome").map_or("no outcome", |outcome| outcome);
        let seconds = fields.get("duration").map(|seconds| seconds.parse().unwrap());
        if seconds.is_some() {
            line += " in a time";
        }
        CLOSED.lock().unwrap().push(Closed { root, line, seconds });
    }
}

#[delayed]
fn tell(x: u32) -> u32 {
    tracing::info!("here");
    x + 1
}

#[delayed]
async fn tell_later(x: u32) -> u32 {
    tokio::task::yield_now().await;
    tracing::info!("here");
    x + 1
}

#[delayed(blocking)]
fn tell_apart(x: u32) -> u32 {
    tracing::info!("here");
    x + 1
}

#[test]
fn the_span_of_the_builder_is_the_parent() {
    let graph = make("parents", || {
        let first = info_span!("job", name = "job").in_scope(|| {
            let first = tell(1);
            info_span!("part", name = "part").in_scope(|| tell_later(first).named("renamed"))
        });
        tell_apart(first)
    });
    assert_eq!(run(&graph).unwrap(), 4);
    let expected = [
        "tell: here in parents > job > tell; DEBUG node done; done in a time",
        "renamed: here in parents > job > part > renamed; DEBUG node done; done in a time",
        "tell_apart: here in parents > tell_apart; DEBUG node done; done in a time",
    ];
    assert_eq!(closed("parents"), expected);
}

#[test]
fn a_node_that_never_runs_has_no_outcome() {
    drop(make("never", || tell(tell(1))));
    assert_eq!(closed("never"), ["no outcome", "no outcome"]);
}

#[test]
fn the_duration_is_that_of_the_function() {
    #[delayed]
    fn sleep(x: u32) -> u32 {
        std::thread::sleep(Duration::from_millis(20));
        x
    }
    #[delayed]
    async fn sleep_later(x: u32) -> u32 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        x
    }
    #[delayed(blocking)]
    fn sleep_apart(x: u32) -> u32 {
        std::thread::sleep(Duration::from_millis(20));
        x
    }
    let graph = make("sleepers", || tell(sleep_apart(sleep_later(sleep(1)))));
    std::thread::sleep(Duration::from_millis(20));
    let begin = Instant::now();
    run(&graph).unwrap();
    let all = begin.elapsed().as_secs_f64();
    let expected = [
        "sleep: DEBUG node done; done in a time",
        "sleep_later: DEBUG node done; done in a time",
        "sleep_apart: DEBUG node done; done in a time",
        "tell: here in sleepers > tell; DEBUG node done; done in a time",
    ];
    assert_eq!(closed("sleepers"), expected);
    let closed = CLOSED.lock().unwrap();
    let seconds: Vec<_> = closed.iter().filter(|c| c.root == "sleepers").filter_map(|c| c.seconds).collect();
    assert!(seconds[..3].iter().all(|&seconds| seconds >= 0.02), "{seconds:?}");
    // One after the other, and without the time before it.
    assert!(seconds.iter().sum::<f64>() < all, "{seconds:?} in {all}");
}

#[test]
fn a_failure_warns_where_it_is_and_not_where_it_comes_to() {
    #[delayed]
    fn parse(text: &str) -> Result<u32, io::Error> {
        Err(io::Error::other(format!("cannot parse {text}\u{1b}[31m\nat all")))
    }
    #[delayed]
    async fn parse_later(text: &str) -> Result<u32, io::Error> {
        parse::eager(text)
    }
    #[delayed(blocking)]
    fn parse_apart(text: &str) -> Result<u32, io::Error> {
        parse::eager(text)
    }
    let needs = |root, graph: fn(&'static str) -> Delayed<u32>| {
        run(&make(root, || tell(graph("a")).named("needs it"))).unwrap_err();
    };
    needs("failing", parse);
    needs("failing later", parse_later);
    needs("failing apart", parse_apart);
    let roots = [("failing", "parse"), ("failing later", "parse_later"), ("failing apart", "parse_apart")];
    for (root, name) in roots {
        let error = format!("(`{name}` failed: cannot parse a\u{FFFD}[31m …)");
        let expected = [
            format!("{name}: WARN node failed {error}; failed in a time"),
            format!("needs it: DEBUG node failed {error}; failed"),
        ];
        assert_eq!(closed(root), expected);
    }
}

#[test]
fn a_panic_warns() {
    #[delayed]
    fn divide(x: u32) -> u32 {
        tracing::info!("here");
        1 / x
    }
    #[delayed]
    async fn divide_later(x: u32) -> u32 {
        tokio::task::yield_now().await;
        1 / x
    }
    #[delayed(blocking)]
    fn divide_apart(x: u32) -> u32 {
        1 / x
    }
    // Short functions are called in another way once that is known of them.
    run(&(0..1000).map(|_| divide(1)).sum::<Delayed<u32>>()).unwrap();
    run(&make("panicking", || divide(0))).unwrap_err();
    run(&make("panicking", || divide_later(0))).unwrap_err();
    run(&make("panicking", || divide_apart(0))).unwrap_err();
    let what = "panicked: attempt to divide by zero); panicked in a time";
    let expected = [
        format!("divide: here in panicking > divide; WARN node panicked (`divide` {what}"),
        format!("divide_later: WARN node panicked (`divide_later` {what}"),
        format!("divide_apart: WARN node panicked (`divide_apart` {what}"),
    ];
    assert_eq!(closed("panicking"), expected);
}

#[test]
fn a_time_limit_warns_when_it_is_over() {
    #[delayed(timeout = "20ms")]
    async fn wait(x: u32) -> u32 {
        tokio::time::sleep(Duration::from_secs(600)).await;
        x
    }
    run(&make("late", || wait(1))).unwrap_err();
    let expected = "wait: WARN node timed out (`wait` took longer than 20ms); timed out in a time";
    until("the end of the span", || !closed("late").is_empty());
    assert_eq!(closed("late"), [expected]);
}

#[test]
fn cancelled_nodes_say_so_called_or_not() {
    static CALLED: Barrier = Barrier::new(2);
    static ENDS: Barrier = Barrier::new(2);
    #[delayed(blocking)]
    fn gate(x: u32) -> u32 {
        CALLED.wait();
        ENDS.wait();
        x
    }
    let (lazy, running) = make("cancelled", || (tell(1).named("lazy"), gate(1)));
    let waiting = make("cancelled", || tell(&running).named("waiting"));
    lazy.cancel();
    let cancelled = |name: &str| format!("{name}: DEBUG node cancelled (`{name}` was cancelled); cancelled");
    assert_eq!(closed("cancelled"), [cancelled("lazy")]);

    let (waiting, running) = CLIENT.persist((waiting, running));
    CALLED.wait();
    until("a node that waits", || waiting.status() == Status::Waiting);
    waiting.cancel();
    assert_eq!(closed("cancelled"), [cancelled("lazy"), cancelled("waiting")]);
    running.cancel();
    // The function is still in its span.
    assert_eq!(closed("cancelled").len(), 2);
    ENDS.wait();
    until("the end of the span", || closed("cancelled").len() == 3);
    assert_eq!(closed("cancelled")[2], cancelled("gate") + " in a time");
}

#[test]
fn a_future_that_is_dropped_at_its_await_was_cancelled() {
    static CALLED: Barrier = Barrier::new(2);
    #[delayed]
    async fn never(x: u32) -> u32 {
        tokio::task::spawn_blocking(|| CALLED.wait()).await.unwrap();
        std::future::pending::<()>().await;
        x
    }
    let wanted = CLIENT.persist(make("dropped", || never(1)));
    CALLED.wait();
    drop(wanted);
    until("the end of the span", || !closed("dropped").is_empty());
    let expected = "never: DEBUG node cancelled (`never` was cancelled); cancelled in a time";
    assert_eq!(closed("dropped"), [expected]);
}

#[test]
fn all_attempts_are_in_the_span_of_the_node() {
    static ATTEMPTS: Mutex<u32> = Mutex::new(0);
    #[delayed(retries = 2, backoff = "1ms")]
    fn flaky(x: u32) -> Result<u32, io::Error> {
        tracing::info!("here");
        let mut attempts = ATTEMPTS.lock().unwrap();
        *attempts += 1;
        if *attempts < 3 { Err(io::Error::other("not yet")) } else { Ok(x) }
    }
    run(&make("attempts", || flaky(1))).unwrap();
    let here = "here in attempts > flaky; ";
    assert_eq!(closed("attempts"), [format!("flaky: {here}{here}{here}DEBUG node done; done in a time")]);
}

#[test]
fn many_nodes_end_their_spans_before_their_wish_ends() {
    let nodes: Vec<_> = make("many", || (0..1000).map(|i| tell(tell(i))).collect());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let results = runtime.block_on(async {
        let _inside = CLIENT.enter();
        settle(nodes).await
    });
    assert_eq!(results.iter().filter(|result| result.is_ok()).count(), 1000);
    assert_eq!(closed("many").len(), 2000);
}
