#![deny(unused_must_use)]
use delayed::delayed;

#[delayed]
fn inc(x: i64) -> i64 {
    x + 1
}

fn main() {
    inc(1);
}
