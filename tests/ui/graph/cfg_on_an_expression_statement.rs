fn check(_: i64) {}

#[delayed::graph]
fn stats(n: i64) -> i64 {
    #[cfg(debug_assertions)]
    check(n);
    n
}

fn main() {
    stats(3);
}
