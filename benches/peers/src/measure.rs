//! One peer on one workload, in this process: the JSON line of the command `one`.

use crate::clock::Phases;
use crate::kernel;
use crate::peer::{Peer, Run, sequential};
use crate::workload::{self, Size};
use anyhow::{Result, bail};
use serde::{Deserialize, Serialize};

/// What is to be measured.
#[derive(Clone, Debug)]
pub struct Request {
    pub peer: &'static Peer,
    pub workload: String,
    pub threads: usize,
    pub grain: u64,
    pub repeats: usize,
    pub size: Size,
}

/// What was measured: times in nanoseconds, one for each repeat. The programs in `native/` and
/// `python/` print the same.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub struct Measurement {
    pub peer: String,
    pub workload: String,
    pub threads: usize,
    pub grain: u64,
    pub nodes: usize,
    pub edges: usize,
    pub build: Vec<u64>,
    pub run: Vec<u64>,
    pub drop: Vec<u64>,
    /// Processor time of the whole process, for all three.
    pub cpu: Vec<u64>,
    /// What the kernel takes for a grain of one on this number of threads; 0 without a grain.
    pub peak: f64,
    /// Of the plan.
    pub hash: String,
    /// Whether each repeat's checksum is that of a loop over the plan.
    pub ok: bool,
}

impl Measurement {
    /// The nanoseconds per node to build, run and drop the graph, in the best repeat.
    pub fn cost(&self) -> f64 {
        self.best(|i| self.build[i] + self.run[i] + self.drop[i])
    }

    /// The nanoseconds per node of what `time` says of a repeat, in the best one.
    pub fn best(&self, time: impl Fn(usize) -> u64) -> f64 {
        (0..self.run.len()).map(time).min().unwrap_or(0) as f64 / self.nodes as f64
    }
}

/// Measures a peer that is in this program, and started by `start`.
pub fn measure(request: &Request, start: fn(usize) -> Run) -> Result<Measurement> {
    let &Request { peer, ref workload, threads, grain, repeats, size } = request;
    let plan = &*Box::leak(Box::new(workload::plan(workload, size)?));
    if plan.most_inputs() > peer.most_inputs {
        bail!("a node takes at most {} inputs", peer.most_inputs);
    }
    let values = sequential::values(plan);
    let checksum = plan.checksum(|sink| values[sink as usize]);
    drop(values);

    kernel::set_grain(grain);
    let peak = || if grain > 0 { kernel::peak(threads) } else { 0.0 };
    let before = peak();
    let mut run = start(threads);
    let phases: Vec<Phases> = (0..repeats).map(|_| run(plan)).collect();
    let all = |time: fn(&Phases) -> u64| phases.iter().map(time).collect();
    Ok(Measurement {
        peer: peer.name.to_owned(),
        workload: workload.clone(),
        threads,
        grain,
        nodes: plan.nodes(),
        edges: plan.edges(),
        build: all(|phases| phases.build.wall),
        run: all(|phases| phases.run.wall),
        drop: all(|phases| phases.drop.wall),
        cpu: all(|phases| phases.build.cpu + phases.run.cpu + phases.drop.cpu),
        peak: before.min(peak()),
        hash: format!("{:016x}", plan.hash()),
        ok: phases.iter().all(|phases| phases.checksum == checksum),
    })
}
