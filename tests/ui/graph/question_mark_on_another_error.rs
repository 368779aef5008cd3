#[derive(Debug)]
struct Wrong;

fn id(n: i64) -> i64 {
    n
}

#[delayed::graph]
fn stats(text: &str) -> Result<i64, Wrong> {
    let n: i64 = text.parse::<i64>()?;
    let a = id(n);
    let b = id(n + 1);
    Ok(a + b)
}

fn main() {
    let _ = stats("3");
}
