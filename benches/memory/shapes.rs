//! Graphs that have a size.

use super::graph::Graph;

/// Nodes in pairs, over and over.
pub(crate) fn tree(name: &'static str, leaves: usize) -> Graph {
    let mut graph = Graph::new(name);
    let leaves = (0..leaves).map(|i| graph.add(format!("leaf-{i}"), [])).collect();
    reduce(&mut graph, "sum", leaves, 2);
    graph
}

/// A tree over `layer`, `split` inputs to a node. What is left over alone goes up as it is.
fn reduce(graph: &mut Graph, key: &str, mut layer: Vec<usize>, split: usize) -> usize {
    let mut depth = 0;
    while layer.len() > 1 {
        let parts = layer.chunks(split).enumerate();
        layer = parts
            .map(|(i, part)| match part {
                [alone] => *alone,
                _ => graph.add(format!("{key}-{depth}-{i}"), part),
            })
            .collect();
        depth += 1;
    }
    layer[0]
}

/// `x = step(x, parse(load(i)))`, or with the arguments the other way round.
pub(crate) fn fold(name: &'static str, steps: usize, right: bool) -> Graph {
    let mut graph = Graph::new(name);
    let mut sum = graph.add("start", []);
    for i in 0..steps {
        let load = graph.add(format!("load-{i}"), []);
        let parse = graph.add(format!("parse-{i}"), [load]);
        sum = graph.add(format!("step-{i}"), if right { [parse, sum] } else { [sum, parse] });
    }
    graph
}

/// A square in which each node needs the ones above it and to its left.
pub(crate) fn wavefront(name: &'static str, side: usize) -> Graph {
    grid(name, side, side, |row, column| {
        let above = row.checked_sub(1).map(|above| (above, column));
        let left = column.checked_sub(1).map(|left| (row, left));
        above.into_iter().chain(left).collect()
    })
}

/// Each step of a cell needs the cell and both its neighbours.
pub(crate) fn stencil(name: &'static str, width: usize, steps: usize) -> Graph {
    grid(name, steps, width, |step, cell| near(step, cell, width, 1))
}

/// Each step of a cell needs the cell and those 1, 2, 4 ... away.
pub(crate) fn fft(name: &'static str, width: usize, steps: usize) -> Graph {
    let stages = width.ilog2() as usize;
    grid(name, steps, width, |step, cell| near(step, cell, width, 1 << ((step + stages - 1) % stages)))
}

fn near(step: usize, cell: usize, width: usize, distance: usize) -> Vec<(usize, usize)> {
    let Some(before) = step.checked_sub(1) else { return Vec::new() };
    let cells = [cell.checked_sub(distance), Some(cell), Some(cell + distance)];
    cells.into_iter().flatten().filter(|&near| near < width).map(|near| (before, near)).collect()
}

fn grid(
    name: &'static str,
    rows: usize,
    columns: usize,
    needs: impl Fn(usize, usize) -> Vec<(usize, usize)>,
) -> Graph {
    let mut graph = Graph::new(name);
    for row in 0..rows {
        for column in 0..columns {
            let inputs: Vec<_> = needs(row, column).iter().map(|(r, c)| r * columns + c).collect();
            graph.add(format!("cell-{row}-{column}"), inputs);
        }
    }
    graph
}

/// `test_dont_run_all_dependents_too_early`: a fold whose steps are cheap to get ready too early.
pub(crate) fn dependents_of_two(name: &'static str, depth: usize) -> Graph {
    let mut graph = Graph::new(name);
    let [a, b, c] = ["a-0", "b-0", "c-0"].map(|key| graph.add(key, []));
    let mut d = graph.add("d-0", [a, b, c]);
    for i in 1..depth {
        let (b, c) = (graph.add(format!("b-{i}"), [b]), graph.add(format!("c-{i}"), [c]));
        d = graph.add(format!("d-{i}"), [d, b, c]);
    }
    graph
}

