//! Costs per node, gathered over rounds.

use crate::child::Outcome;
use crate::measure::{Measurement, Request};
use crate::table::median;
use std::collections::BTreeMap;

/// A peer, a workload (at a size) and a number of threads.
pub type Key = (&'static str, String, usize);

#[derive(Debug, Default)]
pub struct Costs {
    /// By round.
    costs: BTreeMap<Key, BTreeMap<usize, f64>>,
    /// The workloads for which a peer has no figure, by reason.
    missing: BTreeMap<(&'static str, String), Vec<String>>,
    /// The hash of each plan, by workload and nodes.
    hashes: BTreeMap<(String, usize), String>,
}

impl Costs {
    /// Takes up what came of a request; `name` stands for the workload at its size.
    pub fn add(&mut self, request: &Request, name: &str, round: usize, outcome: &Outcome) {
        let peer = request.peer.name;
        let cost = outcome.as_ref().map_err(String::as_str).and_then(|measured| self.check(measured));
        match cost {
            Ok(cost) => {
                let key = (peer, name.to_owned(), request.threads);
                self.costs.entry(key).or_default().insert(round, cost);
            }
            Err(reason) => {
                eprintln!("{peer}, {name}, threads {}: {reason}", request.threads);
                let names = self.missing.entry((peer, reason.to_owned())).or_default();
                if names.last().is_none_or(|last| last != name) {
                    names.push(name.to_owned());
                }
            }
        }
    }

    /// The cost, if the plan was that of the others.
    fn check(&mut self, measurement: &Measurement) -> Result<f64, &'static str> {
        let plan = (measurement.workload.clone(), measurement.nodes);
        let hash = self.hashes.entry(plan).or_insert_with(|| measurement.hash.clone());
        if *hash == measurement.hash { Ok(measurement.cost()) } else { Err("it ran another graph") }
    }

    /// Whether a peer has failed before on a workload, so that it need not be tried again.
    pub fn gave_up(&self, peer: &str, name: &str) -> bool {
        self.missing.iter().any(|((who, _), names)| *who == peer && names.iter().any(|n| n == name))
    }

    /// The median over the rounds.
    pub fn cost(&self, key: &Key) -> Option<f64> {
        median(self.costs.get(key)?.values().copied().collect())
    }

    /// The median of the ratios to another peer on as many threads in the same round.
    pub fn ratio(&self, key: &Key, to: &'static str) -> Option<f64> {
        let (mine, its) = (self.costs.get(key)?, self.costs.get(&(to, key.1.clone(), key.2))?);
        median(mine.iter().filter_map(|(round, cost)| Some(cost / its.get(round)?)).collect())
    }

    /// A line for each reason why figures are missing.
    pub fn missing(&self) -> String {
        let line = |((peer, reason), names): (&(&str, String), &Vec<String>)| {
            format!("- {peer} has no figure for {}: {reason}\n", names.join(", "))
        };
        self.missing.iter().map(line).collect()
    }
}
