fn fill(v: &mut Vec<i64>) -> usize {
    v.push(1);
    v.len()
}

#[delayed::graph]
fn stats(v: &mut Vec<i64>) -> usize {
    let a = fill(v);
    let b = fill(v);
    a + b
}

fn main() {
    stats(&mut vec![]);
}
