fn len(v: &[i64]) -> usize {
    v.len()
}

#[delayed::graph]
fn stats(n: i64) -> usize {
    let text = n.to_string();
    let a = text.len();
    let b = len(text);
    let c = len(&text);
    a + b + c
}

fn main() {
    stats(3);
}
