//! The best sequential order, by exhaustive search.
//!
//! A state is the set of nodes that have run. A limit on live values is raised until some path of
//! states keeps below it. Where a node that can run frees at least as much as it adds, it runs at
//! once: whatever else runs before it needs no less room with it than without it.

use super::graph::{Graph, Peaks};
use std::collections::HashSet;

/// Graphs with more nodes are not tried.
const MOST_NODES: usize = 64;
/// A search that visits more states is given up.
const MOST_STATES: usize = 3_000_000;

/// The least peaks of any order, each by its own order. Zero: not found.
pub(crate) fn best(graph: &Graph) -> Peaks {
    if graph.len() > MOST_NODES {
        return Peaks::default();
    }
    let least = |sinks_stay| Search::new(graph, sinks_stay).least().unwrap_or(0);
    Peaks { all: least(true), intermediate: least(false) }
}

struct Search {
    /// The inputs and the consumers of each node, as sets.
    inputs: Vec<u64>,
    consumers: Vec<u64>,
    sinks_stay: bool,
}

impl Search {
    fn new(graph: &Graph, sinks_stay: bool) -> Search {
        let mut inputs = vec![0; graph.len()];
        let mut consumers = vec![0; graph.len()];
        for (node, of_node) in graph.inputs.iter().enumerate() {
            for &input in of_node {
                inputs[node] |= 1 << input;
                consumers[input] |= 1 << node;
            }
        }
        Search { inputs, consumers, sinks_stay }
    }

    fn least(&self) -> Option<usize> {
        let widest = self.inputs.iter().map(|inputs| inputs.count_ones() as usize).max()?;
        let mut states = MOST_STATES;
        (widest + 1..)
            .find_map(|limit| self.fits(limit, &mut states).then(|| (states > 0).then_some(limit)))?
    }

    /// Whether an order keeps within the limit. True also when it runs out of states.
    fn fits(&self, limit: usize, states: &mut usize) -> bool {
        let all = self.inputs.len();
        let mut seen = HashSet::new();
        let mut open = vec![(0_u64, 0_usize)];
        while let Some(state) = open.pop() {
            let (done, live) = self.run_what_frees(state, limit);
            if done.count_ones() as usize == all {
                return true;
            }
            if live >= limit || !seen.insert(done) {
                continue;
            }
            *states -= 1;
            if *states == 0 {
                return true;
            }
            open.extend(self.ready(done).map(|node| self.after(node, (done, live))));
        }
        false
    }

    fn run_what_frees(&self, mut state: (u64, usize), limit: usize) -> (u64, usize) {
        while state.1 < limit
            && let Some(next) =
                self.ready(state.0).map(|node| self.after(node, state)).find(|next| next.1 <= state.1)
        {
            state = next;
        }
        state
    }

    fn ready(&self, done: u64) -> impl Iterator<Item = usize> {
        (0..self.inputs.len()).filter(move |&node| done >> node & 1 == 0 && self.inputs[node] & !done == 0)
    }

    /// The state after a node has run and let go of its inputs.
    fn after(&self, node: usize, (done, live): (u64, usize)) -> (u64, usize) {
        let done = done | 1 << node;
        let mut inputs = self.inputs[node];
        let mut freed = 0;
        while inputs != 0 {
            let input = inputs.trailing_zeros() as usize;
            inputs &= inputs - 1;
            freed += usize::from(self.consumers[input] & !done == 0);
        }
        let stays = self.sinks_stay || self.consumers[node] != 0;
        (done, live + usize::from(stays) - freed)
    }
}
