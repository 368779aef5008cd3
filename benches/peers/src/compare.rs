//! Each peer on each workload on one and on two threads: cost per node.

use crate::arguments::Arguments;
use crate::child::{self, Outcome};
use crate::measure::Request;
use crate::peer::{self, PEERS, Peer};
use crate::table::{Table, median, number, ratio};
use crate::workload::{SHAPES, Size, WIDTH_2, WIDTH_64};
use crate::{results, workload};
use anyhow::Result;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};

pub const OPTIONS: [&str; 5] = ["rounds", "peers", "workloads", "seconds", "grain"];
const THREADS: [usize; 2] = [1, 2];

/// A peer, a workload and a number of threads.
type Cell = (&'static str, &'static str, usize);

/// The costs per node of each cell, by round.
#[derive(Debug, Default)]
struct Costs {
    rounds: BTreeMap<Cell, BTreeMap<usize, f64>>,
    /// Why a peer has no cost for a workload.
    missing: BTreeMap<(&'static str, String), Vec<&'static str>>,
}

/// The tables, in markdown.
#[derive(Debug)]
pub struct Report {
    pub cost: String,
    pub to_arrays: String,
    pub to_delayed: String,
    /// What is missing and why, and who ran fewer nodes.
    pub notes: String,
}

pub fn compare(arguments: &Arguments) -> Result<Report> {
    let rounds = arguments.get("rounds")?.unwrap_or(5);
    let seconds = arguments.get("seconds")?.unwrap_or(3600);
    let grain = arguments.get("grain")?.unwrap_or(0);
    let peers = arguments.list("peers", &PEERS.each_ref().map(|peer| peer.name))?;
    let workloads = arguments.list("workloads", &workload::names().collect::<Vec<_>>())?;
    let peers: Vec<&'static Peer> = peers.into_iter().filter_map(peer::named).collect();

    let deadline = Instant::now() + Duration::from_secs(seconds);
    let mut results = results::create("compare")?;
    let mut costs = Costs::default();
    let mut hashes = BTreeMap::new();
    'rounds: for round in 0..rounds {
        for &workload in &workloads {
            for &peer in &peers {
                for &threads in THREADS.iter().filter(|&&threads| threads == 1 || peer.parallel) {
                    if round >= peer.rounds || costs.gave_up(peer, workload) {
                        continue;
                    }
                    if Instant::now() > deadline {
                        eprintln!("{seconds} s are over in round {} at {workload}", round + 1);
                        break 'rounds;
                    }
                    let outcome = child::measure(&request(peer, workload, threads, grain));
                    let outcome = outcome.and_then(|measurement| {
                        let known =
                            hashes.entry((workload, measurement.nodes)).or_insert(measurement.hash.clone());
                        if *known == measurement.hash {
                            Ok(measurement)
                        } else {
                            Err("another plan".to_owned())
                        }
                    });
                    results.add(&outcome)?;
                    costs.add((peer.name, workload, threads), round, outcome);
                }
            }
        }
        eprintln!("round {} of {rounds} is done", round + 1);
    }
    Ok(costs.report(&peers, &workloads))
}

fn request(peer: &'static Peer, workload: &str, threads: usize, grain: u64) -> Request {
    // Too small a graph for few repeats, and it has one size.
    let repeats = if workload == "loop256" { 10 * peer.repeats } else { peer.repeats };
    let size = Size { scale: peer.scale, nodes: None, steps: None };
    Request { peer, workload: workload.to_owned(), threads, grain, repeats, size }
}

impl Costs {
    fn add(&mut self, cell: Cell, round: usize, outcome: Outcome) {
        match outcome {
            Ok(measurement) => {
                self.rounds.entry(cell).or_default().insert(round, measurement.cost());
            }
            Err(reason) => {
                eprintln!("{}, {}, {} threads: {reason}", cell.0, cell.1, cell.2);
                let workloads = self.missing.entry((cell.0, reason)).or_default();
                if !workloads.contains(&cell.1) {
                    workloads.push(cell.1);
                }
            }
        }
    }

    fn gave_up(&self, peer: &Peer, workload: &str) -> bool {
        self.missing.iter().any(|((name, _), workloads)| *name == peer.name && workloads.contains(&workload))
    }

    /// The median over the rounds.
    fn cost(&self, cell: Cell) -> Option<f64> {
        median(self.rounds.get(&cell)?.values().copied().collect())
    }

    /// The median of the ratios to a peer on the same number of threads in the same round.
    fn ratio(&self, cell: Cell, to: &'static str) -> Option<f64> {
        let (mine, its) = (self.rounds.get(&cell)?, self.rounds.get(&(to, cell.1, cell.2))?);
        median(mine.iter().filter_map(|(round, cost)| Some(cost / its.get(round)?)).collect())
    }

    fn report(&self, peers: &[&'static Peer], workloads: &[&'static str]) -> Report {
        let tables = |cell: &dyn Fn(Cell) -> Option<String>| {
            [SHAPES, WIDTH_64, WIDTH_2]
                .iter()
                .filter_map(|group| {
                    let group: Vec<&str> = group.iter().copied().filter(|w| workloads.contains(w)).collect();
                    (!group.is_empty()).then(|| table(peers, &group, cell))
                })
                .collect::<Vec<_>>()
                .join("\n")
        };
        Report {
            cost: tables(&|cell| self.cost(cell).map(number)),
            to_arrays: tables(&|cell| self.ratio(cell, "arrays").map(ratio)),
            to_delayed: tables(&|cell| self.ratio(cell, "delayed").map(ratio)),
            notes: self.notes(peers),
        }
    }

    fn notes(&self, peers: &[&'static Peer]) -> String {
        let mut notes = String::new();
        for peer in peers.iter().filter(|peer| peer.scale > 1) {
            notes += &format!("- {}: graphs of 1/{} of the size\n", peer.name, peer.scale);
        }
        for ((peer, reason), workloads) in &self.missing {
            notes += &format!("- {peer} has no figure for {}: {reason}\n", workloads.join(", "));
        }
        notes
    }
}

/// A row for each peer; a cell has the figure for one thread and for two.
fn table(
    peers: &[&'static Peer],
    workloads: &[&'static str],
    cell: &dyn Fn(Cell) -> Option<String>,
) -> String {
    let mut table = Table::new(["1 / 2 threads"].iter().chain(workloads).copied());
    for peer in peers {
        let cells = workloads.iter().map(|workload| {
            let figures = THREADS.map(|threads| cell((peer.name, workload, threads)));
            match figures {
                [None, None] => "-".to_owned(),
                [one, two] => [one, two].map(|figure| figure.unwrap_or("-".to_owned())).join(" / "),
            }
        });
        table.row([peer.name.to_owned()].into_iter().chain(cells));
    }
    table.finish()
}
