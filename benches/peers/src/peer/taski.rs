//! The crate `taski`: typed closures in a schedule whose futures one thread polls.

use super::Run;
use crate::clock::{Phases, timed};
use crate::kernel;
use crate::plan::Plan;
use futures::executor::block_on;
use taski::dag::Handle;
use taski::{PolicyExecutor, Schedule};

pub fn start(_threads: usize) -> Run {
    Box::new(run)
}

fn run(plan: &'static Plan) -> Phases {
    taski::make_guard!(guard);
    let ((mut executor, nodes), build) = timed(|| {
        let mut schedule = Schedule::new(guard);
        let nodes = build(plan, &mut schedule);
        // Nodes never wait, so more at once would only cost more.
        (PolicyExecutor::fifo(schedule).max_concurrent(Some(1)), nodes)
    });
    let (ended, run) = timed(|| block_on(executor.run()));
    ended.expect("no node fails");
    let checksum = plan
        .checksum(|sink| *executor.execution().output_ref(nodes[sink as usize]).expect("the sink has run"));
    let ((), drop) = timed(|| drop(executor));
    Phases { build, run, drop, checksum }
}

macro_rules! sum {
    ($schedule:ident, $nodes:ident, $bias:ident, $($x:ident)*) => {{
        let sum = move |$($x: u64),*| async move { Ok(kernel::value($bias, kernel::sum([$($x),*]))) };
        $schedule.add_closure(sum, ($($nodes[$x as usize],)*))
    }};
}

fn build<'id>(plan: &Plan, schedule: &mut Schedule<'id, ()>) -> Vec<Handle<'id, u64>> {
    let mut nodes: Vec<Handle<'id, u64>> = Vec::with_capacity(plan.nodes());
    for (node, &bias) in plan.biases.iter().enumerate() {
        let handle = match *plan.inputs(node) {
            [] => schedule.add_closure(move || async move { Ok(kernel::value(bias, 0)) }, ()),
            [a] => sum!(schedule, nodes, bias, a),
            [a, b] => sum!(schedule, nodes, bias, a b),
            [a, b, c] => sum!(schedule, nodes, bias, a b c),
            [a, b, c, d] => sum!(schedule, nodes, bias, a b c d),
            [a, b, c, d, e] => sum!(schedule, nodes, bias, a b c d e),
            _ => unreachable!("no workload that it takes has nodes of 6 to 8 inputs"),
        };
        nodes.push(handle.expect("inputs are in the same schedule"));
    }
    nodes
}
