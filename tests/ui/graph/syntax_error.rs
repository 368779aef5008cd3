#[delayed::graph]
fn stats(n: i64) -> i64 {
    let a = n +;
    a
}

fn main() {
    stats(3);
}
