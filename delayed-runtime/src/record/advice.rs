//! What would make the run faster, in sentences.

use super::report::{FunctionTimes, Report, ratio};
use crate::event::Runs;
use crate::units::{bytes, count, percent, place, time};
use crate::visible;
use std::collections::HashMap;
use std::time::Duration;

/// The most pieces of advice.
const MOST: usize = 5;
/// What costs less of the threads' time is not worth a sentence.
const WORTH_SAYING: f64 = 0.08;
/// How much of a batch may be scheduling.
const SCHEDULING: f64 = 0.05;
/// Values that hold as much are worth a sentence.
const MUCH_MEMORY: u64 = 1 << 30;

/// A sentence, and the part of the threads' time that it is about.
type Advice = (f64, String);

pub(super) fn advise(report: &Report) -> Vec<String> {
    if report.started == 0 {
        return match report.lost {
            0 => vec!["no node started while this was recorded".to_owned()],
            lost => vec![lost_events(lost)],
        };
    }
    let mut advice: Vec<Advice> = small_nodes(report);
    advice.extend(shape(report));
    advice.extend(tail(report));
    advice.extend(idle(report));
    advice.extend(recording(report));
    advice.retain(|(cost, _)| *cost >= WORTH_SAYING);
    advice.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut said: Vec<String> = advice.into_iter().map(|(_, what)| what).collect();
    if report.lost > 0 {
        said.insert(0, lost_events(report.lost));
    }
    said.truncate(MOST);
    if report.peak.bytes >= MUCH_MEMORY && said.len() < MOST {
        let (size, values) = (bytes(report.peak.bytes), count(report.peak.values as u64));
        said.push(format!("memory: {values} values held {size} after {}", time(report.peak.time)));
    }
    said
}

fn lost_events(lost: u64) -> String {
    format!(
        "{} events are missing: threads wrote faster than they were read, or the recording was full. All \
         figures are too low; record a shorter part",
        count(lost)
    )
}

fn name(name: &str) -> String {
    visible::cut(name, 40)
}

/// Functions that take less than it takes to come to them.
fn small_nodes(report: &Report) -> Vec<Advice> {
    let all = report.spent.total();
    let small = report.functions.iter().filter(|function| function.runs == Runs::Here && function.calls > 1);
    small
        .filter_map(|function| {
            // In the middle: a thread that is interrupted makes means that no node has.
            let (length, scheduling) =
                (function.p50.as_nanos() as f64, function.scheduling.as_nanos() as f64);
            let batch = (scheduling / (SCHEDULING * length.max(1.0))).ceil();
            let cost = ratio(function.scheduling.mul_f64(function.calls as f64), all);
            (batch >= 2.0).then(|| {
                let what = format!(
                    "`{}` runs {}, scheduling costs {}: batch about {} calls ({})",
                    name(&function.name),
                    time(function.p50),
                    time(function.scheduling),
                    count((batch as u64).min(function.calls as u64)),
                    place(function.file, function.line)
                );
                (cost, what)
            })
        })
        .collect()
}

/// Whether more threads would help, and what is in their way.
fn shape(report: &Report) -> Vec<Advice> {
    let mut advice = Vec::new();
    let (parallelism, threads) = (report.parallelism(), report.client_threads as f64);
    let all = report.spent.total();
    let idle = ratio(report.spent.imbalance, all);
    let busy = ratio(report.spent.functions, all);
    if report.work > report.wanted / 10 && parallelism < threads * 1.2 && threads > 1.0 {
        let what = format!(
            "work / span is {parallelism:.1} with {threads} threads: more will not help. Split or shorten what is \
             on the critical path"
        );
        advice.push((idle, what));
    }
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get()) as f64;
    let useful = cores.min(parallelism.floor());
    if useful > threads && busy >= 0.7 {
        let plural = if threads == 1.0 { "thread" } else { "threads" };
        let what = format!(
            "parallelism is {parallelism:.1}, the client has {threads} {plural}: give it up to {useful}"
        );
        advice.push((1.0 - threads / useful, what));
    }
    let longest = report.functions.iter().max_by(|a, b| a.critical.total_cmp(&b.critical));
    if let Some(function) = longest.filter(|function| function.critical >= 0.4 && function.runs == Runs::Here)
        && ratio(report.span, report.wanted) >= 0.5
        && parallelism < threads * 1.5
    {
        let what = format!(
            "`{}` is {} of the critical path, which is {} of the time: {}",
            name(&function.name),
            percent(function.critical),
            percent(ratio(report.span, report.wanted).min(1.0)),
            place(function.file, function.line)
        );
        // Beside what the graph's shape costs, of which this is the reason.
        advice.push((idle * 0.99, what));
    }
    advice
}

/// A long end with one thread.
fn tail(report: &Report) -> Option<Advice> {
    let end = report.asked_when.last()?.end;
    let tail = Duration::from_nanos(end.saturating_sub(report.last_two));
    if report.client_threads < 2 || report.last_two == 0 || report.spent.imbalance.is_zero() {
        return None;
    }
    let mut of_function: HashMap<u32, u64> = HashMap::new();
    for interval in report.story.lanes.iter().flat_map(|lane| &lane.intervals) {
        let node = &report.story.nodes[interval.node as usize];
        let inside = interval.end.saturating_sub(interval.begin.max(report.last_two)).min(node.own);
        *of_function.entry(node.function).or_default() += inside;
    }
    let (&function, &most) = of_function.iter().max_by_key(|(_, time)| **time)?;
    let share = ratio(tail, report.wanted);
    // What runs apart at the end has a sentence of its own.
    if ratio(Duration::from_nanos(most), tail) < 0.3 {
        return None;
    }
    let what = format!(
        "the last {} ({}) ran on one thread, most of it in `{}`",
        percent(share),
        time(tail),
        name(&report.story.functions[function as usize].name)
    );
    let threads = report.client_threads as f64;
    Some((share * (threads - 1.0) / threads, what))
}

/// Threads that had nothing to do.
fn idle(report: &Report) -> Vec<Advice> {
    let mut advice = Vec::new();
    let all = report.spent.total();
    let waiting = ratio(report.spent.waiting, all);
    let apart = |function: &&FunctionTimes| function.runs != Runs::Here;
    if let Some(function) = report.functions.iter().filter(apart).max_by_key(|function| function.total) {
        let how = if function.runs == Runs::Async { "asynchronous" } else { "blocking" };
        let what = format!(
            "threads waited {} of their time for functions that run apart, most for the {how} `{}`, {} in \
             the mean: {}",
            percent(waiting),
            name(&function.name),
            time(function.mean),
            place(function.file, function.line)
        );
        advice.push((waiting, what));
    }
    let handing = ratio(report.spent.handing_over, all);
    let what = format!(
        "threads were idle {} of their time although nodes were ready: nodes are too short to be shared, graphs \
         too small to wake a thread for, or other programs had the cores",
        percent(handing)
    );
    advice.push((handing - WORTH_SAYING, what));
    advice
}

fn recording(report: &Report) -> Option<Advice> {
    let share = ratio(report.spent.recording, report.spent.total());
    let what =
        format!("recording took {} of the time: the program is that much faster without", percent(share));
    Some((share - WORTH_SAYING, what))
}
