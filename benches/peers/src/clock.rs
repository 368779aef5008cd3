//! What is timed.

use rustix::time::{ClockId, clock_gettime};
use std::time::Instant;

/// How long something took, in nanoseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Span {
    pub wall: u64,
    /// The processor time of all threads of the process.
    pub cpu: u64,
}

/// One run of a plan by a peer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Phases {
    /// From the plan to the peer's own graph.
    pub build: Span,
    /// Until every sink's value is there.
    pub run: Span,
    /// Until the graph's memory is given back.
    pub drop: Span,
    pub checksum: u64,
}

pub fn timed<T>(work: impl FnOnce() -> T) -> (T, Span) {
    let (begin, cpu) = (Instant::now(), cpu());
    let result = work();
    (result, Span { wall: begin.elapsed().as_nanos() as u64, cpu: self::cpu() - cpu })
}

fn cpu() -> u64 {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}
