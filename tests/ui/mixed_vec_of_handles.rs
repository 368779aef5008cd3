use delayed::delayed;

#[delayed]
fn inc(x: i64) -> i64 {
    x + 1
}

#[delayed]
fn total(xs: Vec<i64>) -> i64 {
    xs.iter().sum()
}

fn main() {
    let _ = total(vec![inc(1), 2]);
}
