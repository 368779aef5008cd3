#[delayed::graph]
fn stats(n: i64) -> i64 {
    let mut v: Vec<i64> = (0..n).collect();
    let more = {
        v.push(1);
        v.len()
    };
    let sum: i64 = v.iter().sum();
    more as i64 + sum
}

fn main() {
    stats(3);
}
