use delayed::delayed;

#[delayed]
fn inc(x: i64) -> i64 {
    x + 1
}

fn main() {
    let n: i32 = 1;
    let _ = inc(n);
}
