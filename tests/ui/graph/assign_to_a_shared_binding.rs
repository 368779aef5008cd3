fn id(n: i64) -> i64 {
    n
}

#[delayed::graph]
fn stats(n: i64) -> i64 {
    let mut sum = id(n);
    if n > 2 {
        sum = id(1);
    }
    sum
}

fn main() {
    stats(3);
}
