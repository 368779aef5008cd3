//! Reports of recordings, and those that `DELAYED_REPORT` asks for.

use delayed::event::Runs;
use delayed::{Client, Delayed, Report, Status, delayed};
use serde_json::Value;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::thread;
use std::time::{Duration, Instant};

fn spin(milliseconds: u64) {
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_millis(milliseconds) {
        std::hint::spin_loop();
    }
}

#[delayed]
fn load(milliseconds: u64) -> u64 {
    spin(milliseconds);
    milliseconds
}
#[delayed]
fn fit(x: u64, milliseconds: u64) -> u64 {
    spin(milliseconds);
    x
}
#[delayed]
fn merge(a: u64, b: u64) -> u64 {
    a + b
}
#[delayed]
fn inc(x: u64) -> u64 {
    x + 1
}
#[delayed]
fn refuse(x: u64) -> Result<u64, String> {
    Err(format!("{x} is refused"))
}
#[delayed]
async fn rest(milliseconds: u64) -> u64 {
    tokio::time::sleep(Duration::from_millis(milliseconds)).await;
    milliseconds
}
#[delayed]
fn outer(count: u64) -> u64 {
    let inner: Delayed<u64> = (0..count).map(inc).sum();
    inner.wait().unwrap()
}

fn client(threads: usize) -> Client {
    Client::builder().threads_per_worker(threads).build().unwrap()
}

/// What running `make`'s handle says.
fn report_of<T: Clone + Send + Sync + 'static>(threads: usize, make: impl FnOnce() -> Delayed<T>) -> Report {
    let client = client(threads);
    let _guard = client.enter();
    let recording = client.record();
    let _ = make().wait();
    recording.finish()
}

fn calls(report: &Report, name: &str) -> usize {
    report.functions.iter().filter(|function| function.name == name).map(|function| function.calls).sum()
}

fn path(report: &Report) -> Vec<&str> {
    report.critical_path.iter().map(|step| &*step.name).collect()
}

#[test]
fn a_chain_is_its_own_critical_path() {
    let report = report_of(1, || (0..1000).fold(inc(0), |x, _| inc(x)));
    assert_eq!((report.started, report.failed, report.lost), (1001, 0, 0));
    assert_eq!(calls(&report, "inc"), 1001);
    assert_eq!(report.critical_path.len(), 1001);
    assert!(report.critical_path.iter().all(|step| step.file == file!() && step.key.starts_with("inc-")));
    assert!((report.parallelism() - 1.0).abs() < 1e-6, "{}", report.parallelism());
    assert_eq!(report.functions[0].bytes, 8 * 1001);
    let graph = report.graph();
    assert_eq!((graph.nodes.len(), graph.edges.len()), (1001, 1000));
    assert!(graph.edges.iter().all(|edge| edge.param == "x" && edge.from < edge.to));
    assert!(graph.nodes.iter().all(|node| node.status == Status::Done));
}

#[test]
fn the_critical_path_goes_through_what_takes_long() {
    let report = report_of(2, || {
        let a = fit(load(20), 120).named("the long fit");
        merge(a, fit(load(5), 5))
    });
    assert_eq!(path(&report), ["load", "the long fit", "merge"]);
    // By hand: the path takes 20 + 120 ms and what the machine adds; all work is 150 ms.
    assert!(report.span >= Duration::from_millis(140) && report.work >= Duration::from_millis(150));
    assert!(report.span < report.work && report.span <= report.recorded);
    let share = report.critical_path[1].share;
    assert!((0.4..=0.9).contains(&share), "{share}");
    assert_eq!(calls(&report, "fit"), 2);
}

#[test]
fn failures_are_counted_and_keep_their_edges() {
    let report = report_of(1, || inc(inc(refuse(inc(1)))));
    assert_eq!((report.started, report.failed), (2, 3));
    assert_eq!(report.graph().edges.len(), 3);
    assert_eq!(report.graph().nodes.iter().filter(|node| node.status == Status::Failed).count(), 3);
}

#[test]
fn asynchronous_nodes_are_no_work() {
    let report = report_of(1, || merge(rest(50), rest(50)));
    assert!(report.span >= Duration::from_millis(50) && report.work < Duration::from_millis(50));
    let rest = report.functions.iter().find(|function| function.name == "rest").unwrap();
    assert_eq!((rest.calls, rest.runs), (2, Runs::Async));
    assert!(rest.total >= Duration::from_millis(100));
    assert!(report.advice[0].contains("for the asynchronous `rest`"), "{report}");
}

#[test]
fn nodes_inside_nodes_and_nodes_that_come_later() {
    let report = report_of(1, || merge(outer(10), delayed::call(|| inc(1), ()).flatten()));
    assert_eq!((calls(&report, "outer"), calls(&report, "inc"), report.lost), (1, 11, 0));
    assert!(report.work <= report.recorded);
    // `flatten` needs the node that made its graph, and what that made.
    let graph = report.graph();
    let flatten = graph.nodes.iter().position(|node| node.name == "flatten").unwrap();
    assert_eq!(graph.edges.iter().filter(|edge| edge.to == flatten).count(), 2);
}

#[test]
fn a_client_records_its_own_nodes() {
    let (one, other) = (client(1), client(1));
    let (first, second) = (one.record(), one.record());
    let all = delayed::record();
    for (client, x) in [(&one, 1), (&other, 2), (&other, 3)] {
        let _guard = client.enter();
        assert_eq!(inc(x).wait().unwrap(), x + 1);
    }
    drop(second);
    let report = first.finish();
    assert_eq!((report.started, report.graph().nodes.len()), (1, 1));
    assert!(all.finish().started >= 3);
}

