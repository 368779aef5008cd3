fn id(n: i64) -> i64 {
    n
}

#[delayed::graph]
fn stats(n: i64) -> i64 {
    let a = id(n);
    let b = id(undefined);
    a + b
}

fn main() {
    stats(3);
}
