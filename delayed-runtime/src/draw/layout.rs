//! A layered layout: where the boxes stand and how the edges run.
//!
//! 1. `layers`: a node is one layer below its lowest input. A node with no more inputs than
//!    consumers then moves down to its highest consumer, which shortens its edges.
//! 2. An edge over several layers takes a lane in each layer between: a point without width, so
//!    that no edge runs through a box. All edges of one node share its lanes.
//! 3. `order`: each layer is sorted by the mean position of its neighbours in the layer above, then
//!    below, several times. The order with the fewest crossings wins; the first is the order of
//!    the arguments.
//! 4. `spread`: each point moves towards the mean of its neighbours below, then above, several times,
//!    as far as the order and the widths of its layer allow.

use super::picture::Picture;
use crate::graph::Edge;

/// The height of a box.
pub(super) const HEIGHT: f64 = 32.0;
/// The least distance of two layers.
const GAP: f64 = 42.0;
/// The distance of boxes in a layer, and of lanes.
const BETWEEN: f64 = 18.0;
const LANES: f64 = 12.0;
const SORTS: usize = 12;
const MOVES: usize = 32;
const LAST: usize = 18;
/// How strong the wishes of points are that are no boxes with neighbours, whose strength is 1: of
/// lanes, so that they run straight, of points that stay, and of those that nothing pulls.
const STIFF: f64 = 6.0;
const FIRM: f64 = 1e6;
const LOOSE: f64 = 0.1;

pub(super) struct Layout {
    /// The centres: first the blocks in their order, then the lanes.
    pub(super) points: Vec<Point>,
    /// Parts of edges, each from a layer to the next, sorted by the point they go to and by the
    /// place they come from.
    pub(super) parts: Vec<(usize, usize)>,
    /// The upper side of each layer.
    pub(super) tops: Vec<f64>,
    pub(super) width: f64,
    pub(super) height: f64,
}

#[derive(Clone, Copy)]
pub(super) struct Point {
    pub(super) x: f64,
    pub(super) layer: usize,
    /// Zero for a lane.
    pub(super) width: f64,
}

/// The layer of each node, from 0. Edges are sorted by consumer and go from lower to higher nodes.
pub(super) fn layers(nodes: usize, edges: &[Edge]) -> Vec<usize> {
    let mut layers = vec![0; nodes];
    // Consumers less inputs.
    let mut surplus = vec![0_isize; nodes];
    for edge in edges {
        layers[edge.to] = layers[edge.to].max(layers[edge.from] + 1);
        surplus[edge.from] += 1;
        surplus[edge.to] -= 1;
    }
    let mut highest = vec![usize::MAX; nodes];
    let mut inputs = edges.iter().rev().peekable();
    for node in (0..nodes).rev() {
        if surplus[node] >= 0 && highest[node] != usize::MAX {
            layers[node] = highest[node] - 1;
        }
        while let Some(edge) = inputs.next_if(|edge| edge.to == node) {
            highest[edge.from] = highest[edge.from].min(layers[node]);
        }
    }
    layers
}

/// The lanes of each node: one for each layer between it and its lowest consumer.
fn lanes(layers: &[usize], edges: &[Edge]) -> Vec<usize> {
    let mut lanes = vec![0; layers.len()];
    for edge in edges {
        lanes[edge.from] = lanes[edge.from].max(layers[edge.to] - layers[edge.from] - 1);
    }
    lanes
}

/// How many points a layout would have.
pub(super) fn points(layers: &[usize], edges: &[Edge]) -> usize {
    layers.len() + lanes(layers, edges).iter().sum::<usize>()
}

/// The neighbours of each point on one side, in one list.
struct Links {
    starts: Vec<usize>,
    ends: Vec<usize>,
}

impl Links {
    fn new(points: usize, parts: impl Iterator<Item = (usize, usize)> + Clone) -> Links {
        let mut starts = vec![0; points + 1];
        parts.clone().for_each(|(point, _)| starts[point + 1] += 1);
        for point in 0..points {
            starts[point + 1] += starts[point];
        }
        let mut ends = vec![0; starts[points]];
        let mut next = starts.clone();
        for (point, neighbour) in parts {
            ends[next[point]] = neighbour;
            next[point] += 1;
        }
        Links { starts, ends }
    }

