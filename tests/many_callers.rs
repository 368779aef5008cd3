//! Many callers at once: tasks and threads compute a thousand graphs of a hundred nodes, most of which
//! are wanted by several of them.

mod support;

use delayed::{Client, Delayed, Error};
use futures::future::join_all;
use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, mpsc};
use support::graphs::{Graph, Plan, Tracked};
use support::{Clients, HANGS, Random, each_seed, expect_panics, sized};
use tokio::runtime::Runtime;
use tokio::sync::Barrier;

const TASKS: usize = 48;
const THREADS: usize = 16;
const GRAPHS: usize = 1_000;
const NODES: usize = 100;

/// What a caller wants of one graph, by number.
struct Job {
    number: usize,
    graph: Arc<Graph>,
    wanted: Vec<usize>,
}

type Ended = (usize, Result<(), Box<dyn Any + Send>>);

impl Job {
    fn handles(&self) -> Vec<Delayed<Tracked>> {
        self.wanted.iter().map(|&node| self.graph.handles[node].clone()).collect()
    }

    /// As one wish, or as many where there are failures.
    async fn compute(self, client: &Client) -> Ended {
        let results = if self.wanted.iter().any(|&node| self.graph.oracle.fails(node)) {
            join_all(self.handles().into_iter().map(|handle| client.compute(handle))).await
        } else {
            each_result(client.compute(self.handles()).await)
        };
        self.check(results)
    }

    /// As `compute`; the client has been entered.
    fn wait(self) -> Ended {
        let results = if self.wanted.iter().any(|&node| self.graph.oracle.fails(node)) {
            self.handles().into_iter().map(Delayed::wait).collect()
        } else {
            each_result(delayed::wait(self.handles()))
        };
        self.check(results)
    }

    fn check(self, results: Vec<Result<Tracked, Error>>) -> Ended {
        let check = || {
            assert_eq!(results.len(), self.wanted.len());
            for (&node, result) in self.wanted.iter().zip(&results) {
                self.graph.oracle.check(node, result);
            }
        };
        (self.number, catch_unwind(AssertUnwindSafe(check)))
    }
}

fn each_result(results: Result<Vec<Tracked>, Error>) -> Vec<Result<Tracked, Error>> {
    match results {
        Ok(values) => values.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error)],
    }
}

fn all_at_once(seed: u64, clients: &Clients, runtime: &Runtime) {
    let mut random = Random::new(seed);
    let mut logs = Vec::new();
    let mut callers: Vec<Vec<Job>> = (0..TASKS + THREADS).map(|_| Vec::new()).collect();
    for number in 0..GRAPHS {
        let mut plan = Plan::random(&mut random, NODES, number as u64 / 64 % 3);
        if random.one_in(3) {
            plan = plan.with_failures(&mut random);
        }
        let graph = Arc::new(plan.build());
        logs.push(graph.log.clone());
        for _ in 0..1 + random.below(4) {
            let wanted = match random.one_in(2) {
                true => plan.sinks(),
                false => (0..4).map(|_| random.below(NODES as u64) as usize).collect(),
            };
            let caller = random.below(callers.len() as u64) as usize;
            callers[caller].push(Job { number, graph: graph.clone(), wanted });
        }
    }
    let mut open: Vec<usize> = callers.iter().flatten().map(|job| job.number).collect();
    let one_client = random.one_in(2).then(|| clients.next().0);
    let (report, reports) = mpsc::channel();
    let start = Arc::new(Barrier::new(callers.len()));
    for (caller, jobs) in callers.into_iter().enumerate() {
        let client = one_client.clone().unwrap_or_else(|| clients.next().0);
        let (report, start) = (report.clone(), start.clone());
        if caller < TASKS {
            runtime.spawn(async move {
                start.wait().await;
                for job in jobs {
                    report.send(job.compute(&client).await).unwrap();
                }
            });
        } else {
            std::thread::spawn(move || {
                futures::executor::block_on(start.wait());
                let _guard = client.enter();
                for job in jobs {
                    report.send(job.wait()).unwrap();
                }
            });
        }
    }
    drop(report);
    while !open.is_empty() {
        let Ok((number, outcome)) = reports.recv_timeout(HANGS / 2) else {
            panic!("callers hang or have panicked; these graphs are open: {open:?}");
        };
        if let Err(panic) = outcome {
            eprintln!("this was graph {number}");
            resume_unwind(panic);
        }
        open.swap_remove(open.iter().position(|&other| other == number).unwrap());
    }
    for log in logs {
        log.check_that_nothing_ran_twice();
        log.check_that_all_is_dropped();
    }
}

#[test]
fn many_callers_get_the_values_of_the_oracle() {
    expect_panics();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    let clients = Clients::start();
    // A round takes about a second.
    each_seed(sized(1, 10, 3_600), |seed, _| all_at_once(seed, &clients, &runtime));
}
