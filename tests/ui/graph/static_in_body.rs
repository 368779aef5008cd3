use std::sync::atomic::{AtomicI64, Ordering};

#[delayed::graph]
fn next() -> i64 {
    static NEXT: AtomicI64 = AtomicI64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

fn main() {
    next();
}
