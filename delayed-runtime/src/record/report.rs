//! What a recording says: figures that are public, and the story behind them.

use super::advice::advise;
use super::path::Paths;
use super::spent::{Asked, Live, Spent, asked, live, pass};
use super::story::Story;
use crate::event::Runs;
use crate::graph::{Edge, Graph, GraphNode};
use crate::handle::Status;
use std::time::Duration;

/// Moments of the curve of live values.
const CURVE: usize = 400;

/// Why a run is not faster: made by [`Recording::finish`](crate::Recording::finish).
///
/// `Display` is the report for a terminal; [`save`](Report::save) writes it, or more of it, to a file.
///
/// The time of a node is from its start to its end, without what recording took of it (an estimate). A node
/// that waits for others inside runs them meanwhile: its own time is without theirs. A function that is
/// asynchronous, or waits between two attempts, takes time but no thread: it has no own time.
#[derive(Debug)]
#[non_exhaustive]
pub struct Report {
    /// How long the recording was.
    pub recorded: Duration,
    /// How much of that something was wanted or ran.
    pub wanted: Duration,
    /// Threads of the client. For a recording of all clients, of the largest one.
    pub client_threads: usize,
    /// Nodes that started.
    pub started: usize,
    /// Nodes that have an error.
    pub failed: usize,
    /// The own times of all nodes.
    pub work: Duration,
    /// The longest path of nodes that need each other, by their times. What was first wished for when all else
    /// was done comes after that.
    pub span: Duration,
    /// The nodes of that path, first to last.
    pub critical_path: Vec<Step>,
    /// Functions, those with most time first.
    pub functions: Vec<FunctionTimes>,
    /// Threads that ran nodes.
    pub threads: Vec<ThreadTimes>,
    /// Where the time of the client's threads went.
    pub spent: Spent,
    /// When the known bytes of values that functions had made were most, and how many values there were. What
    /// lies behind boxes, maps and vectors of structs is not known.
    pub peak: Live,
    /// What would help, most important first; empty if nothing stands out.
    pub advice: Vec<String>,
    /// Events that are missing because threads wrote faster than they were read, or because the recording
    /// was full. The figures are too low by what they would have said.
    pub lost: u64,
    pub(super) story: Story,
    pub(super) order: Vec<u32>,
    pub(super) curve: Vec<Live>,
    /// When something was wanted or ran, and when two threads did for the last time. Nanoseconds.
    pub(super) asked_when: Vec<Asked>,
    pub(super) last_two: u64,
}

/// A node of the critical path.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Step {
    /// The name and a number that no other node of this process has.
    pub key: String,
    /// The function's name, or the one that the node was given.
    pub name: String,
    /// Where the function was defined, or the call for what this crate's own operations made.
    pub file: &'static str,
    /// The line in `file`, from 1.
    pub line: u32,
    /// How long it took.
    pub time: Duration,
    /// Its part of the path, from 0 to 1.
    pub share: f64,
}

/// What the nodes of one function took.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct FunctionTimes {
    /// Its name.
    pub name: String,
    /// Where it was defined, or the call for what this crate's own operations made.
    pub file: &'static str,
    /// The line in `file`, from 1.
    pub line: u32,
    /// How its nodes run.
    pub runs: Runs,
    /// Nodes that started.
    pub calls: usize,
    /// Nodes that have an error, also those that never started.
    pub failed: usize,
    /// The own times of its nodes; the times, if it is asynchronous.
    pub total: Duration,
    /// `total` for each call.
    pub mean: Duration,
    /// Half of the calls took no longer.
    pub p50: Duration,
    /// 99 of 100 calls took no longer.
    pub p99: Duration,
    /// The known bytes of all its values: see [`What::Finished`](crate::What::Finished).
    pub bytes: u64,
    /// The median of the times from the end of another node on the same thread to the start of one of these.
    pub scheduling: Duration,
    /// Its part of the critical path, from 0 to 1.
    pub critical: f64,
}

