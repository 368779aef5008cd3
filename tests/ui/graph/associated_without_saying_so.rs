struct Point(i64);

impl Point {
    #[delayed::graph]
    fn origin() -> i64 {
        3
    }
}

fn main() {
    let _ = Point::origin() + Point(3).0;
}
