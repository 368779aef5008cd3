use delayed::delayed;

struct Point {
    x: i64,
}

#[delayed]
fn origin() -> Point {
    Point { x: 0 }
}

fn main() {
    let _ = origin().x;
}
