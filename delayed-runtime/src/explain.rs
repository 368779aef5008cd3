//! What a wish would have to do, told before it does it.

use crate::collection::Collection;
use crate::graph::{self, Edge, Graph, GraphNode};
use crate::handle::{Delayed, Status};
use crate::units;
use crate::visible;
use std::collections::HashMap;
use std::fmt;

/// The longest name in the text, in characters.
const NAME: usize = 28;
/// The most names in a line of the text.
const NAMES: usize = 4;
/// The most lines for a chain in the text.
const LINES: usize = 5;
/// The width of what stands before each line of the text.
const LABEL: usize = 13;

/// How much there is to do in a [`Graph`], and how much of it at the same time.
///
/// `Display` is a text of at most twelve lines:
///
/// ```text
/// to run       2,013 nodes, 3,001 edges
///              1,000 parse, 999 merge, 12 load, 1 fit, 1 report
/// so far       1 done
/// longest      14 nodes in a chain
///              load       src/main.rs:10
///              parse      src/main.rs:14
///              merge ×10  src/main.rs:21
///              fit        src/main.rs:30
///              report     src/main.rs:38
/// widest       1,000 nodes, in layer 2 of 14
/// parallelism  143.8
/// ```
///
/// Nodes count alike, whatever their functions take. What is wanted already, or done, is not counted
/// again, and a node that may build more graph when it runs is one node.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Explanation {
    /// The nodes that nobody has asked for, and that would run.
    pub to_run: usize,
    /// The nodes that nobody has asked for, and that would fail without a call, because what they need
    /// has failed.
    pub to_fail: usize,
    /// The nodes that are wanted, and wait for their inputs or their turn. What they wait for is not seen.
    pub waiting: usize,
    /// The nodes whose function is running.
    pub running: usize,
    /// The nodes that have a value.
    pub done: usize,
    /// The nodes that have an error.
    pub failed: usize,
    /// The edges to nodes that would run.
    pub edges: usize,
    /// The names of the nodes that would run, and how many have each: the most frequent first.
    pub names: Vec<(String, usize)>,
    /// A longest chain of nodes that would run, each of which needs the one before it.
    pub chain: Vec<GraphNode>,
    /// How many nodes would run in each layer: those of the first need none that would run, all others
    /// need one of the layer before. There are as many layers as nodes in the chain.
    pub layers: Vec<usize>,
    /// How many nodes would run at the same time, on average and at best: the nodes by the length of the
    /// longest chain. However many threads there are, they are not more than this many times as fast as one.
    pub parallelism: f64,
}

/// What is known of a node when those before it have been looked at.
#[derive(Clone, Copy)]
struct Place {
    /// From 1; zero for a node that would not run.
    layer: usize,
    /// An input of the layer before, if there is one.
    before: Option<usize>,
    fails: bool,
}

impl Graph {
    /// How much there is to do, and how much of it at the same time.
    pub fn explain(&self) -> Explanation {
        let places = places(self);
        let count = |status| self.nodes.iter().filter(|node| node.status == status).count();
        let lazy = count(Status::Lazy);
        let to_run = places.iter().filter(|place| place.layer > 0).count();

        let mut names = HashMap::new();
        let mut layers = vec![0; places.iter().map(|place| place.layer).max().unwrap_or(0)];
        for (node, place) in self.nodes.iter().zip(&places).filter(|(_, place)| place.layer > 0) {
            *names.entry(&*node.name).or_insert(0) += 1;
            layers[place.layer - 1] += 1;
        }
        let mut names: Vec<_> = names.into_iter().map(|(name, count)| (name.to_owned(), count)).collect();
        names.sort_by(|(a, most), (b, count)| count.cmp(most).then_with(|| a.cmp(b)));

        let mut chain = Vec::with_capacity(layers.len());
        let mut next = (0..places.len()).max_by_key(|&index| places[index].layer);
        while let Some(index) = next.filter(|&index| places[index].layer > 0) {
            chain.push(self.nodes[index].clone());
            next = places[index].before;
        }
        chain.reverse();

        Explanation {
            to_run,
            to_fail: lazy - to_run,
            waiting: count(Status::Waiting),
            running: count(Status::Running),
            done: count(Status::Done),
            failed: count(Status::Failed),
            edges: edges(self).filter(|edge| places[edge.to].layer > 0).count(),
            names,
            parallelism: if to_run == 0 { 0.0 } else { to_run as f64 / layers.len() as f64 },
            chain,
            layers,
        }
    }
}

/// The edges of a graph, without those that only one can have that somebody has changed.
fn edges(graph: &Graph) -> impl Iterator<Item = &Edge> {
    graph.edges.iter().filter(|edge| edge.from < edge.to && edge.to < graph.nodes.len())
}

fn places(graph: &Graph) -> Vec<Place> {
    let mut edges: Vec<_> = edges(graph).collect();
    // They are in this order, unless somebody has changed it.
    edges.sort_by_key(|edge| edge.to);
    let mut edges = edges.into_iter().peekable();
    let mut places: Vec<Place> = Vec::with_capacity(graph.nodes.len());
    for (index, node) in graph.nodes.iter().enumerate() {
        let mut place = Place { layer: 1, before: None, fails: node.status == Status::Failed };
        while let Some(edge) = edges.next_if(|edge| edge.to == index) {
            let input = places[edge.from];
            place.fails |= input.fails;
            if input.layer >= place.layer {
                place.layer = input.layer + 1;
                place.before = Some(edge.from);
            }
        }
        if place.fails || node.status != Status::Lazy {
            place.layer = 0;
        }
        places.push(place);
    }
    places
}

