//! The yardstick: static arrays, atomic counts of missing inputs and work-stealing deques.
//!
//! About the least that a graph with edges costs if threads share it: a node is four bytes in a
//! deque, nothing is allocated for it, and its function is known to the compiler.

use super::Run;
use super::countdown::Countdown;
use crate::clock::{Phases, timed};
use crossbeam_deque::{Steal, Stealer, Worker};
use crossbeam_utils::{Backoff, CachePadded};
use std::iter;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::sync::mpsc::{Sender, channel};
use std::thread;

/// A graph that threads run together.
struct Job {
    graph: Countdown,
    /// How many roots have been taken.
    taken: CachePadded<AtomicUsize>,
}

/// A thread's own deque and those of the others.
struct Thread {
    own: Worker<u32>,
    others: Vec<Stealer<u32>>,
}

/// The calling thread works too, so it starts one thread less.
pub fn start(threads: usize) -> Run {
    let mut all: Vec<Thread> =
        iter::repeat_with(|| Thread { own: Worker::new_lifo(), others: Vec::new() }).take(threads).collect();
    for i in 0..threads {
        all[i].others = (0..threads).filter(|&j| j != i).map(|j| all[j].own.stealer()).collect();
    }
    let caller = all.remove(0);
    let helpers: Vec<Sender<Arc<Job>>> = all.into_iter().map(help).collect();
    Box::new(move |plan| {
        let (job, build) = timed(|| {
            Arc::new(Job { graph: Countdown::new(plan), taken: CachePadded::new(AtomicUsize::new(0)) })
        });
        let ((), run) = timed(|| {
            for helper in &helpers {
                helper.send(job.clone()).expect("helpers run until the sender is dropped");
            }
            caller.run(&job);
            let backoff = Backoff::new();
            while Arc::strong_count(&job) > 1 {
                backoff.snooze();
            }
        });
        let checksum = job.graph.checksum();
        let ((), drop) = timed(|| drop(job));
        Phases { build, run, drop, checksum }
    })
}

fn help(thread: Thread) -> Sender<Arc<Job>> {
    let (sender, jobs) = channel::<Arc<Job>>();
    thread::spawn(move || jobs.into_iter().for_each(|job| thread.run(&job)));
    sender
}

impl Thread {
    fn run(&self, job: &Job) {
        let backoff = Backoff::new();
        while !job.graph.is_done() {
            if let Some(node) = self.own.pop() {
                self.follow(job, node);
            } else if let Some(roots) = job.take_roots() {
                roots.iter().for_each(|&root| self.follow(job, root));
            } else if let Some(node) = self.others.iter().find_map(steal) {
                self.follow(job, node);
            } else {
                backoff.snooze();
                continue;
            }
            backoff.reset();
        }
    }

    /// Runs a node, and the first consumer that it makes ready, and so on; queues the other ones.
    #[inline]
    fn follow(&self, job: &Job, first: u32) {
        let mut next = Some(first);
        while let Some(node) = next.take() {
            job.graph.run(node, |ready| match next {
                None => next = Some(ready),
                Some(_) => self.own.push(ready),
            });
        }
    }
}

impl Job {
    fn take_roots(&self) -> Option<&[u32]> {
        let roots = self.graph.roots();
        if self.taken.load(Relaxed) >= roots.len() {
            return None;
        }
        let count = (roots.len() / 8).clamp(1, 64);
        let first = self.taken.fetch_add(count, Relaxed);
        roots.get(first..(first + count).min(roots.len()))
    }
}

fn steal(from: &Stealer<u32>) -> Option<u32> {
    loop {
        match from.steal() {
            Steal::Success(node) => return Some(node),
            Steal::Retry => {}
            Steal::Empty => return None,
        }
    }
}
