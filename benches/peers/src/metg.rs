//! METG, the minimum effective task granularity of Task Bench: how short tasks may be until a
//! system spends too much of the machine on itself.
//!
//! Each node runs the kernel `grain` times. A run's efficiency is the time that the kernels take at
//! peak speed over the time that all threads took together; a task's time is the latter divided by
//! the number of nodes. METG is the task's time at which the efficiency reaches a threshold. On two
//! cores one thread alone reaches 50 %, so that threshold says something on one thread only; two
//! threads have to reach 75 %.

use crate::arguments::Arguments;
use crate::child::{self, Outcome};
use crate::measure::Request;
use crate::peer::{self, PEERS, Peer};
use crate::plot::{self, Curve};
use crate::results;
use crate::table::{Table, number};
use crate::workload::Size;
use anyhow::{Context, Result};
use std::collections::BTreeMap;
use std::fs;
use std::ops::RangeInclusive;

pub const OPTIONS: [&str; 2] = ["rounds", "peers"];

const WORKLOADS: [&str; 3] = ["stencil_64", "fft_64", "nearest_64"];
/// The thresholds for one thread and for two.
const THRESHOLDS: [(usize, f64); 2] = [(1, 0.5), (2, 0.75)];

/// A peer, a workload and a number of threads.
type Key = (&'static str, String, usize);

/// The shortest times of a run, in nanoseconds per node.
#[derive(Clone, Copy, Debug)]
struct Times {
    run: f64,
    build_and_run: f64,
}

#[derive(Debug, Default)]
struct Sweep {
    /// By grain.
    times: BTreeMap<Key, BTreeMap<u64, Times>>,
    /// What a grain of one takes at best, by threads.
    peaks: BTreeMap<usize, f64>,
    /// Why a peer has no figure for a workload.
    missing: BTreeMap<(&'static str, String), String>,
}

/// The tables, in markdown; the plot is written beside the README.
pub fn metg(arguments: &Arguments) -> Result<String> {
    let rounds = arguments.get("rounds")?.unwrap_or(2);
    // The loop has no tasks.
    let peers = peer::chosen(arguments, PEERS.iter().filter(|peer| peer.name != "sequential"))?;
    let mut requests = Vec::new();
    for workload in WORKLOADS {
        for &peer in &peers {
            for threads in peer.threads() {
                let grains = exponents(peer).map(|exponent| 1 << exponent);
                requests.extend(grains.map(|grain| request(peer, workload, threads, grain)));
            }
        }
    }
    let mut results = results::create("metg")?;
    let mut sweep = Sweep::default();
    for round in 0..rounds {
        for request in &requests {
            if !sweep.gave_up(request) {
                let outcome = child::measure(request);
                results.add(&outcome)?;
                sweep.add(request, outcome);
            }
        }
        eprintln!("metg: round {} of {rounds} is done", round + 1);
    }
    let svg = results::home().join("../metg.svg");
    fs::write(&svg, sweep.plot(&peers)).context("metg.svg cannot be written")?;
    Ok(sweep.tables(&peers))
}

/// The grains, as powers of two: from tens of nanoseconds to what a peer of this speed needs.
fn exponents(peer: &Peer) -> RangeInclusive<u32> {
    match peer.scale {
        1 => 2..=11,
        10 => 9..=15,
        _ => 14..=18,
    }
}

fn request(peer: &'static Peer, workload: &str, threads: usize, grain: u64) -> Request {
    let (steps, repeats) = if peer.scale == 1 { (1000, 4) } else { (10, 2) };
    let size = Size { scale: 1, nodes: None, steps: Some(steps) };
    Request { peer, workload: workload.to_owned(), threads, grain, repeats, size }
}

impl Sweep {
    fn add(&mut self, request: &Request, outcome: Outcome) {
        let (peer, threads) = (request.peer.name, request.threads);
        match outcome {
            Ok(measurement) => {
                let run = measurement.best(|i| measurement.run[i]);
                let build_and_run = measurement.best(|i| measurement.build[i] + measurement.run[i]);
                let grains = self.times.entry((peer, request.workload.clone(), threads)).or_default();
                let times = grains.entry(request.grain).or_insert(Times { run, build_and_run });
                times.run = times.run.min(run);
                times.build_and_run = times.build_and_run.min(build_and_run);
                let peak = self.peaks.entry(threads).or_insert(measurement.peak);
                *peak = peak.min(measurement.peak);
            }
            Err(reason) => {
                eprintln!("{peer}, {}, threads {threads}: {reason}", request.workload);
                self.missing.insert((peer, request.workload.clone()), reason);
            }
        }
    }

    fn gave_up(&self, request: &Request) -> bool {
        self.missing.contains_key(&(request.peer.name, request.workload.clone()))
    }

    /// A task's time and the efficiency, at each grain.
    fn points(&self, key: &Key, time: fn(&Times) -> f64) -> Option<Vec<(f64, f64)>> {
        let (threads, peak) = (key.2 as f64, self.peaks.get(&key.2)?);
        let point = |(&grain, times): (&u64, &Times)| {
            let task = time(times) * threads;
            (task, peak * grain as f64 / task)
        };
        Some(self.times.get(key)?.iter().map(point).collect())
    }

    fn tables(&self, peers: &[&'static Peer]) -> String {
        let mut text = String::new();
        for (threads, threshold) in THRESHOLDS {
            let corner = format!("{threads} thread{}, {:.0} %", ["", "s"][threads - 1], threshold * 100.0);
            let mut table = Table::new([corner.as_str()].into_iter().chain(WORKLOADS));
            for peer in peers.iter().filter(|peer| peer.threads().any(|n| n == threads)) {
                let cells = WORKLOADS.map(|workload| {
                    let key = (peer.name, workload.to_owned(), threads);
                    let figure = |time| Some(crossing(&self.points(&key, time)?, threshold));
                    match (figure(|times| times.run), figure(|times| times.build_and_run)) {
                        (Some(run), Some(both)) => format!("{run} / {both}"),
                        _ => "-".to_owned(),
                    }
                });
                table.row([peer.name.to_owned()].into_iter().chain(cells));
            }
            text += &(table.finish() + "\n");
        }
        for ((peer, workload), reason) in &self.missing {
            text += &format!("- {peer} has no figure for {workload}: {reason}\n");
        }
        text
    }

    fn plot(&self, peers: &[&'static Peer]) -> String {
        let (threads, threshold) = THRESHOLDS[1];
        let curves = peers.iter().filter_map(|peer| {
            let points =
                self.points(&(peer.name, WORKLOADS[0].to_owned(), threads), |times| times.build_and_run)?;
            let colour = PEERS.iter().position(|other| other.name == peer.name)?;
            Some(Curve { name: peer.name, colour, points })
        });
        plot::draw(
            "Efficiency of two threads, stencil_64, build and run",
            threshold,
            &curves.collect::<Vec<_>>(),
        )
    }
}

/// The task's time at which the efficiency first reaches the threshold, between two points on the
/// line through them.
fn crossing(points: &[(f64, f64)], threshold: f64) -> String {
    match points.iter().position(|&(_, efficiency)| efficiency >= threshold) {
        Some(0) => format!("< {}", number(points[0].0)),
        Some(i) => {
            let ((t0, e0), (t1, e1)) = (points[i - 1], points[i]);
            number(t0 + (t1 - t0) * (threshold - e0) / (e1 - e0))
        }
        None => points.last().map_or("-".to_owned(), |last| format!("> {}", number(last.0))),
    }
}

#[cfg(test)]
mod tests {
    use super::crossing;

    #[test]
    fn metg_lies_on_the_line_between_two_points() {
        let points = [(100.0, 0.25), (200.0, 0.75), (400.0, 0.95)];
        assert_eq!(crossing(&points, 0.5), "150");
        assert_eq!(crossing(&points, 0.2), "< 100");
        assert_eq!(crossing(&points, 0.99), "> 400");
    }
}
