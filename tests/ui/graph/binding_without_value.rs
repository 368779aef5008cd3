#[delayed::graph]
fn stats(n: i64) -> i64 {
    let sign;
    if n > 0 {
        sign = 1;
    } else {
        sign = -1;
    }
    sign
}

fn main() {
    stats(3);
}
