//! A borrow that travels without an edge: `m` has one of `x` when `y` takes `x` away.

use std::sync::Mutex;

fn store<'a>(m: &Mutex<Option<&'a Vec<i64>>>, x: &'a Vec<i64>) -> usize {
    *m.lock().unwrap() = Some(x);
    1
}
fn read(m: &Mutex<Option<&Vec<i64>>>) -> usize {
    m.lock().unwrap().map_or(0, |x| x.len())
}
fn consume(x: Vec<i64>) -> usize {
    x.len()
}

#[delayed::graph]
fn travels() -> usize {
    let x = vec![1, 2, 3];
    let m = Mutex::new(None);
    let u = store(&m, &x);
    let k = read(&m);
    let y = consume(x);
    u + k + y
}

fn main() {
    travels();
}
