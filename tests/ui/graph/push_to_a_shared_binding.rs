#[delayed::graph]
fn stats(n: i64) -> i64 {
    let mut v: Vec<i64> = (0..n).collect();
    v.push(1);
    let sum: i64 = v.iter().sum();
    sum
}

fn main() {
    stats(3);
}
