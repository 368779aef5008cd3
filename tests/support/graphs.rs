//! Random graphs of all kinds of nodes, and an oracle that knows their values and failures.

use super::{ON_PURPOSE, Random, panic_on_purpose, until};
use delayed::{Delayed, Error, delayed};
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering::SeqCst};
use std::time::{Duration, Instant};

/// What the nodes of one graph tell the test.
pub(crate) struct Log {
    runs: Vec<AtomicU32>,
    /// Calls, and polls of futures, that have begun.
    events: AtomicU64,
    /// Values made, and the sum of their numbers; what is dropped is taken off.
    live: AtomicI64,
    sum: AtomicU64,
    values: AtomicU64,
}

impl Log {
    pub(crate) fn runs(&self, node: usize) -> u32 {
        self.runs[node].load(SeqCst)
    }

    pub(crate) fn events(&self) -> u64 {
        self.events.load(SeqCst)
    }

    #[track_caller]
    pub(crate) fn check_that_nothing_ran_twice(&self) {
        for node in 0..self.runs.len() {
            assert!(self.runs(node) <= 1, "step {node} ran {} times", self.runs(node));
        }
    }

    /// Checks that the steps that are marked ran once, and no other one ran.
    #[track_caller]
    pub(crate) fn check_that_these_ran(&self, steps: &[bool]) {
        for (node, &runs) in steps.iter().enumerate() {
            assert_eq!(self.runs(node), u32::from(runs), "runs of step {node}");
        }
    }

    /// Waits until as many values have been dropped as were made, and checks that they were the same
    /// ones. What was given up while it ran ends by itself.
    #[track_caller]
    pub(crate) fn check_that_all_is_dropped(&self) {
        until("all values are dropped", || self.live.load(SeqCst) == 0);
        assert_eq!(self.sum.load(SeqCst), 0, "a value was dropped twice, and another one never");
    }
}

/// A value that is counted while it lives.
pub(crate) struct Tracked {
    pub(crate) value: u64,
    number: u64,
    log: Arc<Log>,
}

impl Tracked {
    fn new(value: u64, log: &Arc<Log>) -> Self {
        // Powers of an odd number: no two sums of few of them are the same.
        let number = 0x9E37_79B9_7F4A_7C15_u64.wrapping_pow(log.values.fetch_add(1, SeqCst) as u32);
        log.live.fetch_add(1, SeqCst);
        log.sum.fetch_add(number, SeqCst);
        Tracked { value, number, log: log.clone() }
    }
}

impl Clone for Tracked {
    fn clone(&self) -> Self {
        Tracked::new(self.value, &self.log)
    }
}

impl Drop for Tracked {
    fn drop(&mut self) {
        self.log.sum.fetch_sub(self.number, SeqCst);
        self.log.live.fetch_sub(1, SeqCst);
    }
}

/// How long a function takes.
#[derive(Clone, Copy, Debug)]
enum Length {
    Short,
    /// Long enough that others are offered what is beside it.
    Spins,
    /// Others come to wait for it, also if they share its core.
    Sleeps,
}

impl Length {
    fn any(random: &mut Random, longs: u64) -> Self {
        match (random.below(4) < longs, random.below(8)) {
            (false, _) => Length::Short,
            (true, 0) => Length::Sleeps,
            (true, _) => Length::Spins,
        }
    }

