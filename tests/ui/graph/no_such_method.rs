#[delayed::graph]
fn stats(v: Vec<i64>) -> usize {
    let a = v.len().pow(2);
    let b = v.length();
    a + b
}

fn main() {
    stats(vec![]);
}
