//! A layered layout: where the blocks stand and how the edges run.
//!
//! Layers follow one another along the way that values flow; a layer lies across it. So a layout
//! serves both directions of a picture.
//!
//! 1. `layer`: in which layer each block is, and which lanes its edges take past others.
//! 2. `order`: how the points of each layer follow one another.
//! 3. `spread`: each point moves towards the mean of its neighbours after, then before it, several
//!    times, as far as the order and the breadths of its layer allow.
//!
//! rust-sugiyama 0.4, given the same layers and lanes, needs as many crossings (570 for 569 here on
//! 300 random nodes), but draws edges of random and dense graphs twice as long and pictures three times
//! as wide, takes three to twelve times as long, and panics on one of thirteen graphs.

use super::layer::lanes;
use super::order::{Links, order};
use super::picture::Picture;

/// The least distance of two layers.
const GAP: f64 = 42.0;
/// The distance of blocks in a layer, and of lanes.
const BETWEEN: f64 = 18.0;
const LANES: f64 = 12.0;
const MOVES: usize = 32;
const LAST: usize = 18;
/// How strong the wishes of points are that are no blocks with neighbours, whose strength is 1: of
/// lanes, so that they run straight, of points that stay, and of those that nothing pulls.
const STIFF: f64 = 6.0;
const FIRM: f64 = 1e6;
const LOOSE: f64 = 0.1;

/// What a block needs across and along the flow.
#[derive(Clone, Copy)]
pub(super) struct Size {
    pub(super) breadth: f64,
    pub(super) depth: f64,
}

pub(super) struct Layout<'p> {
    /// First the blocks in their order, then the lanes.
    pub(super) points: Vec<Point>,
    /// Parts of edges, each from a layer to the next, sorted by the point they go to and by the
    /// place they come from.
    pub(super) parts: Vec<Part<'p>>,
    /// Where each layer begins and ends.
    pub(super) layers: Vec<(f64, f64)>,
    pub(super) breadth: f64,
    pub(super) depth: f64,
}

#[derive(Clone, Copy)]
pub(super) struct Point {
    /// The centre.
    pub(super) across: f64,
    pub(super) layer: usize,
    /// Zero for a lane.
    pub(super) breadth: f64,
}

#[derive(Clone, Copy)]
pub(super) struct Part<'p> {
    pub(super) from: usize,
    pub(super) to: usize,
    /// The parameter, where the edge ends.
    pub(super) param: &'p str,
}

/// Places blocks of the given sizes.
pub(super) fn layout<'p>(picture: &'p Picture<'_>, sizes: &[Size]) -> Layout<'p> {
    let last = picture.layers.iter().max().map_or(0, |last| last + 1);
    let mut points: Vec<Point> = Vec::with_capacity(sizes.len());
    points.extend(sizes.iter().zip(&picture.layers).map(|(size, &layer)| Point {
        across: 0.0,
        layer,
        breadth: size.breadth,
    }));
    let mut rows = vec![Vec::new(); last];
    let mut parts = Vec::with_capacity(picture.edges.len());
    let mut first_lane = Vec::with_capacity(sizes.len());
    for (node, lanes) in lanes(&picture.layers, &picture.edges).into_iter().enumerate() {
        let layer = picture.layers[node];
        rows[layer].push(node);
        first_lane.push(points.len());
        for lane in 0..lanes {
            let from = if lane == 0 { node } else { points.len() - 1 };
            parts.push(Part { from, to: points.len(), param: "" });
            rows[layer + lane + 1].push(points.len());
            points.push(Point { across: 0.0, layer: layer + lane + 1, breadth: 0.0 });
        }
    }
    for edge in &picture.edges {
        let between = picture.layers[edge.to] - picture.layers[edge.from] - 1;
        let from = if between == 0 { edge.from } else { first_lane[edge.from] + between - 1 };
        parts.push(Part { from, to: edge.to, param: &edge.param });
    }
    let after = Links::new(points.len(), parts.iter().map(|part| (part.from, part.to)));
    let before = Links::new(points.len(), parts.iter().map(|part| (part.to, part.from)));
    let rows = order(rows, points.len(), &before, &after);
    spread(&rows, &mut points, &before, &after);

    let least = points.iter().map(|point| point.across - point.breadth / 2.0).fold(f64::INFINITY, f64::min);
    points.iter_mut().for_each(|point| point.across -= least);
    let mut depths = vec![0.0_f64; last];
    for (size, &layer) in sizes.iter().zip(&picture.layers) {
        depths[layer] = depths[layer].max(size.depth);
    }
    // Where edges go far across, more room keeps them from lying flat.
    let mut spans = vec![0.0_f64; last];
    for part in &parts {
        let layer = points[part.to].layer;
        spans[layer] = spans[layer].max((points[part.from].across - points[part.to].across).abs());
    }
    let mut layers = Vec::with_capacity(last);
    let mut depth = 0.0;
    for (layer, (span, of)) in spans.iter().zip(depths).enumerate() {
        depth += if layer == 0 { 0.0 } else { GAP + (span / 9.0).min(160.0) };
        layers.push((depth, depth + of));
        depth += of;
    }
    parts.sort_by(|a, b| a.to.cmp(&b.to).then(points[a.from].across.total_cmp(&points[b.from].across)));
    let breadth = points.iter().map(|point| point.across + point.breadth / 2.0).fold(0.0, f64::max);
    Layout { points, parts, layers, breadth, depth }
}

fn spread(rows: &[Vec<usize>], points: &mut [Point], before: &Links, after: &Links) {
    for row in rows {
        settle(row, points, |_, _| (0.0, 1.0));
    }
    for round in 0..=MOVES {
        let backward = round % 2 == 0;
        // In the end, consumers follow their inputs; backward only points without inputs move.
        let late = backward && round + LAST >= MOVES;
        let links = if backward { after } else { before };
        let wish = |point: usize, points: &[Point]| {
            let here = points[point];
            let stays = late && !before.of(point).is_empty();
            match links.mean(point, |link| points[link].across) {
                _ if stays => (here.across, FIRM),
                Some(mean) if here.breadth == 0.0 => (mean, STIFF),
                Some(mean) => (mean, 1.0),
                None => (here.across, LOOSE),
            }
        };
        if backward {
            rows.iter().rev().for_each(|row| settle(row, points, wish));
        } else {
            rows.iter().for_each(|row| settle(row, points, wish));
        }
    }
}

/// Moves a row as near to where its points want to be, by weight, as its order and breadths allow:
/// less the room before it each point has a wish, and the wishes are made to rise by pooling
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
    let mut last: Option<Point> = None;
    for &point in row {
        let here = points[point];
        room += last.map_or(0.0, |last| {
            let lanes = last.breadth == 0.0 || here.breadth == 0.0;
            (last.breadth + here.breadth) / 2.0 + if lanes { LANES } else { BETWEEN }
        });
        last = Some(here);
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
        points[point].across = base + room;
    }
}
