fn id(n: i64) -> i64 {
    n
}

#[delayed::graph]
fn stats(v: Vec<i64>) -> i64 {
    let first = v.first();
    let other = id(1);
    let sum = id(first.copied().unwrap_or(other));
    sum + other
}

fn main() {
    stats(vec![1]);
}
