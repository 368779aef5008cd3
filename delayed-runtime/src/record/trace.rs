//! Chrome's trace format, which Perfetto opens: nodes on their threads, edges as arrows, live values.

use super::json::{array, object, string};
use super::report::Report;
use super::story::{Interval, Story};
use std::collections::HashSet;

/// Above this many, no arrows: viewers draw each.
const ARROWS: usize = 100_000;
/// All is one process, whatever its number was.
const PROCESS: &str = "1";

pub(super) fn trace(report: &Report) -> String {
    let story = &report.story;
    let mut events = vec![object([
        ("ph", string("M")),
        ("name", string("process_name")),
        ("pid", PROCESS.to_owned()),
        ("args", object([("name", string("delayed"))])),
    ])];
    for lane in &story.lanes {
        events.push(object([
            ("ph", string("M")),
            ("name", string("thread_name")),
            ("pid", PROCESS.to_owned()),
            ("tid", lane.number.to_string()),
            ("args", object([("name", string(&format!("thread {}", lane.number)))])),
        ]));
        let complete = |interval: &Interval| {
            let length = interval.end - interval.begin;
            let event = event(story, interval.node, "X", interval.begin, lane.number);
            object(event.into_iter().chain([("dur", micros(length)), ("args", args(story, interval.node))]))
        };
        events.extend(lane.intervals.iter().map(complete));
    }
    for interval in &story.apart {
        let id = string(&story.nodes[interval.node as usize].id.to_string());
        let thread = story.nodes[interval.node as usize].thread;
        let begin = event(story, interval.node, "b", interval.begin, thread);
        let end = event(story, interval.node, "e", interval.end, thread);
        events.push(object(
            begin.into_iter().chain([("id", id.clone()), ("args", args(story, interval.node))]),
        ));
        events.push(object(end.into_iter().chain([("id", id)])));
    }
    if story.flows.len() <= ARROWS {
        arrows(story, &mut events);
    }
    for live in &report.curve {
        for (name, value) in [("live values", live.values as u64), ("live bytes", live.bytes)] {
            events.push(object([
                ("ph", string("C")),
                ("name", string(name)),
                ("ts", micros(live.time.as_nanos() as u64)),
                ("pid", PROCESS.to_owned()),
                // Perfetto calls the track by both words.
                ("args", object([("now", value.to_string())])),
            ]));
        }
    }
    object([("displayTimeUnit", string("ns")), ("traceEvents", array(events))]) + "\n"
}

fn event(story: &Story, node: u32, phase: &str, time: u64, thread: u32) -> [(&'static str, String); 6] {
    [
        ("ph", string(phase)),
        ("name", string(story.info(node).name())),
        ("cat", string("node")),
        ("ts", micros(time)),
        ("pid", PROCESS.to_owned()),
        ("tid", thread.to_string()),
    ]
}

fn args(story: &Story, node: u32) -> String {
    let info = story.info(node);
    object([
        ("key", string(&info.key())),
        ("file", string(info.file())),
        ("line", info.line().to_string()),
        ("bytes", story.nodes[node as usize].bytes.to_string()),
    ])
}

/// Arrows between nodes that were on threads: viewers find the ends by thread and time.
fn arrows(story: &Story, events: &mut Vec<String>) {
    let placed: HashSet<u32> =
        story.lanes.iter().flat_map(|lane| &lane.intervals).map(|interval| interval.node).collect();
    for (number, flow) in (1..).zip(&story.flows) {
        let [from, to] = [flow.from, flow.to];
        if !placed.contains(&from) || !placed.contains(&to) {
            continue;
        }
        let [input, consumer] = [from, to].map(|node| &story.nodes[node as usize]);
        let ends = [
            ("s", input.start + input.end.saturating_sub(input.start + 1), input.thread),
            ("f", consumer.start, consumer.thread),
        ];
        for (phase, time, thread) in ends {
            events.push(object([
                ("ph", string(phase)),
                ("id", number.to_string()),
                ("name", string(flow.param)),
                ("cat", string("edge")),
                ("bp", string("e")),
                ("ts", micros(time)),
                ("pid", PROCESS.to_owned()),
                ("tid", thread.to_string()),
            ]));
        }
    }
}

fn micros(nanos: u64) -> String {
    format!("{}.{:03}", nanos / 1000, nanos % 1000)
}
