//! Numbers for those who watch over many programs, in Prometheus' text format.

use crate::engine;
use crate::event::{Events, events};
use std::fmt::{Display, Write};
use std::sync::LazyLock;

/// What is known of all clients, in Prometheus' text format, version 0.0.4: how many nodes were made, called,
/// finished, failed and released since the first call, and the threads and queues of each client that is there.
///
/// The first call says zero everywhere; call it once when the program starts. From then on each node costs what
/// it costs to be observed, some 50 ns (`cargo bench --bench observation`), and threads have the memory that
/// [`Events`](crate::Events) speaks of.
///
/// ```
/// # use delayed_runtime as delayed;
/// delayed::metrics();
/// assert_eq!(delayed::call(|| 3, ()).wait()?, 3);
/// assert!(!delayed::metrics().contains("delayed_nodes_finished_total 0"));
/// # Ok::<(), delayed::Error>(())
/// ```
pub fn metrics() -> String {
    static COUNTING: LazyLock<Events> = LazyLock::new(|| events().only_counts());
    let counts = COUNTING.counts();
    let mut out = String::new();
    let mut counter = |name: &str, what: &str, count: u64| {
        family(&mut out, name, "counter", what);
        sample(&mut out, name, "", count);
    };
    counter("delayed_nodes_built_total", "Nodes that were made.", counts.built);
    counter("delayed_nodes_started_total", "Functions that were called.", counts.started);
    counter("delayed_nodes_finished_total", "Nodes that have got their value.", counts.finished);
    counter("delayed_nodes_failed_total", "Nodes that have failed.", counts.failed);
    counter("delayed_nodes_released_total", "Nodes that nobody can reach any more.", counts.released);

    let engines = engine::all();
    let mut gauge = |name: &str, what: &str, of: &dyn Fn(&engine::Engine) -> usize| {
        family(&mut out, name, "gauge", what);
        for engine in &engines {
            sample(&mut out, name, &format!("{{client=\"{}\"}}", engine.number), of(engine));
        }
    };
    gauge("delayed_threads", "Threads that a client may use.", &|engine| engine.threads());
    gauge("delayed_threads_busy", "Threads of a client that run nodes or look for some.", &|engine| {
        engine.busy()
    });
    gauge("delayed_queue_length", "Nodes that wait for a thread of a client.", &|engine| engine.queued());
    out
}

fn family(out: &mut String, name: &str, kind: &str, what: &str) {
    let _ = write!(out, "# HELP {name} {what}\n# TYPE {name} {kind}\n");
}

fn sample(out: &mut String, name: &str, labels: &str, value: impl Display) {
    let _ = writeln!(out, "{name}{labels} {value}");
}