    fn of(&self, point: usize) -> &[usize] {
        &self.ends[self.starts[point]..self.starts[point + 1]]
    }

    fn mean(&self, point: usize, place: impl Fn(usize) -> f64) -> Option<f64> {
        let links = self.of(point);
        let sum: f64 = links.iter().map(|&link| place(link)).sum();
        (!links.is_empty()).then(|| sum / links.len() as f64)
    }
}

/// Places boxes of the given widths.
pub(super) fn layout(picture: &Picture<'_>, widths: &[f64]) -> Layout {
    let depth = picture.layers.iter().max().map_or(0, |last| last + 1);
    let mut points: Vec<Point> = Vec::with_capacity(widths.len());
    points.extend(widths.iter().zip(&picture.layers).map(|(&width, &layer)| Point { x: 0.0, layer, width }));
    let mut rows = vec![Vec::new(); depth];
    let mut parts = Vec::with_capacity(picture.edges.len());
    let mut first_lane = Vec::with_capacity(widths.len());
    for (node, lanes) in lanes(&picture.layers, &picture.edges).into_iter().enumerate() {
        let layer = picture.layers[node];
        rows[layer].push(node);
        first_lane.push(points.len());
        for lane in 0..lanes {
            parts.push((if lane == 0 { node } else { points.len() - 1 }, points.len()));
            rows[layer + lane + 1].push(points.len());
            points.push(Point { x: 0.0, layer: layer + lane + 1, width: 0.0 });
        }
    }
    for edge in &picture.edges {
        let above = picture.layers[edge.to] - picture.layers[edge.from] - 1;
        let from = if above == 0 { edge.from } else { first_lane[edge.from] + above - 1 };
        parts.push((from, edge.to));
    }
    let below = Links::new(points.len(), parts.iter().copied());
    let above = Links::new(points.len(), parts.iter().map(|&(from, to)| (to, from)));
    let rows = order(rows, points.len(), &above, &below);
    spread(&rows, &mut points, &above, &below);

    let left = points.iter().map(|point| point.x - point.width / 2.0).fold(f64::INFINITY, f64::min);
    points.iter_mut().for_each(|point| point.x -= left);
    // Where edges go far to the side, more height keeps them from lying flat.
    let mut spans = vec![0.0_f64; depth];
    for &(from, to) in &parts {
        let layer = points[to].layer;
        spans[layer] = spans[layer].max((points[from].x - points[to].x).abs());
    }
    let mut tops = Vec::with_capacity(depth);
    let mut height = 0.0;
    for (layer, span) in spans.iter().enumerate() {
        height += if layer == 0 { 0.0 } else { GAP + (span / 9.0).min(160.0) };
        tops.push(height);
        height += HEIGHT;
    }
    parts.sort_by(|a, b| a.1.cmp(&b.1).then(points[a.0].x.total_cmp(&points[b.0].x)));
    let width = points.iter().map(|point| point.x + point.width / 2.0).fold(0.0, f64::max);
    Layout { points, parts, tops, width, height }
}

fn order(mut rows: Vec<Vec<usize>>, points: usize, above: &Links, below: &Links) -> Vec<Vec<usize>> {
    let mut place = vec![0; points];
    rows.iter().for_each(|row| row.iter().enumerate().for_each(|(at, &point)| place[point] = at));
    let mut fewest = crossings(&rows, &place, below);
    let mut best = rows.clone();
    let mut keys = vec![0.0; points];
    for sort in 0..SORTS {
        if fewest == 0 {
            break;
        }
        let links = if sort % 2 == 0 { above } else { below };
        let mut sort_row = |row: &mut Vec<usize>| {
            for &point in &*row {
                keys[point] = links.mean(point, |link| place[link] as f64).unwrap_or(place[point] as f64);
            }
            row.sort_by(|&a, &b| keys[a].total_cmp(&keys[b]));
            row.iter().enumerate().for_each(|(at, &point)| place[point] = at);
        };
        if sort % 2 == 0 {
            rows.iter_mut().for_each(&mut sort_row);
        } else {
            rows.iter_mut().rev().for_each(&mut sort_row);
        }
        let crossings = crossings(&rows, &place, below);
        if crossings < fewest {
            fewest = crossings;
            best.clone_from(&rows);
        }
    }
    best
}

