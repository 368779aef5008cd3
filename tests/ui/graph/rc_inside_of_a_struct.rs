use std::rc::Rc;

struct Inner {
    names: Vec<Rc<str>>,
}

struct Outer {
    inner: Inner,
}

fn id(n: usize) -> usize {
    n
}

#[delayed::graph]
fn stats(n: usize) -> usize {
    let outer = Outer { inner: Inner { names: vec!["a".into(); n] } };
    let other = id(n);
    let len = id(outer.inner.names.len() + other);
    len + other
}

fn main() {
    stats(3);
}
