use std::rc::Rc;

fn len(v: &[i64]) -> usize {
    v.len()
}

#[delayed::graph]
fn stats(n: i64) -> usize {
    let v = Rc::new(vec![n]);
    let a = len(&v);
    let b = len(&v);
    a + b
}

fn main() {
    stats(3);
}
