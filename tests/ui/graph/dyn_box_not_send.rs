#[delayed::graph]
fn stats(text: &str) -> Result<i64, Box<dyn std::error::Error>> {
    let a: i64 = text.parse()?;
    let b: i64 = text.parse()?;
    Ok(a + b)
}

fn main() {
    let _ = stats("3");
}
