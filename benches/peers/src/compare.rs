//! Each peer on each workload on one and on two threads: cost per node.

use crate::arguments::Arguments;
use crate::child;
use crate::costs::{Costs, Key};
use crate::measure::Request;
use crate::peer::{self, PEERS, Peer};
use crate::results;
use crate::table::{Table, number, pair, ratio};
use crate::workload::{self, SHAPES, Size, WIDTH_2, WIDTH_64};
use anyhow::Result;
use std::time::{Duration, Instant};

pub const OPTIONS: [&str; 5] = ["rounds", "peers", "workloads", "seconds", "grain"];

/// The tables, in markdown.
#[derive(Debug)]
pub struct Report {
    /// Nanoseconds per node.
    pub cost: String,
    pub to_arrays: String,
    pub to_delayed: String,
    /// Who ran smaller graphs, and what is missing and why.
    pub notes: String,
}

pub fn compare(arguments: &Arguments) -> Result<Report> {
    let rounds = arguments.get("rounds")?.unwrap_or(5);
    let seconds = arguments.get("seconds")?.unwrap_or(15 * 60);
    let grain = arguments.get("grain")?.unwrap_or(0);
    let peers = peer::chosen(arguments, &PEERS)?;
    let workloads = arguments.list("workloads", &workload::names().collect::<Vec<_>>())?;

    let mut requests = Vec::new();
    for &workload in &workloads {
        for &peer in &peers {
            requests.extend(peer.threads().map(|threads| request(peer, workload, threads, grain)));
        }
    }
    let deadline = Instant::now() + Duration::from_secs(seconds);
    let mut results = results::create("compare")?;
    let mut costs = Costs::default();
    for round in 0..rounds {
        for request in requests.iter().filter(|request| round < request.peer.rounds) {
            if Instant::now() > deadline {
                eprintln!("{seconds} s are over in round {}", round + 1);
                return Ok(report(&costs, &peers, &workloads));
            }
            if !costs.gave_up(request.peer.name, &request.workload) {
                let outcome = child::measure(request);
                costs.add(request, &request.workload, round, &outcome);
                results.add(&outcome)?;
            }
        }
        eprintln!("compare: round {} of {rounds} is done", round + 1);
    }
    Ok(report(&costs, &peers, &workloads))
}

fn request(peer: &'static Peer, workload: &str, threads: usize, grain: u64) -> Request {
    // Too small a graph for few repeats, and it has one size.
    let repeats = if workload == "loop256" { 10 * peer.repeats } else { peer.repeats };
    let size = Size { scale: peer.scale, nodes: None, steps: None };
    Request { peer, workload: workload.to_owned(), threads, grain, repeats, size }
}

fn report(costs: &Costs, peers: &[&'static Peer], workloads: &[&'static str]) -> Report {
    let tables = |cell: &dyn Fn(&Key) -> Option<String>| {
        let groups = [SHAPES, WIDTH_64, WIDTH_2].map(|group| {
            let group: Vec<&str> = group.into_iter().filter(|name| workloads.contains(name)).collect();
            if group.is_empty() { String::new() } else { table(peers, &group, cell) + "\n" }
        });
        groups.concat()
    };
    let smaller = peers.iter().filter(|peer| peer.scale > 1);
    let smaller = smaller.map(|peer| format!("- {}: graphs of 1/{} of the size\n", peer.name, peer.scale));
    Report {
        cost: tables(&|key| costs.cost(key).map(number)),
        to_arrays: tables(&|key| costs.ratio(key, "arrays").map(ratio)),
        to_delayed: tables(&|key| costs.ratio(key, "delayed").map(ratio)),
        notes: smaller.collect::<String>() + &costs.missing(),
    }
}

fn table(peers: &[&'static Peer], workloads: &[&str], cell: &dyn Fn(&Key) -> Option<String>) -> String {
    let mut table = Table::new(["1 / 2 threads"].iter().chain(workloads).copied());
    for peer in peers {
        let cell = |workload: &&str| pair([1, 2].map(|n| cell(&(peer.name, workload.to_string(), n))));
        table.row([peer.name.to_owned()].into_iter().chain(workloads.iter().map(cell)));
    }
    table.finish()
}
