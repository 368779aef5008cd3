//! The peers: who runs a plan, and what they cannot do.

mod arrays;
mod async_dag;
mod countdown;
mod dagrs;
mod dagx;
mod delayed;
mod rayon;
pub mod sequential;
mod shared_futures;
mod taski;
mod tokio_spawn;

use crate::arguments::Arguments;
use crate::clock::Phases;
use crate::plan::Plan;
use anyhow::Result;

/// Runs a plan once. Threads and executors were started when this was made.
///
/// A plan lives as long as the process, so that peers that need `'static` need no reference counts.
pub type Run = Box<dyn FnMut(&'static Plan) -> Phases>;

/// Where a peer's code is.
#[derive(Clone, Copy, Debug)]
pub enum Home {
    /// In this program: starts what a peer needs for this number of threads.
    Here(fn(usize) -> Run),
    /// In `native/`.
    Native,
    /// In `python/`.
    Python,
}

#[derive(Debug)]
pub struct Peer {
    pub name: &'static str,
    pub home: Home,
    /// Whether a second thread is of any use to it.
    pub parallel: bool,
    /// The largest number of inputs of a node that it can express.
    pub most_inputs: usize,
    /// Divides the size of workloads, so that a slow peer ends in time.
    pub scale: usize,
    /// Repeats in one process. The best one counts, so more of them flatter a peer: they differ only
    /// where a peer is hundreds of times slower.
    pub repeats: usize,
    /// The most rounds that it takes part in, so that a slow peer ends in time.
    pub rounds: usize,
}

const fn here(name: &'static str, start: fn(usize) -> Run) -> Peer {
    elsewhere(name, Home::Here(start))
}

const fn elsewhere(name: &'static str, home: Home) -> Peer {
    Peer { name, home, parallel: true, most_inputs: usize::MAX, scale: 1, repeats: 5, rounds: usize::MAX }
}

pub static PEERS: [Peer; 13] = [
    Peer { parallel: false, ..here("sequential", sequential::start) },
    here("arrays", arrays::start),
    here("delayed", delayed::start),
    here("rayon", rayon::start),
    here("tokio_spawn", tokio_spawn::start),
    Peer { parallel: false, ..here("shared_futures", shared_futures::start) },
    Peer { parallel: false, most_inputs: 12, ..here("async_dag", async_dag::start) },
    Peer { parallel: false, most_inputs: 8, ..here("taski", taski::start) },
    Peer { scale: 10, most_inputs: 8, ..here("dagx", dagx::start) },
    Peer { scale: 10, repeats: 2, ..here("dagrs", dagrs::start) },
    elsewhere("onetbb", Home::Native),
    elsewhere("openmp", Home::Native),
    Peer { scale: 100, repeats: 1, rounds: 2, ..elsewhere("dask", Home::Python) },
];

impl Peer {
    /// The numbers of threads that it is measured on.
    pub fn threads(&self) -> impl Iterator<Item = usize> {
        [1, 2].into_iter().take(if self.parallel { 2 } else { 1 })
    }
}

pub fn named(name: &str) -> Option<&'static Peer> {
    PEERS.iter().find(|peer| peer.name == name)
}

/// The peers of the option `--peers`, or all of `usual`.
pub fn chosen<'a>(
    arguments: &Arguments,
    usual: impl IntoIterator<Item = &'a Peer>,
) -> Result<Vec<&'static Peer>> {
    let usual: Vec<&str> = usual.into_iter().map(|peer| peer.name).collect();
    Ok(arguments.list("peers", &usual)?.into_iter().filter_map(named).collect())
}
