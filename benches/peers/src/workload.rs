//! The workloads: shapes of graphs, each with a name and a size.

use crate::plan::{Draft, Plan, Random};
use crate::task_bench::Pattern;
use anyhow::{Result, bail};

/// Small graphs that each stress one thing.
pub const SHAPES: [&str; 6] = ["chain", "wide", "loop256", "tree", "wavefront", "random"];
/// Task Bench's patterns with 64 nodes a step.
pub const WIDTH_64: [&str; 6] =
    ["stencil_64", "fft_64", "nearest_64", "spread_64", "tree_64", "all_to_all_64"];
/// The same with 2 nodes a step: little to share between two threads.
pub const WIDTH_2: [&str; 6] = ["stencil_2", "fft_2", "nearest_2", "spread_2", "tree_2", "all_to_all_2"];

/// All names, in the order of the tables.
pub fn names() -> impl Iterator<Item = &'static str> {
    SHAPES.into_iter().chain(WIDTH_64).chain(WIDTH_2)
}

/// How large a plan is made.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Divides the number of nodes, and of steps.
    pub scale: usize,
    /// The number of nodes, roughly, in place of the usual one.
    pub nodes: Option<usize>,
    /// The number of steps of a Task Bench pattern, in place of the usual one.
    pub steps: Option<usize>,
}

impl Size {
    fn nodes(self, usual: usize) -> usize {
        self.nodes.unwrap_or(usual / self.scale).max(4)
    }

    fn steps(self) -> usize {
        self.steps.unwrap_or(1000 / self.scale).max(2)
    }
}

/// Makes the plan of a workload. `loop256` has one size.
pub fn plan(name: &str, size: Size) -> Result<Plan> {
    let mut draft = Draft::new();
    match name {
        "chain" => chain(&mut draft, size.nodes(100_000)),
        "wide" => {
            let leaves = draft.leaves(size.nodes(100_000));
            draft.reduce(leaves, 16);
        }
        "loop256" => loop256(&mut draft),
        "tree" => {
            let leaves = draft.leaves(size.nodes(1 << 18) / 2);
            draft.reduce(leaves, 2);
        }
        "wavefront" => wavefront(&mut draft, size.nodes(316 * 316).isqrt() as u32),
        "random" => random(&mut draft, size.nodes(100_000) as u64),
        _ => match Pattern::named(name) {
            Some((pattern, width)) => pattern.draw(&mut draft, width, size.steps() as i64),
            None => bail!("no workload `{name}`; there are {}", names().collect::<Vec<_>>().join(", ")),
        },
    }
    Ok(draft.finish())
}

fn chain(draft: &mut Draft, nodes: usize) {
    let mut last = draft.node(&[], 1);
    for _ in 1..nodes {
        last = draft.node(&[last], 1);
    }
}

/// 256 times `x = inc(i)`, `y = dec(x)`, `add(x, y)`, and the sum of all by pairs: 65536.
fn loop256(draft: &mut Draft) {
    let mut sums = Vec::new();
    for i in 0..256 {
        let x = draft.node(&[], i + 1);
        let y = draft.node(&[x], u64::MAX);
        sums.push(draft.node(&[x, y], 0));
    }
    draft.reduce(sums, 2);
}

/// A square in which each node needs its neighbours above and to the left.
fn wavefront(draft: &mut Draft, side: u32) {
    for row in 0..side {
        for column in 0..side {
            let here = row * side + column;
            let above = (row > 0).then(|| here - side);
            let left = (column > 0).then(|| here - 1);
            let inputs: Vec<u32> = above.into_iter().chain(left).collect();
            draft.node(&inputs, 1);
        }
    }
}

/// Each node has up to 4 inputs among the 1000 nodes before it.
fn random(draft: &mut Draft, nodes: u64) {
    let mut random = Random::new(42);
    for node in 0..nodes {
        let mut inputs = Vec::new();
        for _ in 0..(random.next() % 5).min(node) {
            let input = (node - 1 - random.next() % node.min(1000)) as u32;
            if !inputs.contains(&input) {
                inputs.push(input);
            }
        }
        draft.node(&inputs, node);
    }
}

#[cfg(test)]
mod tests {
    use super::{Size, names, plan};
    use crate::peer::sequential;

    const SIZE: Size = Size { scale: 100, nodes: None, steps: None };

    #[test]
    fn the_256_loop_sums_up_to_65536() {
        let plan = plan("loop256", SIZE).unwrap();
        assert_eq!((plan.nodes(), sequential::values(&plan).pop()), (1023, Some(65536)));
    }

    #[test]
    fn every_name_is_a_workload_whose_inputs_come_before_their_consumers() {
        for name in names() {
            let plan = plan(name, SIZE).unwrap();
            let ordered =
                (0..plan.nodes()).all(|node| plan.inputs(node).iter().all(|&i| (i as usize) < node));
            assert!(ordered, "{name}");
        }
    }
}
