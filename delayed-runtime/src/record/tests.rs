//! Reports of events that were made up, whose figures are known.

use super::cost::Cost;
use super::html;
use super::json;
use super::report::Report;
use super::story::Story;
use super::terminal::stretches;
use super::trace::trace;
use crate::error::{Name, NodeInfo};
use crate::event::{Event, Runs, What};
use crate::handle::Status;
use crate::task::Place;
use std::time::Duration;

/// Events in the order in which they are said; times are microseconds.
#[derive(Default)]
struct Told(Vec<Event>);

fn info(name: &'static str, node: u64) -> NodeInfo {
    let line = name.bytes().map(u32::from).sum();
    NodeInfo { name: Name::OfFunction(name), id: node, place: Place { file: "src/main.rs", line, column: 4 } }
}

fn micros(micros: u64) -> Duration {
    Duration::from_micros(micros)
}

impl Told {
    fn tell(&mut self, time: u64, thread: u32, node: u64, what: What) {
        self.0.push(Event { time: micros(time), thread, node, what });
    }

    fn starts(&mut self, time: u64, thread: u32, node: u64, name: &'static str, runs: Runs, inputs: &[u64]) {
        self.tell(time, thread, node, What::Started { node: info(name, node), runs });
        for &input in inputs {
            self.tell(time, thread, node, What::Needs { input, from: info("given", input), param: "x" });
        }
    }

    fn ends(&mut self, time: u64, thread: u32, node: u64) {
        self.tell(time, thread, node, What::Finished { bytes: 100 });
    }

    /// A node that runs on one thread.
    fn ran(&mut self, thread: u32, node: u64, name: &'static str, [begin, end]: [u64; 2], inputs: &[u64]) {
        self.starts(begin, thread, node, name, Runs::Here, inputs);
        self.ends(end, thread, node);
    }

    fn report(self, threads: usize, end: u64) -> Report {
        self.report_with(threads, end, Cost::default(), 0)
    }

    fn report_with(self, threads: usize, end: u64, cost: Cost, lost: u64) -> Report {
        let mut story = Story::new(0);
        self.0.into_iter().for_each(|event| story.add(event));
        Report::of(story.ends(micros(end).as_nanos() as u64, cost, lost == 0), threads, lost)
    }
}

fn path(report: &Report) -> Vec<(&str, u64)> {
    report.critical_path.iter().map(|step| (&*step.name, step.time.as_micros() as u64)).collect()
}

fn micros_of<const N: usize>(times: [Duration; N]) -> [u64; N] {
    times.map(|time| time.as_micros() as u64)
}

/// Two loads, two fits and a merge:
///
/// ```text
/// thread 1   load a 0-100   fit a 105-505   merge 505-600
/// thread 2   load b 2-302   fit b 302-402
/// ```
///
/// By hand: work 100 + 400 + 95 + 300 + 100; paths a: 100 + 400 + 95 = 595, b: 300 + 100 + 95 = 495.
fn two_threads() -> Told {
    let mut told = Told::default();
    told.tell(0, 1, 5, What::Demanded);
    told.ran(1, 1, "load", [0, 100], &[]);
    told.ran(1, 3, "fit", [105, 505], &[1]);
    told.ran(1, 5, "merge", [505, 600], &[3, 4]);
    told.ran(2, 2, "load", [2, 302], &[]);
    told.ran(2, 4, "fit", [302, 402], &[2]);
    told
}

#[test]
fn two_threads_by_hand() {
    let report = two_threads().report(2, 700);
    assert_eq!(micros_of([report.work, report.span, report.wanted, report.recorded]), [995, 595, 600, 700]);
    assert_eq!(path(&report), [("load", 100), ("fit", 400), ("merge", 95)]);
    assert!((report.parallelism() - 995.0 / 595.0).abs() < 1e-9);
    assert!((report.speedup() - 995.0 / 600.0).abs() < 1e-9);
    assert!((report.critical_path[1].share - 400.0 / 595.0).abs() < 1e-9);

    let spent = &report.spent;
    // Thread 2 begins at 2 and has nothing from 402 on, when nothing is ready.
    assert_eq!(
        micros_of([spent.functions, spent.scheduling, spent.handing_over, spent.imbalance, spent.waiting]),
        [995, 5, 2, 198, 0]
    );
    assert_eq!(micros_of([spent.total()]), [1200]);
    let threads: Vec<_> = report.threads.iter().map(|thread| (thread.thread, thread.nodes)).collect();
    assert_eq!(threads, [(1, 3), (2, 2)]);
    assert_eq!(micros_of([report.threads[0].busy, report.threads[1].busy]), [595, 400]);

    let fit = report.functions.iter().find(|function| function.name == "fit").unwrap();
    assert_eq!((fit.calls, fit.bytes), (2, 200));
    assert_eq!(micros_of([fit.total, fit.mean, fit.p50, fit.p99]), [500, 250, 100, 400]);
    assert!(report.advice.iter().any(|advice| advice.contains("the last 33 % (198 µs) ran on one thread")));
}

