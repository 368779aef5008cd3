use delayed::delayed;

#[delayed]
fn inc(x: i64) -> i64 {
    x + 1
}

fn main() {
    let i = 1i64;
    let _ = inc(&i);
}
