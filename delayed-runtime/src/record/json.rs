//! JSON, and the figures of a report in it.

use super::report::Report;
use crate::event::Runs;
use crate::visible::visible;
use std::fmt::Write;
use std::time::Duration;

/// A text in quotes. It is harmless inside HTML, and on a terminal.
pub(super) fn string(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if visible(c) == c && !matches!(c, '<' | '>' | '&') => out.push(c),
            c => {
                for unit in c.encode_utf16(&mut [0; 2]) {
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
    out
}

/// An object of values that are JSON.
pub(super) fn object<'a>(fields: impl IntoIterator<Item = (&'a str, String)>) -> String {
    let fields = fields.into_iter().map(|(name, value)| format!("\"{name}\":{value}"));
    format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
}

/// An array of values that are JSON.
pub(super) fn array(values: impl IntoIterator<Item = String>) -> String {
    format!("[{}]", values.into_iter().collect::<Vec<_>>().join(","))
}

fn lines(values: impl IntoIterator<Item = String>) -> String {
    format!("[\n{}\n]", values.into_iter().collect::<Vec<_>>().join(",\n"))
}

fn nanos(time: Duration) -> String {
    time.as_nanos().to_string()
}

fn number(number: f64) -> String {
    format!("{number:.4}")
}

pub(super) fn runs(runs: Runs) -> &'static str {
    match runs {
        Runs::Here => "here",
        Runs::Blocking => "blocking",
        Runs::Async => "async",
    }
}

/// The figures; times are nanoseconds.
pub(super) fn report(report: &Report) -> String {
    let functions = report.functions.iter().map(|function| {
        object([
            ("name", string(&function.name)),
            ("file", string(function.file)),
            ("line", function.line.to_string()),
            ("runs", string(runs(function.runs))),
            ("calls", function.calls.to_string()),
            ("failed", function.failed.to_string()),
            ("total", nanos(function.total)),
            ("mean", nanos(function.mean)),
            ("p50", nanos(function.p50)),
            ("p99", nanos(function.p99)),
            ("bytes", function.bytes.to_string()),
            ("scheduling", nanos(function.scheduling)),
            ("critical", number(function.critical)),
        ])
    });
    let steps = report.critical_path.iter().map(|step| {
        object([
            ("key", string(&step.key)),
            ("name", string(&step.name)),
            ("file", string(step.file)),
            ("line", step.line.to_string()),
            ("time", nanos(step.time)),
            ("share", number(step.share)),
        ])
    });
    let threads = report.threads.iter().map(|thread| {
        object([
            ("thread", thread.thread.to_string()),
            ("nodes", thread.nodes.to_string()),
            ("busy", nanos(thread.busy)),
            ("utilisation", number(thread.utilisation)),
        ])
    });
    let parts = report.spent.parts();
    let names: Vec<String> = parts.iter().map(|(name, _)| name.replace(' ', "_")).collect();
    let spent = object(names.iter().map(String::as_str).zip(parts.map(|(_, time)| nanos(time))));
    let peak = object([
        ("time", nanos(report.peak.time)),
        ("values", report.peak.values.to_string()),
        ("bytes", report.peak.bytes.to_string()),
    ]);
    let fields = [
        ("recorded", nanos(report.recorded)),
        ("wanted", nanos(report.wanted)),
        ("client_threads", report.client_threads.to_string()),
        ("started", report.started.to_string()),
        ("failed", report.failed.to_string()),
        ("work", nanos(report.work)),
        ("span", nanos(report.span)),
        ("parallelism", number(report.parallelism())),
        ("speedup", number(report.speedup())),
        ("lost", report.lost.to_string()),
        ("advice", array(report.advice.iter().map(|what| string(what)))),
        ("spent", spent),
        ("peak", peak),
        ("threads", lines(threads)),
        ("functions", lines(functions)),
        ("critical_path", lines(steps)),
    ];
    object(fields) + "\n"
}
