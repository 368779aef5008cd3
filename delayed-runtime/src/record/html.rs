//! A report as one page that needs nothing else; what is in tables needs no script either.

use super::json::{array, object, string};
use super::report::{Report, ratio};
use super::story::{Interval, Story};
use super::terminal::{nothing, stretches, summary};
use crate::draw::{self, Colour, Paint, Style};
use crate::event::Runs;
use crate::units::{bytes, count, percent, place, time};
use crate::visible;
use std::collections::HashMap;
use std::fmt::Write;

/// The most nodes of the task stream; of more, the longest.
const NODES: usize = 300_000;
/// The most rows for nodes that ran apart.
const APART: usize = 24;
/// The most rows of the critical path.
const STEPS: usize = 40;
/// The size of the curve of live values.
const CURVE: (f64, f64) = (1000.0, 90.0);

pub(super) fn page(report: &Report) -> String {
    let graph = report.graph();
    let functions = report.story.functions.iter().map(|function| &*function.name);
    let colours = draw::of_functions(graph.nodes.iter().map(|node| &*node.function).chain(functions));
    let parts = [
        ("SUMMARY", draw::escape(&summary(report))),
        ("TILES", tiles(report)),
        ("ADVICE", advice(report)),
        ("SPENT", spent(report)),
        ("FUNCTIONS", function_rows(report, &colours)),
        ("PATH", path(report)),
        ("THREADS", threads(report)),
        ("LIVE", live(report)),
        ("GRAPH", graph.svg(&Style::new().colour(Colour::Time))),
        ("DATA", data(report, &colours)),
    ];
    // One pass, so that what one part holds is not looked for in it.
    let mut out = String::new();
    for piece in include_str!("report.html").split("{{") {
        match piece.split_once("}}") {
            Some((name, rest)) => {
                out.extend(parts.iter().filter(|(part, _)| *part == name).map(|(_, text)| text.as_str()));
                out.push_str(rest);
            }
            None => out.push_str(piece),
        }
    }
    out
}

type Colours<'r> = HashMap<&'r str, Paint>;

fn escape(text: &str) -> String {
    draw::escape(&visible::cut(text, 80))
}

fn tiles(report: &Report) -> String {
    let threads = report.client_threads;
    let tiles = [
        ("work", time(report.work), "the own times of all nodes"),
        ("span", time(report.span), "the longest path of nodes that need each other"),
        ("parallelism", format!("{:.1}", report.parallelism()), "work / span"),
        ("speed-up", format!("{:.2}", report.speedup()), "work / the time in which something was wanted"),
        ("threads", threads.to_string(), "of the client"),
        ("wanted", time(report.wanted), "the time in which something was wanted or ran"),
    ];
    tiles.iter().fold(String::new(), |mut out, (name, value, what)| {
        let _ = write!(out, "<div title=\"{what}\"><b>{value}</b><span>{name}</span></div>");
        out
    })
}

fn advice(report: &Report) -> String {
    if report.advice.is_empty() {
        return format!("<li>{}</li>", draw::escape(&nothing(report)));
    }
    report.advice.iter().map(|advice| format!("<li>{}</li>", draw::escape(advice))).collect()
}

fn spent(report: &Report) -> String {
    let total = report.spent.total();
    let parts = report.spent.parts().map(|(name, part)| (name, part, ratio(part, total)));
    let kinds = [
        ("functions", "ran functions"),
        ("scheduling", "from one node to the next"),
        ("recording", "writing down what is reported here, by an estimate"),
        ("handing", "idle although a node was ready"),
        ("imbalance", "idle, no node was ready, and others ran functions"),
        ("waiting", "idle, no node was ready, and asynchronous or blocking functions had not ended"),
    ];
    let (mut bar, mut legend) = (String::new(), String::new());
    for ((kind, what), (name, part, share)) in kinds.iter().zip(parts) {
        let _ = write!(
            bar,
            "<i class=\"{kind}\" title=\"{name}: {what}\" style=\"width:{:.3}%\"></i>",
            share * 100.0
        );
        let _ = write!(
            legend,
            "<span title=\"{what}\"><i class=\"{kind}\"></i>{name} <b>{}</b> {}</span>",
            percent(share),
            time(part)
        );
    }
    format!("<div class=\"bar\">{bar}</div><div class=\"legend\">{legend}</div>")
}

fn function_rows(report: &Report, colours: &Colours<'_>) -> String {
    let mut out = String::new();
    for function in &report.functions {
        let colour = colours[&*function.name].line;
        let how = match function.runs {
            Runs::Here => "",
            Runs::Blocking => " <em>blocking</em>",
            Runs::Async => " <em>async</em>",
        };
        let failed = match function.failed {
            0 => String::new(),
            failed => format!(" <em>{} failed</em>", count(failed as u64)),
        };
        let _ = write!(
            out,
            "<tr><td><i style=\"background:{colour}\"></i>{}{how}{failed}<small>{}</small></td>",
            escape(&function.name),
            draw::escape(&place(function.file, function.line))
        );
        let mut cell = |number: u128, text: String| {
            let _ = write!(out, "<td data-n=\"{number}\">{text}</td>");
        };
        cell(function.calls as u128, count(function.calls as u64));
        for span in [function.total, function.mean, function.p50, function.p99, function.scheduling] {
            cell(span.as_nanos(), time(span));
        }
        cell(function.bytes.into(), bytes(function.bytes));
        cell((function.critical * 1e6) as u128, percent(function.critical));
        out.push_str("</tr>\n");
    }
    out
}

