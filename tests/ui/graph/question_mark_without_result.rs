fn id(n: i64) -> i64 {
    n
}

#[delayed::graph]
fn stats(text: &str) -> i64 {
    let n: i64 = text.parse()?;
    let a = id(n);
    let b = id(n + 1);
    a + b
}

fn main() {
    stats("3");
}
