#[delayed::graph]
fn len(text: &str, n: u32) -> usize {
    let a = text.len().pow(n);
    let b = text.len().pow(n + 1);
    a + b
}

fn main() {
    len("");
}