#[test]
fn nothing_ran() {
    let report = client(1).record().finish();
    assert_eq!(report.started, 0);
    assert_eq!(report.advice, ["no node started while this was recorded"]);
}

fn scratch(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("report");
    std::fs::create_dir_all(&folder).unwrap();
    folder.join(name)
}

#[test]
fn all_formats() {
    let report = report_of(2, || merge(inc(1).named("</script>\u{202E}\"\0"), fit(load(2), 3)));
    let read = |name: &str| {
        report.save(scratch(name)).unwrap();
        std::fs::read_to_string(scratch(name)).unwrap()
    };
    let json: Value = serde_json::from_str(&read("figures.json")).unwrap();
    assert_eq!(json["started"], 4);
    assert_eq!(json["work"], report.work.as_nanos() as u64);
    assert_eq!(json["critical_path"].as_array().unwrap().len(), report.critical_path.len());

    let trace: Value = serde_json::from_str(&read("run.trace.json")).unwrap();
    let events = trace["traceEvents"].as_array().unwrap();
    let of = |phase: &str| events.iter().filter(|event| event["ph"] == phase).collect::<Vec<_>>();
    assert_eq!((of("X").len(), of("s").len(), of("f").len()), (4, 3, 3));
    assert!(of("X").iter().all(|event| {
        event["ts"].is_number() && event["dur"].is_number() && event["pid"] == 1 && event["tid"].is_number()
    }));
    let names: Vec<_> = of("X").iter().map(|event| event["name"].as_str().unwrap()).collect();
    assert!(names.contains(&"</script>\u{202E}\"\0"));
    assert!(of("X").iter().all(|event| event["args"]["file"] == file!()));

    let page = read("page.html");
    assert_eq!(page.matches("</script").count(), 2);
    assert!(!page.contains('\u{202E}') && !page.contains("{{") && !page.contains("http://www.w3.org/1999"));
    let data = page.split_once("id=\"data\">").unwrap().1.split_once("</script>").unwrap().0;
    let data: Value = serde_json::from_str(data).unwrap();
    let rows = data["rows"].as_array().unwrap();
    assert_eq!(rows.iter().map(|row| row["starts"].as_array().unwrap().len()).sum::<usize>(), 4);

    let text = read("report.txt");
    assert_eq!(text, report.to_string());
    assert!(text.lines().count() <= 40 && text.lines().all(|line| line.chars().count() <= 100), "{text}");
}

#[test]
fn endings_and_folders_that_do_not_exist() {
    let report = client(1).record().finish();
    let error = report.save("report.pdf").unwrap_err().to_string();
    assert!(error.contains("`report.pdf`") && error.contains(".trace.json"), "{error}");
    let error = report.save("no/such/folder/report.html").unwrap_err();
    assert!(error.to_string().contains("cannot write `no/such/folder/report.html`"), "{error}");
    assert_eq!(error.node().file(), file!());
}

/// What the child processes do.
#[test]
fn child() {
    let Some(how) = std::env::var_os("REPORT_TEST") else { return };
    assert_eq!(merge(inc(1), inc(2)).wait().unwrap(), 5);
    match how.to_str().unwrap() {
        "returns" => {}
        "exits" => std::process::exit(3),
        "exits in a node" => drop(delayed::call(|| std::process::exit(4), ()).wait()),
        "runs" => {
            let _handle = delayed::call(|| thread::sleep(Duration::from_secs(600)), ()).persist();
            thread::sleep(Duration::from_millis(50));
            std::process::exit(0);
        }
        "holds the stream" => {
            let _stream = std::io::stderr().lock();
            std::process::exit(0);
        }
        how => unreachable!("{how}"),
    }
}

fn run(how: &str, report: &str) -> Output {
    Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child", "--nocapture"])
        .env("REPORT_TEST", how)
        .env("DELAYED_REPORT", report)
        .output()
        .unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_process_that_returns() {
    let path = scratch("returns.json");
    let output = run("returns", path.to_str().unwrap());
    assert!(output.status.success());
    let json: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert_eq!((&json["started"], &json["lost"]), (&3.into(), &0.into()));
}

#[test]
fn a_process_that_exits() {
    for (how, code) in [("exits", 3), ("exits in a node", 4), ("holds the stream", 0)] {
        let output = run(how, "-");
        assert_eq!(output.status.code(), Some(code), "{how}");
        assert!(stderr(&output).contains("merge"), "{how}: {}", stderr(&output));
    }
}

#[test]
fn a_process_with_a_running_node_ends() {
    let begin = Instant::now();
    let output = run("runs", "-");
    assert!(begin.elapsed() < Duration::from_secs(60));
    assert!(stderr(&output).contains("4 nodes"), "{}", stderr(&output));
}

#[test]
fn what_the_variable_may_not_say() {
    let output = run("returns", "report.pdf");
    assert!(output.status.success());
    assert_eq!(stderr(&output).matches("DELAYED_REPORT: `report.pdf` names no kind of report").count(), 1);
    let output = run("returns", "no/such/folder/report.html");
    assert!(output.status.success());
    assert!(stderr(&output).contains("DELAYED_REPORT: cannot write `no/such/folder/report.html`"));
    assert_eq!(stderr(&run("returns", "")), "");
}
