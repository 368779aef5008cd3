fn total(v: Vec<i64>) -> i64 {
    v.iter().sum()
}

#[delayed::graph]
fn stats(n: i64) -> i64 {
    let v: Vec<i64> = (0..n).collect();
    let max = v.iter().max().copied().unwrap_or(n);
    let total = total(v);
    total + max
}

fn main() {
    stats(3);
}
