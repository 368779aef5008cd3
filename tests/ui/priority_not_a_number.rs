use delayed::delayed;

#[delayed(priority = "high")]
fn inc(x: i64) -> i64 {
    x + 1
}

#[delayed(priority = 5_000_000_000)]
fn dec(x: i64) -> i64 {
    x - 1
}

fn main() {
    let _ = (inc(1), dec(1));
}
