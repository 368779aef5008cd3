use std::fmt::Display;
use std::num::ParseIntError;

fn id(n: i64) -> i64 {
    n
}

#[delayed::graph]
fn stats(text: &str) -> Result<impl Display, ParseIntError> {
    let n: i64 = text.parse()?;
    let a = id(n);
    let b = id(n + 1);
    Ok(a + b)
}

fn main() {
    let _ = stats("3");
}