    fn pass(self) {
        match self {
            Length::Short => {}
            Length::Spins => {
                let end = Instant::now() + Duration::from_micros(5);
                while Instant::now() < end {
                    std::hint::spin_loop();
                }
            }
            Length::Sleeps => std::thread::sleep(Duration::from_micros(20)),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Failure {
    Err,
    Panic,
}

/// What a node is told beside its inputs.
#[derive(Clone)]
struct Order {
    node: usize,
    length: Length,
    failure: Option<Failure>,
    log: Arc<Log>,
}

impl Order {
    fn run<'a>(self, inputs: impl IntoIterator<Item = &'a Tracked>) -> Tracked {
        self.log.runs[self.node].fetch_add(1, SeqCst);
        self.log.events.fetch_add(1, SeqCst);
        self.length.pass();
        let value = combine(self.node, inputs.into_iter().map(|x| x.value));
        let made = Tracked::new(value, &self.log);
        match self.failure {
            Some(Failure::Panic) => panic_on_purpose(),
            _ => made,
        }
    }

    fn try_run<'a>(self, inputs: impl IntoIterator<Item = &'a Tracked>) -> Result<Tracked, String> {
        let failure = self.failure;
        let made = self.run(inputs);
        match failure {
            Some(_) => Err(ON_PURPOSE.to_owned()),
            None => Ok(made),
        }
    }

    /// Comes back to its thread's queue a few times.
    async fn pause(&self) {
        for _ in 0..1 + self.node % 3 {
            tokio::task::yield_now().await;
            self.log.events.fetch_add(1, SeqCst);
        }
    }
}

fn combine(node: usize, inputs: impl IntoIterator<Item = u64>) -> u64 {
    inputs.into_iter().fold(node as u64, |sum, x| sum.wrapping_mul(31).wrapping_add(x))
}

#[delayed]
fn owned(inputs: Vec<Tracked>, order: Order) -> Tracked {
    order.run(&inputs)
}

#[delayed]
fn owned_or_err(inputs: Vec<Tracked>, order: Order) -> Result<Tracked, String> {
    order.try_run(&inputs)
}

#[delayed]
fn shared(a: &Tracked, order: Order, b: &Tracked) -> Tracked {
    order.run([a, b])
}

#[delayed]
fn shared_or_err(a: &Tracked, order: Order, b: &Tracked) -> Result<Tracked, String> {
    order.try_run([a, b])
}

#[delayed]
fn one_of_each(a: Tracked, b: &Tracked, order: Order) -> Tracked {
    order.run([&a, b])
}

#[delayed]
fn one_of_each_or_err(a: Tracked, b: &Tracked, order: Order) -> Result<Tracked, String> {
    order.try_run([&a, b])
}

#[delayed]
async fn later(inputs: Vec<Tracked>, order: Order) -> Tracked {
    order.pause().await;
    order.run(&inputs)
}

#[delayed]
async fn later_or_err(inputs: Vec<Tracked>, order: Order) -> Result<Tracked, String> {
    let made = order.clone().try_run(&inputs);
    order.pause().await;
    made
}

#[delayed(blocking)]
fn apart(inputs: Vec<Tracked>, order: Order) -> Tracked {
    order.run(&inputs)
}

#[delayed(blocking)]
fn apart_or_err(inputs: Vec<Tracked>, order: Order) -> Result<Tracked, String> {
    order.try_run(&inputs)
}

#[delayed]
fn pass(value: Tracked) -> Tracked {
    value
}

/// Makes more graph.
#[delayed]
fn nested(inputs: Vec<Tracked>, order: Order) -> Result<Delayed<Tracked>, String> {
    Ok(pass(order.try_run(&inputs)?))
}

/// Makes more graph and waits for it.
#[delayed]
fn waiting(inputs: Vec<Tracked>, order: Order) -> Result<Tracked, Box<dyn std::error::Error + Send + Sync>> {
    let made = order.try_run(&inputs)?;
    Ok(pass(delayed::value(made)).wait()?)
}

#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) enum Kind {
    Owned,
    Shared,
    OneOfEach,
    Later,
    Apart,
    Nested,
    Waiting,
}

impl Kind {
    fn any(random: &mut Random, inputs: bool) -> Self {
        match random.below(24) {
            0..4 if inputs => Kind::Shared,
            4..6 if inputs => Kind::OneOfEach,
            6 | 7 => Kind::Later,
            8 | 9 => Kind::Apart,
            10 => Kind::Nested,
            11 => Kind::Waiting,
            _ => Kind::Owned,
        }
    }
}

/// A node to be.
#[derive(Clone, Debug)]
pub(crate) struct Step {
    pub(crate) kind: Kind,
    inputs: Vec<usize>,
    /// The node comes after this one, whose value it does not use.
    before: Option<usize>,
    length: Length,
    /// Its function returns a `Result`.
    fallible: bool,
    failure: Option<Failure>,
}

impl Step {
    fn needs(&self) -> impl Iterator<Item = usize> + '_ {
        self.inputs.iter().copied().chain(self.before)
    }
}

/// A graph to be: each step needs earlier ones.
#[derive(Clone, Debug)]
pub(crate) struct Plan(Vec<Step>);

impl Plan {
    /// A graph of `nodes` nodes. Of four functions `longs` take their time: where all are short, and
    /// known to be, they run in other places.
    pub(crate) fn random(random: &mut Random, nodes: usize, longs: u64) -> Plan {
        let reach = 1 + random.below(20);
        let most_inputs = if random.one_in(4) { 8 } else { 3 };
        let orders = random.one_in(3);
        let step = |node: usize| {
            let kind = Kind::any(random, node > 0);
            let mut earlier = || node - 1 - random.below(reach.min(node as u64)) as usize;
            let mut inputs: Vec<usize> = Vec::new();
            if node > 0 {
                inputs.resize_with(most_inputs, &mut earlier);
            }
            let before = (orders && node > 0).then(&mut earlier).filter(|_| random.one_in(8));
            let count = match kind {
                Kind::Shared | Kind::OneOfEach => 2,
                _ => random.below(most_inputs as u64 + 1) as usize,
            };
            inputs.truncate(count);
            let length = Length::any(random, longs);
            Step { kind, inputs, before, length, fallible: random.one_in(4), failure: None }
        };
        Plan((0..nodes).map(step).collect())
    }

