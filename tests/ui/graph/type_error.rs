fn len(v: &[i64]) -> usize {
    v.len()
}

#[delayed::graph]
fn stats(v: &[i64], text: &str) -> usize {
    let a = len(v);
    let b = len(text);
    a + b
}

fn main() {
    stats(&[], "");
}
