//! Draws the pictures of `docs/img`: the graphs of the other examples, and some that are hard to draw.
//! No file is read.
//!
//! ```sh
//! cargo run --release --features png --example pictures -- docs/img
//! ```

use delayed::{Colour, Delayed, Error, Style, delayed};
use std::path::{Path, PathBuf};

#[allow(dead_code)]
mod dask_delayed;
#[allow(dead_code)]
mod flights;
#[allow(dead_code)]
mod word_count;

#[delayed]
fn step(above: i64, left: i64) -> i64 {
    above + left
}

fn main() -> Result<(), Error> {
    let dir = PathBuf::from(std::env::args_os().nth(1).unwrap_or_else(|| "docs/img".into()));
    let style = Style::new;

    let z = dask_delayed::add(dask_delayed::inc(1), dask_delayed::dec(2));
    z.visualize_with(style().values(), dir.join("dask_delayed.svg"))?;
    z.visualize_with(style().values(), dir.join("dask_delayed.png"))?;
    sum(dask_delayed::build_loop(8)).visualize(dir.join("dask_delayed_loop.svg"))?;

    let months = (1..=3).map(|month| flights::month(format!("2013-{month:02}.csv.gz").into()));
    let year = months.reduce(flights::merge).expect("three months");
    year.visualize(dir.join("flights.svg"))?;
    year.visualize_with(style().labels(), dir.join("flights.png"))?;

    let files = ["README.md", "src/lib.rs", "src/tokens.rs", "src/count.rs", "tests/count.rs"];
    let words = files.map(|file| word_count::words(Path::new(file))).into();
    let words = word_count::merge_all(words).expect("five files");
    words.visualize_with(style().left_to_right(), dir.join("word_count.svg"))?;

    let tree = sum((0..256).map(dask_delayed::inc).collect());
    tree.visualize(dir.join("tree.svg"))?;
    wavefront(20).visualize(dir.join("wavefront.svg"))?;
    delayed::visualize(random(2_000), dir.join("random.svg"))?;

    // What a run looks like on its way: a part of it is done.
    let layer = dask_delayed::build_loop(8);
    delayed::wait(&layer[..3])?;
    sum(layer).visualize_with(style().colour(Colour::State), dir.join("state.svg"))
}

fn sum(mut layer: Vec<Delayed<i64>>) -> Delayed<i64> {
    while layer.len() > 1 {
        layer = layer.chunks(2).map(|pair| dask_delayed::add(&pair[0], &pair[1])).collect();
    }
    layer.remove(0)
}

/// Each node needs the one above it and the one to its left.
fn wavefront(side: usize) -> Delayed<i64> {
    let mut above: Vec<Delayed<i64>> = Vec::new();
    for _ in 0..side {
        let mut row: Vec<Delayed<i64>> = Vec::with_capacity(side);
        for column in 0..side {
            row.push(match (above.get(column), row.last()) {
                (Some(above), Some(left)) => step(above, left),
                (Some(only), None) | (None, Some(only)) => step(only, 0),
                (None, None) => step(0, 0),
            });
        }
        above = row;
    }
    above.remove(side - 1)
}

/// Each node takes two of the 120 before it.
fn random(nodes: usize) -> Vec<Delayed<i64>> {
    let mut seed = 0x2545_F491_4F6C_DD1D_u64;
    let mut below = |most: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed >> 33) as usize % most
    };
    let mut all = vec![step(0, 0)];
    while all.len() < nodes {
        let [a, b] = [(); 2].map(|()| all.len() - 1 - below(all.len().min(120)));
        all.push(step(&all[a], &all[b]));
    }
    all
}
