use delayed::delayed;

#[delayed]
#[delayed::graph]
fn stats(n: i64) -> i64 {
    let mut sum = i64::abs(n);
    sum += n;
    let twice = i64::abs(sum);
    twice + sum
}

fn main() {
    let _: delayed::Delayed<i64> = stats(3);
}
