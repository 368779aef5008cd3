use delayed::delayed;

#[delayed(resource)]
fn inc(x: i64) -> i64 {
    x + 1
}

#[delayed(resource(2))]
fn dec(x: i64) -> i64 {
    x - 1
}

#[delayed(resource("gpu", 0))]
fn neg(x: i64) -> i64 {
    -x
}

fn main() {
    let _ = (inc(1), dec(1), neg(1));
}
