fn fill(v: &mut Vec<i64>) -> usize {
    v.push(1);
    v.len()
}

#[delayed::graph]
fn stats(n: i64) -> usize {
    let mut v: Vec<i64> = (0..n).collect();
    let filled = fill(&mut v);
    filled + v.len()
}

fn main() {
    stats(3);
}