/// How much there is to do for handles, and how much of it at the same time: see
/// [`explain`](Delayed::explain) of one.
pub fn explain<C: Collection>(handles: C) -> Explanation {
    graph::of(&handles).explain()
}

impl<T: Send + Sync + 'static> Delayed<T> {
    /// How much there is to do for this handle, and how much of it at the same time. Nothing runs.
    ///
    /// ```
    /// # use delayed_runtime as delayed;
    /// let squares = (1..=4).map(|x| delayed::call(|x: i64| x * x, (x,)).named("square"));
    /// let sum: delayed::Delayed<i64> = squares.sum();
    /// let plan = sum.explain();
    /// assert_eq!((plan.to_run, plan.layers), (5, vec![4, 1]));
    /// println!("{}", sum.explain());
    /// ```
    pub fn explain(&self) -> Explanation {
        self.graph().explain()
    }
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = Vec::new();
        if self.to_run > 0 {
            lines.push(("to run", format!("{}, {}", many(self.to_run, "node"), many(self.edges, "edge"))));
            lines.push(("", self.shown_names()));
        } else {
            lines.push(("to run", "nothing".to_owned()));
        }
        let so_far = [
            (self.done, "done"),
            (self.running, "running"),
            (self.waiting, "waiting"),
            (self.failed, "failed"),
        ];
        let so_far: Vec<_> = so_far.into_iter().filter(|&(count, _)| count > 0).collect();
        if !so_far.is_empty() {
            let shown = so_far.iter().map(|(count, what)| format!("{} {what}", number(*count)));
            lines.push(("so far", shown.collect::<Vec<_>>().join(", ")));
        }
        if self.to_fail > 0 {
            let need = if self.to_fail == 1 { "needs" } else { "need" };
            lines.push((
                "to fail",
                format!("{}, which {need} one that has failed", many(self.to_fail, "node")),
            ));
        }
        if let Some(widest) = self.layers.iter().max() {
            lines.push(("longest", format!("{} in a chain", many(self.chain.len(), "node"))));
            lines.extend(self.shown_chain().into_iter().map(|line| ("", line)));
            let layer = self.layers.iter().position(|layer| layer == widest).unwrap_or(0) + 1;
            let of = number(self.layers.len());
            lines.push(("widest", format!("{}, in layer {} of {of}", many(*widest, "node"), number(layer))));
            lines.push(("parallelism", format!("{:.1}", self.parallelism)));
        }
        for (index, (label, line)) in lines.into_iter().enumerate() {
            let end = if index > 0 { "\n" } else { "" };
            write!(f, "{end}{label:LABEL$}{line}")?;
        }
        Ok(())
    }
}

impl Explanation {
    fn shown_names(&self) -> String {
        // One more is shown by its name, and not as "1 other".
        let shown = if self.names.len() == NAMES + 1 { NAMES + 1 } else { NAMES.min(self.names.len()) };
        let mut parts: Vec<_> = self.names[..shown]
            .iter()
            .map(|(name, count)| format!("{} {}", number(*count), visible::cut(name, NAME)))
            .collect();
        let others: usize = self.names[shown..].iter().map(|(_, count)| count).sum();
        if others > 0 {
            parts.push(format!("{} with other names", number(others)));
        }
        parts.join(", ")
    }

    /// The chain; nodes of one name and place that follow each other share a line.
    fn shown_chain(&self) -> Vec<String> {
        let same = |a: &GraphNode, b: &GraphNode| (&a.name, &a.file, a.line) == (&b.name, &b.file, b.line);
        let runs: Vec<_> = self.chain.chunk_by(same).collect();
        let (first, last) = match runs.len() {
            ..=LINES => (runs.len(), runs.len()),
            all => (LINES / 2, all - LINES / 2),
        };
        let shown = |run: &&[GraphNode]| {
            let times = if run.len() > 1 { format!(" ×{}", number(run.len())) } else { String::new() };
            let place = format!("{}:{}", visible::line(&run[0].file), run[0].line);
            (visible::cut(&run[0].name, NAME) + &times, place)
        };
        let mut rows: Vec<_> = runs[..first].iter().map(shown).collect();
        let left_out: usize = runs[first..last].iter().map(|run| run.len()).sum();
        if left_out > 0 {
            rows.push((format!("… {} more", number(left_out)), String::new()));
        }
        rows.extend(runs[last..].iter().map(shown));
        let width = rows.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0);
        rows.into_iter()
            .map(|(name, place)| format!("{name:width$}  {place}").trim_end().to_owned())
            .collect()
    }
}

fn number(number: usize) -> String {
    units::count(number as u64)
}

fn many(count: usize, what: &str) -> String {
    format!("{} {what}{}", number(count), if count == 1 { "" } else { "s" })
}