#[test]
fn the_graph_keeps_its_shape() {
    let graph = two_threads().report(2, 700).graph();
    assert_eq!(graph.nodes.len(), 5);
    assert!(graph.nodes.iter().all(|node| node.status == Status::Done));
    let mut edges: Vec<_> = graph
        .edges
        .iter()
        .map(|edge| (&*graph.nodes[edge.from].name, &*graph.nodes[edge.to].name, &*edge.param))
        .collect();
    edges.sort_unstable();
    let (fit, load) = (("fit", "merge", "x"), ("load", "fit", "x"));
    assert_eq!(edges, [fit, fit, load, load]);
    assert!(graph.edges.iter().all(|edge| edge.from < edge.to));
}

#[test]
fn nodes_inside_others_are_not_counted_twice() {
    let mut told = Told::default();
    told.starts(0, 1, 1, "outer", Runs::Here, &[]);
    told.ran(1, 2, "inner", [100, 300], &[]);
    told.ran(1, 3, "inner", [300, 700], &[2]);
    told.ends(1000, 1, 1);
    let report = told.report(1, 1000);
    // The outer one takes 1000, of which 400 are its own.
    assert_eq!(micros_of([report.work, report.span]), [1000, 1000]);
    let totals: Vec<_> = report.functions.iter().map(|f| (&*f.name, f.total.as_micros())).collect();
    assert_eq!(totals, [("inner", 600), ("outer", 400)]);
    assert_eq!(micros_of([report.spent.functions, report.spent.total()]), [1000, 1000]);
}

#[test]
fn asynchronous_nodes_take_time_and_no_thread() {
    let mut told = Told::default();
    told.tell(0, 1, 2, What::Demanded);
    told.starts(0, 1, 1, "fetch", Runs::Async, &[]);
    told.ends(900, 7, 1);
    told.ran(2, 2, "parse", [900, 1000], &[1]);
    let report = told.report(2, 1000);
    assert_eq!(micros_of([report.work, report.span]), [100, 1000]);
    assert_eq!(path(&report), [("fetch", 900), ("parse", 100)]);
    assert_eq!(micros_of([report.spent.waiting, report.spent.imbalance]), [1800, 100]);
    assert_eq!(report.threads.len(), 1);
    assert!(report.advice[0].contains("the asynchronous `fetch`, 900 µs in the mean"), "{:?}", report.advice);
}

#[test]
fn the_second_start_of_a_node_counts() {
    let mut told = Told::default();
    told.starts(0, 1, 9, "flatten", Runs::Here, &[1]);
    told.ran(1, 2, "made", [1, 401], &[]);
    told.ran(1, 9, "flatten", [401, 402], &[2]);
    let report = told.report(1, 402);
    assert_eq!(path(&report), [("made", 400), ("flatten", 1)]);
    assert_eq!(micros_of([report.work]), [401]);
    assert_eq!(report.graph().edges.len(), 2);
}

/// Two graphs of two nodes that do not need each other, one wished for when the other is done.
#[test]
fn wishes_that_follow_each_other() {
    let mut told = Told::default();
    for (first, at) in [(10, 0), (20, 500)] {
        told.tell(at, 1, first, What::Demanded);
        told.ran(1, first, "long", [at + 1, at + 101], &[]);
        told.tell(at, 2, first + 1, What::Demanded);
        told.ran(2, first + 1, "short", [at + 2, at + 92], &[]);
        told.tell(at, 2, first, What::Released);
        told.tell(at, 2, first + 1, What::Released);
    }
    let report = told.report(2, 700);
    assert_eq!(path(&report), [("long", 100), ("long", 100)]);
    assert_eq!(micros_of([report.work, report.span, report.wanted]), [380, 200, 202]);
    assert!((report.parallelism() - 1.9).abs() < 1e-9);
}

#[test]
fn failures() {
    let mut told = Told::default();
    told.starts(0, 1, 1, "bad", Runs::Here, &[]);
    told.tell(100, 1, 1, What::Failed { error: None });
    told.tell(101, 1, 2, What::Failed { error: None });
    told.tell(101, 1, 2, What::Needs { input: 1, from: info("bad", 1), param: "x" });
    // Of another client.
    told.tell(102, 1, 7, What::Failed { error: None });
    // Cancelled by another thread while it ran.
    told.starts(200, 1, 3, "cancelled", Runs::Here, &[]);
    told.tell(250, 2, 3, What::Failed { error: None });
    told.ends(300, 1, 3);
    let report = told.report(1, 300);
    assert_eq!((report.started, report.failed), (2, 3));
    assert_eq!(micros_of([report.work]), [200]);
    assert_eq!(report.graph().nodes.len(), 3);
    assert_eq!(report.peak.values, 0);
}

