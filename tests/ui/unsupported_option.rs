use delayed::delayed;

#[delayed(remote)]
fn inc(x: i64) -> i64 {
    x + 1
}

fn main() {
    let _ = inc(1);
}
