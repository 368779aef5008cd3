//! Groups of the nodes of one function at one depth, for graphs that are too large to be read.

use super::label::{label, shown, status, tip};
use super::layer::points;
use super::picture::{Block, Kind, Picture};
use super::style::Style;
use crate::graph::{Edge, Graph, GraphNode};
use crate::handle::Status;
use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

/// The most blocks of a picture.
const BLOCKS: usize = 2_000;
/// The most points of its layout, for graphs with few nodes and many long edges.
const POINTS: usize = 40_000;
/// Graphs with more layers than the first are shown in about as many bands as the second.
const LAYERS: usize = 120;
const BANDS: usize = 40;
/// The names that keep groups of their own if there are too many names.
const NAMES: usize = 12;

/// The graph itself, or groups of its nodes where it is too large to be read.
pub(super) fn readable<'g>(graph: &'g Graph, style: &Style) -> Picture<'g> {
    let picture = Picture::of(graph, style);
    let points = points(&picture.layers, &picture.edges) + picture.edges.len();
    if picture.blocks.len() <= BLOCKS && points <= POINTS {
        return picture;
    }
    grouped(graph, if style.values { Picture::of(graph, &Style::new()) } else { picture })
}

/// Groups what a picture of the calls of a graph shows.
fn grouped<'g>(graph: &'g Graph, calls: Picture<'g>) -> Picture<'g> {
    let mut node_layers = calls.layers;
    let depth = node_layers.iter().max().map_or(0, |last| last + 1);
    let band = if depth > LAYERS { depth.div_ceil(BANDS) } else { 1 };
    node_layers.iter_mut().for_each(|layer| *layer /= band);
    let names = names(graph, &node_layers);

    let mut by_layer: Vec<usize> = (0..names.len()).collect();
    by_layer.sort_by_key(|&node| node_layers[node]);
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut group_of = vec![0; names.len()];
    let mut index_of = HashMap::new();
    for node in by_layer {
        group_of[node] = *index_of.entry((node_layers[node], names[node])).or_insert(groups.len());
        if group_of[node] == groups.len() {
            groups.push(Vec::new());
        }
        groups[group_of[node]].push(node);
    }

    let mut edges: Vec<_> = calls
        .edges
        .iter()
        .filter(|edge| node_layers[edge.from] < node_layers[edge.to])
        .map(|edge| (group_of[edge.to], group_of[edge.from]))
        .collect();
    edges.sort_unstable();
    edges.dedup();

    let depths = if band > 1 { format!("bands of {band} layers") } else { "layer".to_owned() };
    let (nodes, all) = (graph.nodes.len(), graph.edges.len());
    Picture {
        blocks: groups.iter().map(|group| block(graph, names[group[0]], group)).collect(),
        edges: edges.into_iter().map(|(to, from)| Edge { from, to, param: "".into() }).collect(),
        layers: groups.iter().map(|group| node_layers[group[0]]).collect(),
        caption: Some(format!("{nodes} nodes and {all} edges, grouped by function and {depths}")),
    }
}

/// The name under which each node is grouped: that of its function, or the part before any digits if
/// that makes too many groups, or only the most common of those if that does too.
fn names<'g>(graph: &'g Graph, layers: &[usize]) -> Vec<&'g str> {
    let too_many = |names: &[&str]| layers.iter().zip(names).collect::<HashSet<_>>().len() > BLOCKS;
    let mut names: Vec<&str> = graph.nodes.iter().map(group_name).collect();
    if too_many(&names) {
        names.iter_mut().for_each(|name| *name = stem(name));
    }
    if too_many(&names) {
        let mut counts = HashMap::new();
        names.iter().for_each(|name| *counts.entry(*name).or_insert(0) += 1);
        let mut common: Vec<_> = counts.into_iter().collect();
        common.sort_unstable_by_key(|(name, count)| (Reverse(*count), *name));
        let common: HashSet<_> = common.iter().take(NAMES).map(|(name, _)| *name).collect();
        names.iter_mut().filter(|name| !common.contains(**name)).for_each(|name| *name = "other names");
    }
    names
}

fn group_name(node: &GraphNode) -> &str {
    if node.is_value() { &node.name } else { &node.function }
}

fn stem(name: &str) -> &str {
    let stem = name.split(|c: char| c.is_ascii_digit()).next().unwrap_or(name);
    stem.trim_end_matches(|c: char| !c.is_alphanumeric())
}

fn block<'g>(graph: &'g Graph, name: &'g str, group: &[usize]) -> Block<'g> {
    let first = &graph.nodes[group[0]];
    if let [_] = group {
        return Block::of(first, Kind::Node);
    }
    let nodes = || group.iter().map(|&node| &graph.nodes[node]);
    let mut counts: Vec<(Status, usize)> = Vec::new();
    for node in nodes() {
        match counts.iter_mut().find(|(of, _)| *of == node.status) {
            Some((_, count)) => *count += 1,
            None => counts.push((node.status, 1)),
        }
    }
    let order = nodes().filter_map(|node| node.order).min();
    let time = nodes().filter_map(|node| node.time).reduce(|sum, time| sum.saturating_add(time));
    let mut lines = vec![format!("the first is {}", tip(first)[..2].join(" at "))];
    lines.extend(counts.iter().map(|(of, count)| format!("{count} {}", status(*of))));
    lines.extend(order.map(|order| format!("order from {order}")));
    lines.extend(time.map(|time| format!("took {} in all", shown(time))));
    Block {
        kind: Kind::Node,
        function: if nodes().all(|node| node.is_value()) { "" } else { name },
        label: format!("{} ×{}", label(name), group.len()),
        key: None,
        tip: lines,
        status: (counts.len() == 1).then_some(first.status),
        order,
        time,
    }
}
