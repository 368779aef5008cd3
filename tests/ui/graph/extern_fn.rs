#[delayed::graph]
extern "C" fn next(n: i64) -> i64 {
    n + 1
}

fn main() {
    next(3);
}
