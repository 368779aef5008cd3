use delayed::delayed;

#[delayed]
fn half(x: f64) -> f64 {
    x / 2.0
}

fn main() {
    let _ = half(1);
}
