#[delayed::graph]
fn stats(n: i64, #[cfg(unix)] m: i64) -> i64 {
    let a = i64::abs(n);
    let b = i64::abs(m);
    a + b
}

fn main() {
    stats(3, 4);
}
