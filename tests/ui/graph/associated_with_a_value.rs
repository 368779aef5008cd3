struct Point(i64);

impl Point {
    #[delayed::graph(associated = true)]
    fn origin() -> Point {
        Point(0)
    }
}

fn main() {
    let _ = Point::origin().0;
}
