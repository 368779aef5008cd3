//! The order of the points in each layer: the fewer crossings, the better.
//!
//! 1. A layer is sorted by the mean position of its neighbours in the layer before, then after,
//!    several times.
//! 2. After each time neighbours in a layer change places where that saves crossings, or where it
//!    costs none and puts two arguments of one call in their order.
//!
//! The order with the fewest crossings wins; the first is that of the arguments.

const SORTS: usize = 12;
/// How often all neighbours in all layers are compared after a sort.
const SWEEPS: usize = 6;
/// The most points for which they are.
const POINTS: usize = 8_000;

/// The consumers of a point that are looked at for the order of arguments.
const CONSUMERS: usize = 8;

/// The neighbours of each point on one side, in one list.
pub(super) struct Links {
    starts: Vec<usize>,
    ends: Vec<usize>,
}

impl Links {
    pub(super) fn new(points: usize, parts: impl Iterator<Item = (usize, usize)> + Clone) -> Links {
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

    pub(super) fn of(&self, point: usize) -> &[usize] {
        &self.ends[self.starts[point]..self.starts[point + 1]]
    }

    pub(super) fn mean(&self, point: usize, place: impl Fn(usize) -> f64) -> Option<f64> {
        let links = self.of(point);
        let sum: f64 = links.iter().map(|&link| place(link)).sum();
        (!links.is_empty()).then(|| sum / links.len() as f64)
    }
}

/// Orders the rows. `before` lists the neighbours of a point in the order of its arguments.
pub(super) fn order(
    mut rows: Vec<Vec<usize>>,
    points: usize,
    before: &Links,
    after: &Links,
) -> Vec<Vec<usize>> {
    let mut place = vec![0; points];
    rows.iter().for_each(|row| number(row, &mut place));
    let mut fewest = crossings(&rows, &place, after);
    let mut best = rows.clone();
    let mut keys = vec![0.0; points];
    for sort in 0..SORTS {
        if fewest == 0 {
            break;
        }
        let links = if sort % 2 == 0 { before } else { after };
        let mut sort_row = |row: &mut Vec<usize>| {
            for &point in &*row {
                keys[point] = links.mean(point, |link| place[link] as f64).unwrap_or(place[point] as f64);
            }
            row.sort_by(|&a, &b| keys[a].total_cmp(&keys[b]));
            number(row, &mut place);
        };
        if sort % 2 == 0 {
            rows.iter_mut().for_each(&mut sort_row);
        } else {
            rows.iter_mut().rev().for_each(&mut sort_row);
        }
        if points <= POINTS {
            exchange(&mut rows, &mut place, before, after);
        }
        let crossings = crossings(&rows, &place, after);
        if crossings < fewest {
            fewest = crossings;
            best.clone_from(&rows);
        }
    }
    best
}

fn number(row: &[usize], place: &mut [usize]) {
    row.iter().enumerate().for_each(|(at, &point)| place[point] = at);
}

fn exchange(rows: &mut [Vec<usize>], place: &mut [usize], before: &Links, after: &Links) {
    let mut ends = [Vec::new(), Vec::new()];
    for _ in 0..SWEEPS {
        let mut is_better = false;
        for row in &mut *rows {
            for at in 1..row.len() {
                let (left, right) = (row[at - 1], row[at]);
                let saved: isize =
                    [before, after].iter().map(|links| saved(links, left, right, place, &mut ends)).sum();
                if saved > 0 || saved == 0 && is_out_of_order(left, right, before, after) {
                    row.swap(at - 1, at);
                    place.swap(left, right);
                    is_better = true;
                }
            }
        }
        if !is_better {
            break;
        }
    }
}

/// How many crossings there are less on one side if two neighbours change places.
fn saved(links: &Links, left: usize, right: usize, place: &[usize], ends: &mut [Vec<usize>; 2]) -> isize {
    let (lefts, rights) = (links.of(left), links.of(right));
    if let (&[a], &[b]) = (lefts, rights) {
        return isize::from(place[a] > place[b]) - isize::from(place[a] < place[b]);
    }
    for (ends, links) in ends.iter_mut().zip([lefts, rights]) {
        ends.clear();
        ends.extend(links.iter().map(|&link| place[link]));
        ends.sort_unstable();
    }
    let [lefts, rights] = &*ends;
    let (mut less, mut not_more, mut saved) = (0, 0, 0_isize);
    for end in lefts {
        while rights.get(less).is_some_and(|other| other < end) {
            less += 1;
        }
        while rights.get(not_more).is_some_and(|other| other <= end) {
            not_more += 1;
        }
        saved += less as isize - (rights.len() - not_more) as isize;
    }
    saved
}

/// Whether two neighbours are arguments of one call, of which the right one comes first. Looks at
/// their first consumers alone.
fn is_out_of_order(left: usize, right: usize, before: &Links, after: &Links) -> bool {
    let calls = |input| &after.of(input)[..after.of(input).len().min(CONSUMERS)];
    let shared = calls(left).iter().find(|call| calls(right).contains(call));
    shared.is_some_and(|&call| {
        before.of(call).iter().find(|&&input| input == left || input == right) == Some(&right)
    })
}

/// Counts inversions with a Fenwick tree over the places of the later row.
fn crossings(rows: &[Vec<usize>], place: &[usize], after: &Links) -> usize {
    let mut crossings = 0;
    for pair in rows.windows(2) {
        let mut tree = vec![0_usize; pair[1].len() + 1];
        let mut seen = 0;
        for &point in &pair[0] {
            let mut ends: Vec<usize> = after.of(point).iter().map(|&end| place[end] + 1).collect();
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