/// Counts inversions with a Fenwick tree over the places of the lower row.
fn crossings(rows: &[Vec<usize>], place: &[usize], below: &Links) -> usize {
    let mut crossings = 0;
    for pair in rows.windows(2) {
        let mut tree = vec![0_usize; pair[1].len() + 1];
        let mut seen = 0;
        for &point in &pair[0] {
            let mut ends: Vec<usize> = below.of(point).iter().map(|&end| place[end] + 1).collect();
            ends.sort_unstable();
            for &end in &ends {
                let (mut at, mut not_right) = (end, 0);
                while at > 0 {
                    not_right += tree[at];
                    at &= at - 1;
                }
                crossings += seen - not_right;
            }
            for mut at in ends {
                seen += 1;
                while at < tree.len() {
                    tree[at] += 1;
                    at += at & at.wrapping_neg();
                }
            }
        }
    }
    crossings
}

fn spread(rows: &[Vec<usize>], points: &mut [Point], above: &Links, below: &Links) {
    for row in rows {
        settle(row, points, |_, _| (0.0, 1.0));
    }
    for round in 0..=MOVES {
        let upward = round % 2 == 0;
        // In the end, consumers follow their inputs; upward only points without inputs move.
        let late = upward && round + LAST >= MOVES;
        let links = if upward { below } else { above };
        let wish = |point: usize, points: &[Point]| {
            let here = points[point];
            let stays = late && !above.of(point).is_empty();
            match links.mean(point, |link| points[link].x) {
                _ if stays => (here.x, FIRM),
                Some(mean) if here.width == 0.0 => (mean, STIFF),
                Some(mean) => (mean, 1.0),
                None => (here.x, LOOSE),
            }
        };
        if upward {
            rows.iter().rev().for_each(|row| settle(row, points, wish));
        } else {
            rows.iter().for_each(|row| settle(row, points, wish));
        }
    }
}

/// Moves a row as near to where its points want to be, by weight, as its order and widths allow:
/// less the room to its left each point has a wish, and the wishes are made to rise by pooling
/// neighbours that do not.
fn settle(row: &[usize], points: &mut [Point], wish: impl Fn(usize, &[Point]) -> (f64, f64)) {
    struct Pool {
        sum: f64,
        weight: f64,
        len: usize,
    }
    let mut pools: Vec<Pool> = Vec::with_capacity(row.len());
    let mut rooms = Vec::with_capacity(row.len());
    let mut room = 0.0;
    let mut before: Option<Point> = None;
    for &point in row {
        let here = points[point];
        room += before.map_or(0.0, |before| {
            let lanes = before.width == 0.0 || here.width == 0.0;
            (before.width + here.width) / 2.0 + if lanes { LANES } else { BETWEEN }
        });
        before = Some(here);
        rooms.push(room);
        let (wish, weight) = wish(point, points);
        let mut pool = Pool { sum: (wish - room) * weight, weight, len: 1 };
        while let Some(last) = pools.pop_if(|last| last.sum * pool.weight > pool.sum * last.weight) {
            pool = Pool {
                sum: last.sum + pool.sum,
                weight: last.weight + pool.weight,
                len: last.len + pool.len,
            };
        }
        pools.push(pool);
    }
    let bases = pools.iter().flat_map(|pool| std::iter::repeat_n(pool.sum / pool.weight, pool.len));
    for ((&point, base), room) in row.iter().zip(bases).zip(rooms) {
        points[point].x = base + room;
    }
}
