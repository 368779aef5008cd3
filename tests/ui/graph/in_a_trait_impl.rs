trait Shape {
    fn area(&self) -> i64;
}

struct Square(i64);

impl Shape for Square {
    #[delayed::graph]
    fn area(&self) -> i64 {
        self.0 * self.0
    }
}

fn main() {
    Square(3).area();
}
