use std::sync::Mutex;

fn id(n: i64) -> i64 {
    n
}

#[delayed::graph]
fn stats(n: &Mutex<i64>) -> i64 {
    let guard = n.lock().unwrap();
    let other = id(1);
    let sum = id(*guard + other);
    sum
}

fn main() {
    stats(&Mutex::new(3));
}