/// What a thread did.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ThreadTimes {
    /// The thread's number in events: see [`Event::thread`](crate::Event::thread).
    pub thread: u32,
    /// Nodes that ran on it.
    pub nodes: usize,
    /// The own times of these nodes.
    pub busy: Duration,
    /// `busy` as a part of the time in which something was wanted, from 0 to 1.
    pub utilisation: f64,
}

pub(super) fn ratio(a: Duration, b: Duration) -> f64 {
    if b.is_zero() { 0.0 } else { a.as_secs_f64() / b.as_secs_f64() }
}

impl Report {
    pub(super) fn of(story: Story, client_threads: usize, lost: u64) -> Report {
        let asked_when = asked(&story);
        let paths = Paths::of(&story, &asked_when);
        let passed = pass(&story, &asked_when, client_threads);
        let (curve, peak) = live(&story, CURVE);
        let wanted = Duration::from_nanos(asked_when.iter().map(|asked| asked.end - asked.begin).sum());
        let span = Duration::from_nanos(paths.span);
        let of = |nanos: u64| Duration::from_nanos(nanos);
        let here = story.nodes.iter().filter(|node| node.runs == Runs::Here);
        let spent = Spent {
            functions: of(here.map(|node| node.own).sum()),
            scheduling: of(story.nodes.iter().filter_map(|node| node.gap).map(u64::from).sum()),
            recording: of(story.recording),
            handing_over: of(passed.handing_over),
            imbalance: of(passed.imbalance),
            waiting: of(passed.waiting),
        };
        let mut report = Report {
            recorded: of(story.end),
            wanted,
            client_threads,
            started: story.nodes.iter().filter(|node| node.has_started()).count(),
            failed: story.nodes.iter().filter(|node| node.failed).count(),
            work: of(story.nodes.iter().map(|node| node.own).sum()),
            span,
            critical_path: paths.longest.iter().map(|&node| step(&story, node, span)).collect(),
            functions: functions(&story, &paths),
            threads: threads(&story, wanted),
            spent,
            peak,
            advice: Vec::new(),
            lost,
            order: paths.order,
            curve,
            asked_when,
            last_two: passed.last_two,
            story,
        };
        report.advice = advise(&report);
        report
    }

    /// Work by span: how many threads the graph has work for, in the mean.
    pub fn parallelism(&self) -> f64 {
        ratio(self.work, self.span)
    }

    /// Work by the time in which something was wanted: how much faster this was than one thread that does
    /// nothing but call the functions.
    pub fn speedup(&self) -> f64 {
        ratio(self.work, self.wanted)
    }

    /// The nodes that were wanted and their edges, also of nodes that have let go of their inputs since.
    pub fn graph(&self) -> Graph {
        let mut graph = Graph::default();
        let mut place = vec![usize::MAX; self.story.nodes.len()];
        let mut started: Vec<u32> = (0..self.story.nodes.len() as u32).collect();
        started.retain(|&index| self.story.nodes[index as usize].has_started());
        started.sort_by_key(|&index| self.story.nodes[index as usize].start);
        let mut order = vec![None; self.story.nodes.len()];
        started.iter().enumerate().for_each(|(at, &index)| order[index as usize] = Some(at));
        for &index in &self.order {
            let node = &self.story.nodes[index as usize];
            let info = self.story.info(index);
            let status = match () {
                () if node.failed => Status::Failed,
                () if node.has_ended() => Status::Done,
                () if node.has_started() => Status::Running,
                () => Status::Waiting,
            };
            place[index as usize] = graph.nodes.len();
            let name = &self.story.functions[node.function as usize].name;
            let is_value = name == "value" && !node.has_started();
            let function = if is_value { "" } else { name };
            graph.nodes.push(GraphNode {
                name: info.name().to_owned(),
                key: info.key(),
                file: info.file().into(),
                line: info.line(),
                status,
                function: function.to_owned().into(),
                order: order[index as usize],
                time: (node.has_started() && node.has_ended()).then(|| Duration::from_nanos(node.elapsed)),
            });
        }
        let flows = self.story.flows.iter();
        graph.edges = flows
            .map(|flow| Edge {
                from: place[flow.from as usize],
                to: place[flow.to as usize],
                param: flow.param.into(),
            })
            .filter(|edge| edge.from != usize::MAX && edge.to != usize::MAX)
            .collect();
        graph.edges.sort_by_key(|edge| edge.to);
        for edge in &graph.edges {
            // What was done before the recording began, such as a value, was not seen to end.
            let taken = matches!(graph.nodes[edge.to].status, Status::Running | Status::Done);
            let input = &mut graph.nodes[edge.from].status;
            if taken && *input == Status::Waiting {
                *input = Status::Done;
            }
        }
        graph
    }
}

