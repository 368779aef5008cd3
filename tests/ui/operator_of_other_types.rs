fn main() {
    let _ = delayed::value(1i64) + delayed::value(1.0f64);
}
