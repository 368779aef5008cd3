//! The peers: who runs a plan, and what they cannot do.

mod arrays;
mod countdown;
mod delayed;
mod rayon;
pub mod sequential;
mod tokio_spawn;

use crate::clock::Phases;
use crate::plan::Plan;

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
    /// Repeats in one process.
    pub repeats: usize,
    /// The most rounds that it takes part in, so that a slow peer ends in time.
    pub rounds: usize,
}

const fn here(name: &'static str, start: fn(usize) -> Run) -> Peer {
    Peer {
        name,
        home: Home::Here(start),
        parallel: true,
        most_inputs: usize::MAX,
        scale: 1,
        repeats: 4,
        rounds: usize::MAX,
    }
}

pub static PEERS: [Peer; 5] = [
    Peer { parallel: false, ..here("sequential", sequential::start) },
    here("arrays", arrays::start),
    here("delayed", delayed::start),
    here("rayon", rayon::start),
    here("tokio_spawn", tokio_spawn::start),
];

pub fn named(name: &str) -> Option<&'static Peer> {
    PEERS.iter().find(|peer| peer.name == name)
}
