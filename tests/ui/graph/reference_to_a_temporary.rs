fn len(v: &[i64]) -> usize {
    v.len()
}

#[delayed::graph]
fn stats(n: i64) -> usize {
    let pair = (&vec![n], n.to_string());
    let a = len(pair.0);
    let b = pair.1.len().pow(2);
    a + b
}

fn main() {
    stats(3);
}
