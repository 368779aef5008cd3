#[delayed::graph]
fn stats(text: &str) -> usize {
    let n = text.parse().unwrap();
    let a = text.len().pow(2);
    let b = text.len().pow(3);
    drop(n);
    a + b
}

fn main() {
    stats("");
}
