//! The longest path through what was recorded.
//!
//! What a program wishes for when nothing is wanted any more, it wishes for after it has got the rest. No edge
//! says so; so the time between such wishes has a path of its own, and these follow each other.

use super::spent::Asked;
use super::story::Story;

/// How long each node and the longest path to it take, and the nodes in an order of the edges.
#[derive(Debug, Default)]
pub(super) struct Paths {
    /// Each node comes after those it needs.
    pub(super) order: Vec<u32>,
    /// Of the longest path, first to last.
    pub(super) longest: Vec<u32>,
    /// Nanoseconds.
    pub(super) span: u64,
}

impl Paths {
    pub(super) fn of(story: &Story, asked: &[Asked]) -> Paths {
        let wishes: Vec<u64> = asked.iter().filter(|asked| asked.by_wish).map(|asked| asked.begin).collect();
        // After how many of these wishes a node started.
        let after = |node: usize| wishes.partition_point(|wish| *wish <= story.nodes[node].start);
        let after: Vec<usize> = (0..story.nodes.len()).map(after).collect();
        let nodes = story.nodes.len();
        let mut starts = vec![0_u32; nodes + 1];
        let mut missing = vec![0_u32; nodes];
        for flow in &story.flows {
            starts[flow.from as usize + 1] += 1;
            missing[flow.to as usize] += 1;
        }
        for node in 0..nodes {
            starts[node + 1] += starts[node];
        }
        let mut consumers = vec![0; story.flows.len()];
        let mut next = starts.clone();
        for flow in &story.flows {
            let place = &mut next[flow.from as usize];
            consumers[*place as usize] = flow.to;
            *place += 1;
        }

        let mut before = vec![u32::MAX; nodes];
        let mut until: Vec<u64> = story.nodes.iter().map(|node| node.elapsed).collect();
        let mut order: Vec<u32> = (0..nodes as u32).filter(|node| missing[*node as usize] == 0).collect();
        let mut at = 0;
        while at < order.len() {
            let node = order[at] as usize;
            at += 1;
            for &consumer in &consumers[starts[node] as usize..starts[node + 1] as usize] {
                let to = consumer as usize;
                let through = until[node] + story.nodes[to].elapsed;
                let follows = story.nodes[node].has_started() && after[node] == after[to];
                if follows && (through > until[to] || before[to] == u32::MAX) {
                    (until[to], before[to]) = (through.max(until[to]), node as u32);
                }
                missing[to] -= 1;
                if missing[to] == 0 {
                    order.push(consumer);
                }
            }
        }
        let mut lasts = vec![u32::MAX; wishes.len() + 1];
        for &node in order.iter().filter(|node| story.nodes[**node as usize].has_started()) {
            let last = &mut lasts[after[node as usize]];
            // Of paths as long as each other the one that goes further: short nodes may take no time.
            if *last == u32::MAX || until[node as usize] >= until[*last as usize] {
                *last = node;
            }
        }
        let is_node = |node: &u32| *node != u32::MAX;
        let mut paths = Paths { order, ..Paths::default() };
        for last in lasts.into_iter().filter(is_node) {
            let first = paths.longest.len();
            let path = std::iter::successors(Some(last), |node| Some(before[*node as usize]).filter(is_node));
            paths.longest.extend(path);
            paths.longest[first..].reverse();
            paths.span += until[last as usize];
        }
        paths
    }
}