fn step(story: &Story, index: u32, span: Duration) -> Step {
    let info = story.info(index);
    let time = Duration::from_nanos(story.nodes[index as usize].elapsed);
    Step {
        key: info.key(),
        name: info.name().to_owned(),
        file: info.file(),
        line: info.line(),
        time,
        share: ratio(time, span),
    }
}

fn functions(story: &Story, paths: &Paths) -> Vec<FunctionTimes> {
    let of = Duration::from_nanos;
    let mut times: Vec<Vec<u64>> = vec![Vec::new(); story.functions.len()];
    let mut gaps: Vec<Vec<u64>> = vec![Vec::new(); story.functions.len()];
    let mut all: Vec<FunctionTimes> = story
        .functions
        .iter()
        .map(|function| FunctionTimes {
            name: function.name.clone(),
            file: function.place.file,
            line: function.place.line,
            runs: Runs::Here,
            calls: 0,
            failed: 0,
            total: Duration::ZERO,
            mean: Duration::ZERO,
            p50: Duration::ZERO,
            p99: Duration::ZERO,
            bytes: 0,
            scheduling: Duration::ZERO,
            critical: 0.0,
        })
        .collect();
    for node in &story.nodes {
        let function = &mut all[node.function as usize];
        function.failed += usize::from(node.failed);
        if node.has_started() {
            function.runs = node.runs;
            function.bytes += node.bytes;
            times[node.function as usize].push(if node.runs == Runs::Async {
                node.elapsed
            } else {
                node.own
            });
            gaps[node.function as usize].extend(node.gap.map(u64::from));
        }
    }
    for &index in &paths.longest {
        let node = &story.nodes[index as usize];
        all[node.function as usize].critical += ratio(of(node.elapsed), of(paths.span));
    }
    for (function, (mut times, mut gaps)) in all.iter_mut().zip(times.into_iter().zip(gaps)) {
        times.sort_unstable();
        gaps.sort_unstable();
        let total: u64 = times.iter().sum();
        function.calls = times.len();
        function.total = of(total);
        function.mean = of(total / times.len().max(1) as u64);
        (function.p50, function.p99) = (of(quantile(&times, 50)), of(quantile(&times, 99)));
        function.scheduling = of(quantile(&gaps, 50));
    }
    all.retain(|function| function.calls + function.failed > 0);
    all.sort_by(|a, b| b.total.cmp(&a.total).then_with(|| (&a.name, a.line).cmp(&(&b.name, b.line))));
    all
}

/// The smallest of the sorted times that is not below `percent` of them.
fn quantile(times: &[u64], percent: usize) -> u64 {
    let rank = (times.len() * percent).div_ceil(100);
    times.get(rank.saturating_sub(1)).copied().unwrap_or(0)
}

fn threads(story: &Story, wanted: Duration) -> Vec<ThreadTimes> {
    let times = story.lanes.iter().map(|lane| {
        let own = lane.intervals.iter().map(|interval| story.nodes[interval.node as usize].own);
        let busy = Duration::from_nanos(own.sum());
        let (thread, nodes) = (lane.number, lane.intervals.len());
        ThreadTimes { thread, nodes, busy, utilisation: ratio(busy, wanted) }
    });
    times.collect()
}
