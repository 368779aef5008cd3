#[delayed::graph]
fn len(text: &str) -> usize {
    let a = text.len().pow(2);
    let b = text.len().pow(3);
    a + b
}

fn main() {
    len(3);
}
