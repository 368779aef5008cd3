#[delayed::graph]
fn stats(n: i64) -> i64 {
    #[cfg(unix)]
    let n = n + 1;
    n
}

fn main() {
    stats(3);
}
