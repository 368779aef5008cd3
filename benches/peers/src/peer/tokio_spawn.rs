//! tokio by hand: counts of missing inputs and a `tokio::spawn` for each node when it is ready.

use super::Run;
use super::countdown::Countdown;
use crate::clock::{Phases, timed};
use std::sync::{Arc, Mutex};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::oneshot::{Sender, channel};

struct Job {
    graph: Countdown,
    /// Taken by the last node.
    done: Mutex<Option<Sender<()>>>,
}

/// A runtime with warm threads.
pub fn runtime(threads: usize) -> Runtime {
    let runtime = Builder::new_multi_thread().worker_threads(threads).build().expect("threads start");
    runtime.block_on(async { tokio::spawn(async {}).await.expect("it is empty") });
    runtime
}

pub fn start(threads: usize) -> Run {
    let runtime = runtime(threads);
    Box::new(move |plan| {
        let (graph, build) = timed(|| Countdown::new(plan));
        let (job, run) = timed(|| {
            let (sender, done) = channel();
            let job = Arc::new(Job { graph, done: Mutex::new(Some(sender)) });
            // Not from the calling thread, which is none of the runtime's workers.
            let roots = job.clone();
            runtime.spawn(async move {
                for &root in roots.graph.roots() {
                    spawn(roots.clone(), root);
                }
            });
            runtime.block_on(done).expect("the last node sends");
            job
        });
        let checksum = job.graph.checksum();
        let ((), drop) = timed(|| drop(job));
        Phases { build, run, drop, checksum }
    })
}

fn spawn(job: Arc<Job>, node: u32) {
    tokio::spawn(async move {
        if job.graph.run(node, |ready| spawn(job.clone(), ready))
            && let Some(done) = job.done.lock().ok().and_then(|mut done| done.take())
        {
            // Nobody listens if the whole program ends.
            let _ = done.send(());
        }
    });
}
