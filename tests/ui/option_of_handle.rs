use delayed::delayed;

#[delayed]
fn or_zero(x: Option<i64>) -> i64 {
    x.unwrap_or(0)
}

fn main() {
    let _ = or_zero(Some(delayed::value(1i64)));
}
