#![deny(unused_mut)]

fn id(n: i64) -> i64 {
    n
}

#[delayed::graph]
fn stats(n: i64) -> i64 {
    let mut a = id(n);
    let b = id(n + 1);
    a + b
}

fn main() {
    stats(3);
}