    /// About one step in six fails.
    pub(crate) fn with_failures(mut self, random: &mut Random) -> Plan {
        for step in &mut self.0 {
            if random.one_in(6) {
                step.fail(if random.one_in(2) { Failure::Err } else { Failure::Panic });
            }
        }
        self
    }

    /// One step fails.
    pub(crate) fn with_failure(mut self, node: usize, failure: Failure) -> Plan {
        self.0[node].fail(failure);
        self
    }

    pub(crate) fn steps(&self) -> &[Step] {
        &self.0
    }

    /// Nodes that no other one needs.
    pub(crate) fn sinks(&self) -> Vec<usize> {
        let needed: BTreeSet<usize> = self.0.iter().flat_map(Step::needs).collect();
        (0..self.0.len()).filter(|node| !needed.contains(node)).collect()
    }

    fn expected(&self) -> Vec<Expected> {
        let mut expected: Vec<Expected> = Vec::new();
        for (node, step) in self.0.iter().enumerate() {
            let failures = |&input: &usize| expected[input].failures();
            let mut failures: Vec<usize> = match step.before.as_ref().and_then(failures) {
                // The inputs are not asked for.
                Some(failures) => failures.to_vec(),
                None => step.inputs.iter().filter_map(failures).flatten().copied().collect(),
            };
            let mut met = BTreeSet::new();
            failures.retain(|&failure| met.insert(failure));
            if failures.is_empty() && step.failure.is_some() {
                failures.push(node);
            }
            let values = step.inputs.iter().filter_map(|&input| expected[input].value());
            expected.push(match failures.is_empty() {
                true => Expected::Value(combine(node, values)),
                false => Expected::Failure(failures),
            });
        }
        expected
    }

    /// Makes the nodes. Nothing runs.
    pub(crate) fn build(&self) -> Graph {
        let log = Arc::new(Log {
            runs: self.0.iter().map(|_| AtomicU32::new(0)).collect(),
            events: AtomicU64::new(0),
            live: AtomicI64::new(0),
            sum: AtomicU64::new(0),
            values: AtomicU64::new(0),
        });
        let mut handles: Vec<Delayed<Tracked>> = Vec::new();
        let mut origins = HashMap::new();
        for (node, step) in self.0.iter().enumerate() {
            let order = Order { node, length: step.length, failure: step.failure, log: log.clone() };
            let all = || step.inputs.iter().map(|&input| handles[input].clone()).collect::<Vec<_>>();
            let input = |position: usize| &handles[step.inputs[position]];
            let origins = &mut origins;
            let handle = match (step.kind, step.fallible) {
                (Kind::Owned, false) => step.origin(owned(all(), order), node, origins),
                (Kind::Owned, true) => step.origin(owned_or_err(all(), order), node, origins),
                (Kind::Shared, false) => step.origin(shared(input(0), order, input(1)), node, origins),
                (Kind::Shared, true) => step.origin(shared_or_err(input(0), order, input(1)), node, origins),
                (Kind::OneOfEach, false) => {
                    step.origin(one_of_each(input(0), input(1), order), node, origins)
                }
                (Kind::OneOfEach, true) => {
                    step.origin(one_of_each_or_err(input(0), input(1), order), node, origins)
                }
                (Kind::Later, false) => step.origin(later(all(), order), node, origins),
                (Kind::Later, true) => step.origin(later_or_err(all(), order), node, origins),
                (Kind::Apart, false) => step.origin(apart(all(), order), node, origins),
                (Kind::Apart, true) => step.origin(apart_or_err(all(), order), node, origins),
                (Kind::Nested, _) => step.origin(nested(all(), order), node, origins).flatten(),
                (Kind::Waiting, _) => step.origin(waiting(all(), order), node, origins),
            };
            handles.push(match step.before {
                Some(before) => handle.after(&handles[before]),
                None => handle,
            });
        }
        let oracle = Oracle { plan: self.clone(), expected: self.expected(), origins };
        Graph { handles, oracle: Arc::new(oracle), log }
    }
}

impl Step {
    fn fail(&mut self, failure: Failure) {
        self.failure = Some(failure);
        self.fallible |= failure == Failure::Err;
    }

