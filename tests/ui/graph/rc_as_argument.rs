use std::rc::Rc;

fn len(v: &[i64]) -> usize {
    v.len()
}

#[delayed::graph]
fn stats(v: Rc<Vec<i64>>) -> usize {
    let a = len(&v);
    let b = len(&v);
    a + b
}

fn main() {
    stats(Rc::new(vec![]));
}