#[test]
fn a_reader_that_is_too_slow() {
    let mut told = Told::default();
    // The start of one is missing, and the end of another.
    told.ends(50, 1, 1);
    told.starts(60, 1, 2, "lost its end", Runs::Here, &[1, 77]);
    told.ran(1, 3, "whole", [100, 200], &[2]);
    let report = told.report_with(1, 300, Cost::default(), 12_345);
    assert_eq!((report.started, report.lost), (2, 12_345));
    assert_eq!(micros_of([report.work]), [100]);
    assert!(report.advice[0].starts_with("12,345 events are missing"));
    let _ = (html::page(&report), json::report(&report), trace(&report), report.to_string());
}

#[test]
fn anything_may_be_missing() {
    let all = {
        let mut told = two_threads();
        told.starts(610, 1, 6, "fetch", Runs::Async, &[5]);
        told.ends(650, 3, 6);
        told.tell(660, 1, 6, What::Released);
        told.0
    };
    for kept in 0..1_u32 << all.len().min(12) {
        let some = all.iter().enumerate().filter(|(at, _)| kept >> (at % 12) & 1 == 1);
        let report =
            Told(some.map(|(_, event)| event.clone()).collect()).report_with(2, 700, Cost::default(), 1);
        assert!(report.to_string().lines().count() <= 40);
        assert!(report.work <= micros(1400));
    }
}

#[test]
fn a_chain_of_a_million() {
    let mut told = Told::default();
    for node in 1..=1_000_000 {
        told.ran(1, node, "inc", [node, node + 1], &[node - 1][..usize::from(node > 1)]);
    }
    let report = told.report(1, 1_000_002);
    assert_eq!(micros_of([report.work, report.span]), [1_000_000; 2]);
    let (stretches, others) = stretches(&report.critical_path, 5);
    assert_eq!((stretches.len(), others), (1, 0));
    assert_eq!(stretches[0].steps, 1_000_000);
    assert!(report.to_string().contains("inc ×1,000,000"));
}

#[test]
fn what_recording_took_is_taken_out() {
    let mut told = Told::default();
    told.tell(0, 1, 100, What::Demanded);
    for node in 0..100 {
        told.ran(1, node + 1, "inc", [4 * node + 1, 4 * node + 3], &[]);
    }
    let cost = Cost::of(400, 100, 400);
    let report = told.report_with(1, 400, cost, 0);
    let inc = &report.functions[0];
    assert_eq!([inc.mean, inc.scheduling], [Duration::from_nanos(1600); 2]);
    assert_eq!(report.spent.recording, Duration::from_nanos(400 * 199));
    assert_eq!(
        report.advice[0],
        "`inc` runs 1.60 µs, scheduling costs 1.60 µs: batch about 20 calls (src/main.rs:314)"
    );
}

#[test]
fn the_most_that_was_alive() {
    let mut told = two_threads();
    told.tell(506, 1, 3, What::Released);
    told.tell(506, 1, 4, What::Released);
    let report = told.report(2, 700);
    assert_eq!((report.peak.values, report.peak.bytes), (4, 400));
    assert_eq!(report.peak.time, micros(505));
}

#[test]
fn nothing_happened() {
    let report = Told::default().report(4, 100);
    assert_eq!(report.advice, ["no node started while this was recorded"]);
    assert_eq!((report.parallelism(), report.speedup()), (0.0, 0.0));
    assert!(html::page(&report).contains("no node started"));
}

#[test]
fn names_do_no_harm() {
    let long: &'static str = "x".repeat(1 << 20).leak();
    let names =
        ["</script><script>alert(1)</script>", "\"quoted\" \\ 'too'", "a\0b\u{1b}[31m", "\u{202E}rtl", long];
    let mut told = Told::default();
    for (node, name) in (1..).zip(names) {
        told.ran(1, node, name, [node * 10, node * 10 + 5], &[]);
    }
    let report = told.report(1, 100);
    let page = html::page(&report);
    assert_eq!(page.matches("</script").count(), 2);
    assert!(!page.contains("alert(1)</script>") && !page.contains('\u{202E}') && !page.contains('\0'));
    assert!(page.len() < 100_000);
    for text in [page, json::report(&report), trace(&report), report.to_string()] {
        assert!(!text.chars().any(|c| matches!(c, '\0' | '\u{1b}' | '\u{202E}')));
    }
    assert_eq!(json::string("a\"\\\n</\u{202E}\u{E0001}"), r#""a\"\\\n\u003c/\u202e\udb40\udc01""#);
}