    /// Notes what the error of a node that fails will say. Some of them have names of their own.
    fn origin<T: Send + Sync + 'static>(
        &self,
        handle: Delayed<T>,
        node: usize,
        origins: &mut HashMap<String, Origin>,
    ) -> Delayed<T> {
        let Some(failure) = self.failure else { return handle };
        let handle = if node.is_multiple_of(2) { handle.named(format!("step {node}")) } else { handle };
        origins.insert(handle.key(), Origin { step: node, name: handle.name(), failure });
        handle
    }
}

pub(crate) struct Graph {
    /// One for each step.
    pub(crate) handles: Vec<Delayed<Tracked>>,
    pub(crate) oracle: Arc<Oracle>,
    pub(crate) log: Arc<Log>,
}

enum Expected {
    Value(u64),
    /// The steps that failed by themselves, in the order of the arguments.
    Failure(Vec<usize>),
}

impl Expected {
    fn value(&self) -> Option<u64> {
        if let Expected::Value(value) = self { Some(*value) } else { None }
    }

    fn failures(&self) -> Option<&[usize]> {
        if let Expected::Failure(steps) = self { Some(steps) } else { None }
    }
}

struct Origin {
    step: usize,
    name: String,
    failure: Failure,
}

/// An error names at most this many failures: its own and 32 others.
const MOST_NAMED: usize = 33;

/// What the results have to be.
pub(crate) struct Oracle {
    plan: Plan,
    expected: Vec<Expected>,
    /// The steps that fail, by their keys.
    origins: HashMap<String, Origin>,
}

impl Oracle {
    pub(crate) fn fails(&self, node: usize) -> bool {
        self.expected[node].failures().is_some()
    }

    /// Which steps run when these are settled: all that can.
    pub(crate) fn all_that_can_run(&self, wanted: impl IntoIterator<Item = usize>) -> Vec<bool> {
        let steps = self.plan.steps();
        let mut asked_for = vec![false; steps.len()];
        for node in wanted {
            asked_for[node] = true;
        }
        for (node, step) in steps.iter().enumerate().rev() {
            if asked_for[node] {
                match step.before.filter(|&before| self.fails(before)) {
                    Some(before) => asked_for[before] = true,
                    None => step.needs().for_each(|input| asked_for[input] = true),
                }
            }
        }
        let can_run = |step: &Step| !step.needs().any(|input| self.fails(input));
        asked_for.into_iter().zip(steps).map(|(asked_for, step)| asked_for && can_run(step)).collect()
    }

    /// Checks the result of any wish. One that ended with the first failure it met names no others, and
    /// the node stays as that wish left it.
    #[track_caller]
    pub(crate) fn check(&self, node: usize, result: &Result<Tracked, Error>) {
        match (&self.expected[node], result) {
            (Expected::Value(value), Ok(result)) => assert_eq!(result.value, *value, "value of step {node}"),
            (Expected::Failure(steps), Err(error)) => {
                let named = self.named(error);
                let causes = steps.iter().filter(|step| named.contains(step)).count();
                assert_eq!(causes, named.len(), "step {node} needs {steps:?}, each of them once: {error:?}");
                let count = 1 + error.others_count();
                assert!(causes <= count && count <= steps.len(), "step {node} needs {steps:?}: {error:?}");
            }
            (Expected::Value(_), Err(error)) => panic!("step {node} failed: {error:?}"),
            (Expected::Failure(steps), Ok(_)) => panic!("step {node} needs {steps:?}, which fail"),
        }
    }

    /// The same where none but tolerant wishes have asked for the node: its error names all failures, as
    /// far as there is room, in the order of the arguments.
    #[track_caller]
    pub(crate) fn check_settled(&self, node: usize, result: &Result<Tracked, Error>) {
        self.check(node, result);
        if let (Expected::Failure(steps), Err(error)) = (&self.expected[node], result) {
            let room = steps.len().min(MOST_NAMED);
            assert_eq!(self.named(error), steps[..room], "step {node}: {error:?}");
            if room == steps.len() {
                assert_eq!(1 + error.others_count(), steps.len(), "step {node}: {error:?}");
            }
        }
    }

    /// Which steps an error names. It has to say of each what that one did.
    #[track_caller]
    fn named(&self, error: &Error) -> Vec<usize> {
        let mut named = Vec::new();
        for error in std::iter::once(error).chain(error.others()) {
            let Some(origin) = self.origins.get(&error.node().key()) else {
                panic!("no step fails with this error: {error:?}")
            };
            assert_eq!(error.node().name(), origin.name);
            assert_eq!(error.is_panic(), origin.failure == Failure::Panic, "{error:?}");
            assert!(error.to_string().contains(ON_PURPOSE), "{error:?}");
            named.push(origin.step);
        }
        named
    }
}
