#![deny(unused_variables)]

fn id(n: i64) -> i64 {
    n
}

#[delayed::graph]
fn stats(n: i64, m: i64) -> i64 {
    let a = id(n);
    let b = id(n + 1);
    let c = id(n + 2);
    a + c
}

fn main() {
    stats(3, 4);
}
