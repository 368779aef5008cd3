use delayed::delayed;

#[delayed(retries = 3, pure)]
fn inc(x: i64) -> i64 {
    x + 1
}

fn main() {
    let _ = inc(1);
}