fn path(report: &Report) -> String {
    let (stretches, others) = stretches(&report.critical_path, STEPS);
    let mut out = String::new();
    for stretch in stretches {
        let steps =
            if stretch.steps > 1 { format!(" ×{}", count(stretch.steps as u64)) } else { String::new() };
        let _ = writeln!(
            out,
            "<tr><td>{}{steps}<small>{}</small></td><td>{}</td><td>{}</td><td class=\"meter\"><i style=\"width:{:.2}%\"></i></td></tr>",
            escape(&stretch.name),
            draw::escape(&stretch.place),
            time(stretch.time),
            percent(stretch.share),
            stretch.share * 100.0
        );
    }
    if others > 0 {
        let _ =
            writeln!(out, "<tr><td colspan=\"4\">and {} shorter stretches</td></tr>", count(others as u64));
    }
    out
}

fn threads(report: &Report) -> String {
    report.threads.iter().fold(String::new(), |mut out, thread| {
        let _ = writeln!(
            out,
            "<tr><td>thread {}</td><td>{}</td><td>{}</td><td>{}</td><td class=\"meter\"><i style=\"width:{:.2}%\"></i></td></tr>",
            thread.thread,
            count(thread.nodes as u64),
            time(thread.busy),
            percent(thread.utilisation),
            thread.utilisation * 100.0
        );
        out
    })
}

fn live(report: &Report) -> String {
    let (width, height) = CURVE;
    let peak = &report.peak;
    let most = report.curve.iter().map(|live| live.values).max().unwrap_or(0).max(1) as f64;
    let largest = peak.bytes.max(1) as f64;
    let x = |at: std::time::Duration| width * ratio(at, report.recorded);
    let line = |share: &dyn Fn(usize) -> f64| {
        let mut points = format!("M0 {height}");
        for (at, live) in report.curve.iter().enumerate() {
            let _ = write!(points, "H{:.1}V{:.1}", x(live.time), height - share(at) * (height - 4.0));
        }
        points + &format!("H{width}")
    };
    let values = line(&|at| report.curve[at].values as f64 / most);
    let sizes = line(&|at| report.curve[at].bytes as f64 / largest);
    format!(
        "<svg viewBox=\"0 0 {width} {height}\" preserveAspectRatio=\"none\"><path class=\"bytes\" d=\"{sizes}V{height}Z\"/><path class=\"values\" d=\"{values}\"/></svg><p><i class=\"values\"></i>up to {} values, <i class=\"bytes\"></i>at least {}; most after {}.</p>",
        count(most as u64),
        bytes(peak.bytes),
        time(peak.time)
    )
}

/// What the task stream is drawn of: for each row its nodes, by starts, as differences.
fn data(report: &Report, colours: &Colours<'_>) -> String {
    let story = &report.story;
    let all = story.lanes.iter().flat_map(|lane| &lane.intervals).chain(&story.apart);
    let mut lengths: Vec<u64> = all.map(|interval| interval.end - interval.begin).collect();
    let left_out = lengths.len().saturating_sub(NODES);
    let shortest = if left_out > 0 { *lengths.select_nth_unstable(left_out).1 } else { 0 };
    let mut rows: Vec<String> = Vec::new();
    for lane in &story.lanes {
        rows.push(row(story, &format!("thread {}", lane.number), &lane.intervals, shortest));
    }
    for (number, intervals) in (1..).zip(apart(story)) {
        rows.push(row(story, &format!("apart {number}"), &intervals, shortest));
    }
    let functions = story.functions.iter().map(|function| {
        let Paint { fill, line, .. } = colours[&*function.name];
        object([
            ("name", string(&visible::cut(&function.name, 80))),
            ("place", string(&place(function.place.file, function.place.line))),
            ("fill", string(&fill.to_string())),
            ("stroke", string(&line.to_string())),
        ])
    });
    let names = story.names.iter().map(|(index, name)| {
        array([story.nodes[*index as usize].id.to_string(), string(&visible::cut(name, 80))])
    });
    object([
        ("end", story.end.to_string()),
        ("leftOut", left_out.to_string()),
        ("functions", array(functions)),
        ("names", array(names)),
        ("rows", array(rows)),
    ])
}

fn row(story: &Story, name: &str, intervals: &[Interval], shortest: u64) -> String {
    let (mut starts, mut lengths, mut functions, mut ids) =
        (String::new(), String::new(), String::new(), String::new());
    let (mut start, mut id) = (0, 0);
    let shown = intervals.iter().filter(|interval| interval.end - interval.begin >= shortest);
    for (at, interval) in shown.enumerate() {
        let node = &story.nodes[interval.node as usize];
        let comma = if at == 0 { "" } else { "," };
        let _ = write!(starts, "{comma}{}", interval.begin.saturating_sub(start));
        let _ = write!(lengths, "{comma}{}", interval.end - interval.begin);
        let _ = write!(functions, "{comma}{}", node.function);
        let _ = write!(ids, "{comma}{}", node.id as i64 - id);
        (start, id) = (interval.begin.max(start), node.id as i64);
    }
    let list = |numbers: String| format!("[{numbers}]");
    object([
        ("name", string(name)),
        ("starts", list(starts)),
        ("lengths", list(lengths)),
        ("functions", list(functions)),
        ("ids", list(ids)),
    ])
}

/// Nodes that ran apart, in rows in which they do not overlap; what needs more rows lies in the last.
fn apart(story: &Story) -> Vec<Vec<Interval>> {
    let mut rows: Vec<Vec<Interval>> = Vec::new();
    for interval in &story.apart {
        let is_free = |row: &Vec<Interval>| row.last().is_none_or(|last| last.end <= interval.begin);
        match rows.iter().position(is_free) {
            Some(row) => rows[row].push(*interval),
            None if rows.len() < APART => rows.push(vec![*interval]),
            None => rows[APART - 1].push(*interval),
        }
    }
    rows
}
