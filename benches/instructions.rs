//! What `instructions.sh` counts: trivial graphs, built, run and dropped on one thread.
//!
//! `cargo bench --bench instructions -- random` runs one of them and prints how many nodes it has.

mod workloads;

use delayed::{Client, Delayed, delayed};
use std::hint::black_box;
use workloads::{Build, chain, loops, tree};

const NODES: usize = 20_000;

/// Rounds that are not counted: memory is taken from the system, costs of functions are learnt.
const WARM_UP: usize = 3;

/// How far back a node of the random graph finds its inputs.
const WINDOW: usize = 256;

#[delayed]
fn mix0(seed: i64) -> i64 {
    seed
}
#[delayed]
fn mix1(a: i64) -> i64 {
    a.wrapping_mul(3)
}
#[delayed]
fn mix2(a: i64, b: i64) -> i64 {
    a.wrapping_add(b)
}
#[delayed]
fn mix3(a: i64, b: i64, c: i64) -> i64 {
    a.wrapping_add(b) ^ c
}
#[delayed]
fn mix4(a: i64, b: i64, c: i64, d: i64) -> i64 {
    a.wrapping_add(b) ^ c.wrapping_add(d)
}
#[delayed]
fn mix_all(values: Vec<i64>) -> i64 {
    values.into_iter().fold(0, i64::wrapping_add)
}

/// Nodes of none to four inputs, and one over all that have no other consumer.
fn random(nodes: usize) -> Delayed<i64> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut below = |n: usize| {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        (state.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % n
    };
    let mut all = vec![mix0(1)];
    let mut is_used = vec![false; nodes];
    while all.len() < nodes - 1 {
        let count = below(5);
        let mut input = || {
            let index = all.len() - 1 - below(all.len().min(WINDOW));
            is_used[index] = true;
            &all[index]
        };
        let node = match count {
            0 => mix0(1),
            1 => mix1(input()),
            2 => mix2(input(), input()),
            3 => mix3(input(), input(), input()),
            _ => mix4(input(), input(), input(), input()),
        };
        all.push(node);
    }
    let ends: Vec<_> = all.into_iter().zip(is_used).filter(|(_, used)| !used).map(|(node, _)| node).collect();
    mix_all(ends)
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let build: Build = match arguments.next().as_deref() {
        Some("chain") => chain,
        Some("tree") => tree,
        Some("256-loop") => loops,
        Some("random") => random,
        _ => return println!("benches/instructions.sh counts chain, tree, 256-loop and random"),
    };
    let rounds: usize = arguments.next().and_then(|rounds| rounds.parse().ok()).unwrap_or(1);
    let client = Client::builder().threads_per_worker(1).build().unwrap();
    let _guard = client.enter();
    println!("{}", build(NODES).graph().nodes.len());
    for _ in 0..WARM_UP + rounds {
        black_box(build(NODES).wait().unwrap());
    }
}
