//! Reductions over loads: sources that fill memory, and consumers that give it back.

use delayed::{Client, Delayed, delayed};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

/// Loads of one `Vec` argument.
pub(crate) const GROUP: usize = 16;

/// Loads beyond this number are counted, but their bytes are left out, so that a bad order does not
/// take all memory there is.
const MOST_LOADED: usize = 1_000;

#[derive(Default)]
struct Count {
    live: AtomicUsize,
    peak: AtomicUsize,
}

/// What a load yields. Clones count too.
struct Block {
    bytes: Vec<u8>,
    count: Arc<Count>,
}

impl Block {
    fn new(bytes: Vec<u8>, count: Arc<Count>) -> Block {
        let live = count.live.fetch_add(1, SeqCst) + 1;
        count.peak.fetch_max(live, SeqCst);
        Block { bytes, count }
    }
}

impl Clone for Block {
    fn clone(&self) -> Block {
        Block::new(self.bytes.clone(), self.count.clone())
    }
}

impl Drop for Block {
    fn drop(&mut self) {
        self.count.live.fetch_sub(1, SeqCst);
    }
}

#[delayed]
fn load(number: usize, size: usize, count: Arc<Count>) -> Block {
    // Not zeros: those would be pages that nobody has touched.
    let byte = number as u8 | 1;
    let too_many = count.live.load(SeqCst) >= MOST_LOADED;
    Block::new(vec![byte; if too_many { 1 } else { size }], count)
}

#[delayed]
fn merge(mut sum: Block, block: &Block, passes: usize) -> Block {
    for _ in 0..passes {
        if block.bytes.len() == sum.bytes.len() {
            std::hint::black_box(&mut sum.bytes).copy_from_slice(&block.bytes);
        }
    }
    sum
}

#[delayed]
fn merge_into(block: &Block, sum: Block, passes: usize) -> Block {
    merge::eager(sum, block, passes)
}

#[delayed]
fn total(blocks: &[Block]) -> u64 {
    blocks.iter().map(|block| u64::from(block.bytes[0])).sum()
}

#[delayed]
fn first(block: &Block) -> u64 {
    u64::from(block.bytes[0])
}

/// How the loads are reduced.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Shape {
    /// `sum = merge(sum, load(i))`
    LeftFold,
    /// `sum = merge_into(load(i), sum)`
    RightFold,
    /// Pairs of pairs.
    Tree,
    /// A node for every 16 loads, and one over those.
    Groups,
}

/// A reduction of `steps` loads of `size` bytes; a merge copies its block `passes` times.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Loads {
    pub(crate) shape: Shape,
    pub(crate) steps: usize,
    pub(crate) size: usize,
    pub(crate) passes: usize,
}

impl Loads {
    fn build(self, count: &Arc<Count>) -> Delayed<u64> {
        let Loads { steps, size, passes, .. } = self;
        let mut loads = (0..steps).map(|i| load(i, size, count.clone()));
        match self.shape {
            Shape::LeftFold => {
                let start = loads.next().expect("a step");
                first(loads.fold(start, |sum, block| merge(sum, block, passes)))
            }
            Shape::RightFold => {
                let start = loads.next().expect("a step");
                first(loads.fold(start, |sum, block| merge_into(block, sum, passes)))
            }
            Shape::Tree => {
                let mut layer: Vec<_> = loads.collect();
                while layer.len() > 1 {
                    layer = layer
                        .chunks(2)
                        .map(|pair| match pair {
                            [x, y] => merge(x, y, passes),
                            alone => alone[0].clone(),
                        })
                        .collect();
                }
                first(layer.remove(0))
            }
            Shape::Groups => {
                let loads: Vec<_> = loads.collect();
                loads.chunks(GROUP).map(total).sum()
            }
        }
    }

    /// The most loads that were live at once.
    pub(crate) fn peak(self, client: &Client) -> usize {
        let count = Arc::new(Count::default());
        let _guard = client.enter();
        self.build(&count).wait().expect("no node fails");
        assert_eq!(count.live.load(SeqCst), 0, "nothing is left");
        count.peak.load(SeqCst)
    }
}
