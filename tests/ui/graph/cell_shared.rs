use std::cell::Cell;

fn id(n: i64) -> i64 {
    n
}

#[delayed::graph]
fn stats(n: i64) -> i64 {
    let cell = Cell::new(n);
    let a = id(cell.get());
    let b = id(cell.replace(1));
    a + b
}

fn main() {
    stats(3);
}
