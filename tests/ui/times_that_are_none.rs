use delayed::delayed;

#[delayed(timeout = "30")]
fn inc(x: i64) -> i64 {
    x + 1
}

#[delayed(timeout = 30)]
fn dec(x: i64) -> i64 {
    x - 1
}

#[delayed(timeout = "0s")]
fn neg(x: i64) -> i64 {
    -x
}

fn main() {
    let _ = (inc(1), dec(1), neg(1));
}
