use delayed::delayed;

fn total(v: Vec<i64>) -> i64 {
    v.iter().sum()
}

#[delayed]
#[delayed::graph]
fn stats(v: Vec<i64>) -> i64 {
    let max = v.iter().max().copied().unwrap_or(0);
    let total = total(v);
    total + max
}

fn main() {
    let _ = stats(vec![3]);
}
