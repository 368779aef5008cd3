fn check(_: i64) {}

#[delayed::graph]
fn stats(n: i64) -> i64 {
    #[node]
    check(n);
    n + 1
}

fn main() {
    stats(3);
}
