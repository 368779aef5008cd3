//! The longest path through what was recorded.

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
    pub(super) fn of(story: &Story) -> Paths {
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
                if through > until[to] || before[to] == u32::MAX {
                    (until[to], before[to]) = (through.max(until[to]), node as u32);
                }
                missing[to] -= 1;
                if missing[to] == 0 {
                    order.push(consumer);
                }
            }
        }
        let last = order.iter().copied().max_by_key(|node| until[*node as usize]);
        let mut longest: Vec<u32> =
            std::iter::successors(last, |node| Some(before[*node as usize]).filter(|at| *at != u32::MAX))
                .filter(|node| story.nodes[*node as usize].has_started())
                .collect();
        longest.reverse();
        Paths { span: last.map_or(0, |last| until[last as usize]), longest, order }
    }
}
