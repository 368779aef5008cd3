fn id(n: i64) -> i64 {
    n
}

#[delayed::graph]
fn stats(n: i64) -> i64 {
    let mut sum = id(n);
    sum += id(1);
    let twice = id(sum * 2);
    twice + sum
}

fn main() {
    stats(3);
}
