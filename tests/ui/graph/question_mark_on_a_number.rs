fn id(n: i64) -> i64 {
    n
}

#[delayed::graph]
fn stats(n: i64) -> Option<i64> {
    let a = id(n)?;
    let b = id(n + 1);
    Some(a + b)
}

fn main() {
    stats(3);
}