/// `test_order_with_equal_dependents`: crosses of four columns; `tail` adds a node to half of the
/// ends.
pub(crate) fn equal_dependents(name: &'static str, tail: bool) -> Graph {
    let mut graph = Graph::new(name);
    let columns: Vec<_> = ["a", "b", "c", "d"]
        .map(|x| {
            let source = graph.add(format!("{x}-0"), []);
            let next = graph.add(format!("{x}-1"), [source]);
            let row = graph.add(format!("{x}-2-0"), [source]);
            (x, row, graph.add(format!("{x}-2-1"), [next]))
        })
        .into();
    for &(x, row, _) in &columns {
        for (i, &(_, _, column)) in columns.iter().enumerate() {
            let cross = graph.add(format!("{x}-3-{i}"), [row, column]);
            let pass = graph.add(format!("{x}-4-{i}"), [cross]);
            for side in 0..2 {
                let end = graph.add(format!("{x}-5-{i}-{side}"), [pass]);
                let end = graph.add(format!("{x}-6-{i}-{side}"), [end]);
                if tail && side == 0 {
                    graph.add(format!("{x}-7-{i}-{side}"), [end]);
                }
            }
        }
    }
    graph
}

/// `test_reduce_with_many_common_dependents`: rows of nodes that all need the same few sources.
pub(crate) fn common_dependents(name: &'static str, sources: usize, rows: usize) -> Graph {
    let mut graph = Graph::new(name);
    let sources: Vec<_> = (0..sources).map(|i| graph.add(format!("object-{i}"), [])).collect();
    for row in 0..rows {
        let chunks: Vec<_> =
            (0..rows).map(|column| graph.add(format!("sum-{row}-{column}"), &*sources)).collect();
        graph.add(format!("aggregate-{row}"), chunks);
    }
    graph
}

/// `test_xarray_8414`: blocks that share one operand.
pub(crate) fn shared_operand(name: &'static str, blocks: usize) -> Graph {
    let mut graph = Graph::new(name);
    let shared = graph.add("b", []);
    for i in 0..blocks {
        let block = graph.add(format!("a-{i}"), []);
        let left = graph.add(format!("left-{i}"), [block]);
        let right = graph.add(format!("right-{i}"), [shared]);
        let product = graph.add(format!("f-{i}"), [left, right]);
        graph.add(format!("this-{i}"), [product]);
    }
    graph
}

/// `test_array_vs_dataframe` and, small, `test_flaky_array_reduction`: the means of `u * v`, `u * u`
/// and `v * v` over chunks of `u` and `v`.
pub(crate) fn three_means(name: &'static str, chunks: usize) -> Graph {
    let mut graph = Graph::new(name);
    let pairs: Vec<_> = (0..chunks).map(|i| ["u", "v"].map(|x| graph.add(format!("{x}-{i}"), []))).collect();
    for (key, of) in [("uv", &[0, 1][..]), ("uu", &[0]), ("vv", &[1])] {
        let products = pairs.iter().enumerate();
        let products: Vec<_> = products
            .map(|(i, pair)| {
                let inputs: Vec<_> = of.iter().map(|&side| pair[side]).collect();
                graph.add(format!("{key}-{i}"), inputs)
            })
            .collect();
        reduce(&mut graph, &format!("mean-{key}"), products, 4);
    }
    graph
}

/// `test_anom_mean`: the mean over all days of what each differs from the mean of its group.
pub(crate) fn anomalies(name: &'static str, days: usize, groups: usize) -> Graph {
    let mut graph = Graph::new(name);
    let loads: Vec<_> = (0..days).map(|day| graph.add(format!("load-{day}"), [])).collect();
    let means: Vec<_> = (0..groups)
        .map(|group| {
            let chunks = (group..days).step_by(groups);
            let chunks = chunks.map(|day| graph.add(format!("chunk-{group}-{day}"), [loads[day]])).collect();
            let mean = reduce(&mut graph, &format!("mean-{group}"), chunks, 4);
            graph.add(format!("transpose-{group}"), [mean])
        })
        .collect();
    let anomalies = (0..days)
        .map(|day| {
            let mean = graph.add(format!("getitem-{day}"), [means[day % groups]]);
            let anomaly = graph.add(format!("anomaly-{day}"), [loads[day], mean]);
            graph.add(format!("chunk-{day}"), [anomaly])
        })
        .collect();
    reduce(&mut graph, "mean", anomalies, 4);
    graph
}
