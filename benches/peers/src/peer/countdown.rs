//! A graph as static arrays: what `arrays`, `rayon` and `tokio_spawn` build from a plan.
//!
//! Nodes are numbers. Each has a count of the inputs that are not ready; who lowers it to zero runs
//! the node, or has it run.

use crate::kernel;
use crate::plan::Plan;
use crossbeam_utils::CachePadded;
use std::sync::atomic::{
    AtomicU32, AtomicU64, AtomicUsize,
    Ordering::{AcqRel, Acquire, Relaxed},
};

pub struct Countdown {
    plan: &'static Plan,
    /// The consumers of node `i` are `consumers[offsets[i]..offsets[i + 1]]`.
    consumers: Vec<u32>,
    offsets: Vec<u32>,
    /// How many inputs of a node are not ready. A node with one input needs no count.
    missing: Vec<AtomicU32>,
    /// Relaxed: the count that made a consumer ready orders what was written before.
    values: Vec<AtomicU64>,
    /// Nodes without inputs.
    roots: Vec<u32>,
    sinks_left: CachePadded<AtomicUsize>,
}

impl Countdown {
    pub fn new(plan: &'static Plan) -> Countdown {
        let nodes = plan.nodes();
        let mut offsets = Vec::with_capacity(nodes + 1);
        offsets.push(0);
        let mut end = 0;
        offsets.extend(plan.consumers.iter().map(|count| {
            end += count;
            end
        }));
        let mut free = offsets.clone();
        let mut consumers = vec![0; plan.edges()];
        let mut roots = Vec::new();
        let mut missing = Vec::with_capacity(nodes);
        for node in 0..nodes {
            let inputs = plan.inputs(node);
            missing.push(AtomicU32::new(inputs.len() as u32));
            if inputs.is_empty() {
                roots.push(node as u32);
            }
            for &input in inputs {
                let place = &mut free[input as usize];
                consumers[*place as usize] = node as u32;
                *place += 1;
            }
        }
        let values = (0..nodes).map(|_| AtomicU64::new(0)).collect();
        let sinks_left = CachePadded::new(AtomicUsize::new(plan.sinks.len()));
        Countdown { plan, consumers, offsets, missing, values, roots, sinks_left }
    }

    pub fn roots(&self) -> &[u32] {
        &self.roots
    }

    /// Computes a node whose inputs are ready and calls `ready` for each consumer that can run now.
    /// True if nothing is left to do in the whole graph.
    #[inline(always)]
    pub fn run(&self, node: u32, mut ready: impl FnMut(u32)) -> bool {
        let node = node as usize;
        let inputs = self.plan.inputs(node).iter();
        let sum = kernel::sum(inputs.map(|&input| self.values[input as usize].load(Relaxed)));
        self.values[node].store(kernel::value(self.plan.biases[node], sum), Relaxed);
        let consumers = &self.consumers[self.offsets[node] as usize..self.offsets[node + 1] as usize];
        for &consumer in consumers {
            let only_input = self.plan.inputs(consumer as usize).len() == 1;
            // Releases this value and acquires those of the other inputs.
            if only_input || self.missing[consumer as usize].fetch_sub(1, AcqRel) == 1 {
                ready(consumer);
            }
        }
        // Releases this value for whoever sees that the graph is done.
        consumers.is_empty() && self.sinks_left.fetch_sub(1, AcqRel) == 1
    }

    pub fn is_done(&self) -> bool {
        self.sinks_left.load(Acquire) == 0
    }

    pub fn checksum(&self) -> u64 {
        self.plan.checksum(|sink| self.values[sink as usize].load(Relaxed))
    }
}
