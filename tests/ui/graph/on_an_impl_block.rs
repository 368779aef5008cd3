struct Point(i64);

#[delayed::graph]
impl Point {
    fn x(&self) -> i64 {
        self.0
    }
}

fn main() {
    Point(3).x();
}
