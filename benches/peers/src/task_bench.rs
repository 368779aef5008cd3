//! The dependence patterns of Task Bench (Slaughter et al., SC20): rows of points, one row a step,
//! in which a point needs points of the row before.
//!
//! They follow `TaskGraph::dependencies` of its `core.cc` for radix 5, period 3 and a fraction of
//! 0.25, with two differences: the hash of `nearest` (`random_nearest` there) is splitmix64 instead
//! of siphash, and a point that `spread` names twice, which happens at small widths, is one edge.

use crate::plan::{Draft, Random};

const RADIX: i64 = 5;
const PERIOD: i64 = 3;
const FRACTION: f64 = 0.25;

#[derive(Clone, Copy, Debug)]
pub enum Pattern {
    Stencil,
    Fft,
    Nearest,
    Spread,
    Tree,
    AllToAll,
}

impl Pattern {
    /// The pattern and width of a name such as `stencil_64`.
    pub fn named(name: &str) -> Option<(Pattern, i64)> {
        let (name, width) = name.rsplit_once('_')?;
        let pattern = match name {
            "stencil" => Pattern::Stencil,
            "fft" => Pattern::Fft,
            "nearest" => Pattern::Nearest,
            "spread" => Pattern::Spread,
            "tree" => Pattern::Tree,
            "all_to_all" => Pattern::AllToAll,
            _ => return None,
        };
        Some((pattern, width.parse().ok().filter(|&width| width > 1)?))
    }

    pub fn draw(self, draft: &mut Draft, width: i64, steps: i64) {
        let mut before = Vec::new();
        for step in 0..steps {
            let mut row = Vec::new();
            for point in 0..self.width_at(step, width) {
                let inputs: Vec<u32> = match step {
                    0 => Vec::new(),
                    _ => self.needs(step, point, width).iter().map(|&p| before[p as usize]).collect(),
                };
                row.push(draft.node(&inputs, (step * width + point) as u64));
            }
            before = row;
        }
    }

    /// A tree starts with one point and doubles until it is as wide as the others.
    fn width_at(self, step: i64, width: i64) -> i64 {
        match self {
            Pattern::Tree => width.min(1 << step.min(62)),
            _ => width,
        }
    }

    /// The points of the row before that `point` needs.
    fn needs(self, step: i64, point: i64, width: i64) -> Vec<i64> {
        let last = width - 1;
        match self {
            Pattern::Stencil => ((point - 1).max(0)..=(point + 1).min(last)).collect(),
            Pattern::Fft => {
                // The distance doubles from step to step, and starts anew after log2(width) steps.
                let rounds = (width as u64).next_power_of_two().ilog2() as i64;
                let distance = 1 << ((step + rounds - 1) % rounds);
                let near = [point - distance, point, point + distance];
                near.into_iter().filter(|p| (0..width).contains(p)).collect()
            }
            Pattern::Nearest => {
                let (first, end) = ((point - RADIX / 2).max(0), (point + (RADIX - 1) / 2).min(last));
                let phase = (step % PERIOD) as u64;
                let chosen =
                    |p: i64| Random::fraction(phase << 32 | (p as u64) << 16 | point as u64) < FRACTION;
                (first..=end).filter(|&p| p == point || chosen(p)).collect()
            }
            Pattern::Spread => {
                let mut needs = Vec::new();
                for i in 0..RADIX {
                    let phase = if i > 0 { step % PERIOD } else { 0 };
                    let p = (point + i * width / RADIX + phase) % width;
                    if !needs.contains(&p) {
                        needs.push(p);
                    }
                }
                needs
            }
            Pattern::Tree => vec![point / 2],
            Pattern::AllToAll => (0..width).collect(),
        }
    }
}
