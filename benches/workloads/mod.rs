//! Graphs of trivial nodes that several benches build.

use delayed::{Delayed, delayed};

#[delayed]
pub(crate) fn inc(x: i64) -> i64 {
    x + 1
}
#[delayed]
pub(crate) fn dec(x: i64) -> i64 {
    x - 1
}
#[delayed]
pub(crate) fn add(x: i64, y: i64) -> i64 {
    x + y
}

/// Makes a graph of about so many nodes.
pub(crate) type Build = fn(usize) -> Delayed<i64>;

pub(crate) fn chain(nodes: usize) -> Delayed<i64> {
    let mut x = inc(0);
    for _ in 1..nodes {
        x = inc(x);
    }
    x
}

pub(crate) fn tree(nodes: usize) -> Delayed<i64> {
    let mut layer: Vec<_> = (0..nodes as i64 / 2).map(inc).collect();
    while layer.len() > 1 {
        let mut pairs = layer.into_iter();
        let mut next = Vec::with_capacity(pairs.len().div_ceil(2));
        while let Some(x) = pairs.next() {
            next.push(match pairs.next() {
                Some(y) => add(x, y),
                None => x,
            });
        }
        layer = next;
    }
    layer.remove(0)
}

/// 256 times inc, dec, add and a tree over the sums, as often as it takes.
pub(crate) fn loops(nodes: usize) -> Delayed<i64> {
    let mut layer: Vec<_> = (0..nodes as i64 / 1023)
        .map(|_| {
            let mut layer: Vec<_> = (0..256)
                .map(|i| {
                    let x = inc(i);
                    let y = dec(&x);
                    add(x, y)
                })
                .collect();
            while layer.len() > 1 {
                layer = layer.chunks(2).map(|p| add(&p[0], &p[1])).collect();
            }
            layer.remove(0)
        })
        .collect();
    let mut sum = layer.remove(0);
    for x in layer {
        sum = add(sum, x);
    }
    sum
}
