#[delayed::graph]
fn stats(n: i64) -> i64 {
    let v: Vec<i64> = (0..n).collect();
    v.push(1);
    let sum: i64 = v.iter().sum();
    let min = v.iter().min().copied().unwrap_or(0);
    sum + min
}

fn main() {
    stats(3);
}
