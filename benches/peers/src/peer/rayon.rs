//! rayon by hand: a scope, counts of missing inputs, and a `spawn` for each node that is ready
//! beside the one that the thread goes on with.

use super::Run;
use super::countdown::Countdown;
use crate::clock::{Phases, timed};
use rayon::{Scope, ThreadPoolBuilder};

pub fn start(threads: usize) -> Run {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build().expect("threads start");
    pool.install(|| ());
    Box::new(move |plan| {
        let (graph, build) = timed(|| Countdown::new(plan));
        let ((), run) = timed(|| {
            let graph = &graph;
            pool.scope(|scope| {
                for &root in graph.roots() {
                    scope.spawn(move |scope| follow(graph, root, scope));
                }
            });
        });
        let checksum = graph.checksum();
        let ((), drop) = timed(|| drop(graph));
        Phases { build, run, drop, checksum }
    })
}

fn follow<'a>(graph: &'a Countdown, first: u32, scope: &Scope<'a>) {
    let mut next = Some(first);
    while let Some(node) = next.take() {
        graph.run(node, |ready| match next {
            None => next = Some(ready),
            Some(_) => scope.spawn(move |scope| follow(graph, ready, scope)),
        });
    }
}
