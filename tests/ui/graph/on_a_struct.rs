#[delayed::graph]
struct Point {
    x: i64,
}

fn main() {
    let _ = Point { x: 3 }.x;
}
