//! Runs a graph with values that count themselves.

use super::graph::{Graph, Peaks};
use delayed::{Client, Delayed, delayed};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

#[derive(Default)]
struct Count {
    live: AtomicUsize,
    intermediate: AtomicUsize,
    peak: AtomicUsize,
    intermediate_peak: AtomicUsize,
}

/// A value. It cannot be cloned, so that each is counted once.
struct Live {
    count: Arc<Count>,
    sink: bool,
}

impl Live {
    fn new(count: Arc<Count>, sink: bool) -> Live {
        let live = count.live.fetch_add(1, SeqCst) + 1;
        count.peak.fetch_max(live, SeqCst);
        let others = count.intermediate.fetch_add(usize::from(!sink), SeqCst);
        count.intermediate_peak.fetch_max(others + 1, SeqCst);
        Live { count, sink }
    }
}

impl Drop for Live {
    fn drop(&mut self) {
        self.count.live.fetch_sub(1, SeqCst);
        self.count.intermediate.fetch_sub(usize::from(!self.sink), SeqCst);
    }
}

/// Produces a value while its inputs are there, and lets go of them when it returns: what a function
/// with `&T` parameters does, but for any number of inputs.
#[delayed]
fn node(inputs: Vec<Arc<Live>>, count: Arc<Count>, sink: bool, work: u32) -> Arc<Live> {
    for _ in 0..work {
        std::hint::spin_loop();
    }
    let value = Arc::new(Live::new(count, sink));
    drop(inputs);
    value
}

/// Runs the graph and returns its peaks. `work` is how long a node spins, in turns.
pub(crate) fn run(graph: &Graph, client: &Client, work: u32) -> Peaks {
    let count = Arc::new(Count::default());
    let consumers = graph.consumers();
    let mut nodes: Vec<Delayed<Arc<Live>>> = Vec::with_capacity(graph.len());
    for (inputs, consumers) in graph.inputs.iter().zip(&consumers) {
        let inputs: Vec<_> = inputs.iter().map(|&input| &nodes[input]).collect();
        nodes.push(node(inputs, count.clone(), *consumers == 0, work));
    }
    let mut sinks = nodes;
    let mut is_sink = consumers.iter().map(|consumers| *consumers == 0);
    sinks.retain(|_| is_sink.next() == Some(true));

    let _guard = client.enter();
    let values = delayed::wait(sinks).expect("no node fails");
    assert_eq!(count.live.load(SeqCst), values.len(), "only sinks are left");
    drop(values);
    assert_eq!(count.live.load(SeqCst), 0, "nothing is left");
    Peaks { all: count.peak.load(SeqCst), intermediate: count.intermediate_peak.load(SeqCst) }
}
