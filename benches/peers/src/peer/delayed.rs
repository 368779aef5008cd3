//! This library, through its public API.

use super::Run;
use crate::clock::{Phases, timed};
use crate::kernel;
use crate::plan::Plan;
use delayed::{Client, Delayed, delayed};

#[delayed]
fn leaf(bias: u64) -> u64 {
    kernel::value(bias, 0)
}

#[delayed]
fn sum1(bias: u64, a: u64) -> u64 {
    kernel::value(bias, a)
}

#[delayed]
fn sum2(bias: u64, a: u64, b: u64) -> u64 {
    kernel::value(bias, kernel::sum([a, b]))
}

#[delayed]
fn sum3(bias: u64, a: u64, b: u64, c: u64) -> u64 {
    kernel::value(bias, kernel::sum([a, b, c]))
}

#[delayed]
fn sum4(bias: u64, a: u64, b: u64, c: u64, d: u64) -> u64 {
    kernel::value(bias, kernel::sum([a, b, c, d]))
}

#[delayed]
fn sum(bias: u64, inputs: Vec<u64>) -> u64 {
    kernel::value(bias, kernel::sum(inputs))
}

/// `wait` makes the calling thread one of the client's.
pub fn start(threads: usize) -> Run {
    let client = Client::builder().threads_per_worker(threads).build().expect("threads start");
    Box::new(move |plan| {
        let _guard = client.enter();
        let (sinks, build) = timed(|| build(plan));
        let (values, run) = timed(|| delayed::wait(sinks).expect("no node fails"));
        let mut left = values.iter();
        let checksum = plan.checksum(|_| *left.next().expect("a value for each sink"));
        let ((), drop) = timed(|| drop(values));
        Phases { build, run, drop, checksum }
    })
}

/// The handles of the sinks.
fn build(plan: &Plan) -> Vec<Delayed<u64>> {
    let mut handles: Vec<Option<Delayed<u64>>> = Vec::with_capacity(plan.nodes());
    let mut consumers_left = plan.consumers.clone();
    for (node, &bias) in plan.biases.iter().enumerate() {
        // The last consumer gets the handle itself. A clone is what `&handle` would make.
        let mut take = |input: u32| {
            let input = input as usize;
            consumers_left[input] -= 1;
            let is_last = consumers_left[input] == 0;
            let handle = if is_last { handles[input].take() } else { handles[input].clone() };
            handle.expect("a handle is moved at its last use")
        };
        let handle = match *plan.inputs(node) {
            [] => leaf(bias),
            [a] => sum1(bias, take(a)),
            [a, b] => sum2(bias, take(a), take(b)),
            [a, b, c] => sum3(bias, take(a), take(b), take(c)),
            [a, b, c, d] => sum4(bias, take(a), take(b), take(c), take(d)),
            ref many => sum(bias, many.iter().map(|&input| take(input)).collect::<Vec<_>>()),
        };
        handles.push(Some(handle));
    }
    plan.sinks.iter().map(|&sink| handles[sink as usize].take().expect("a sink has no consumer")).collect()
}
