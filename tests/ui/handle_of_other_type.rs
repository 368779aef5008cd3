use delayed::delayed;

#[delayed]
fn inc(x: i64) -> i64 {
    x + 1
}

#[delayed]
fn half(x: f64) -> f64 {
    x / 2.0
}

fn main() {
    let _ = inc(half(1.0));
}
