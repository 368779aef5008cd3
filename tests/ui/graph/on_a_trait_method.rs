trait Shape {
    #[delayed::graph]
    fn area(&self) -> i64;
}

struct Square(i64);

impl Shape for Square {
    fn area(&self) -> i64 {
        self.0 * self.0
    }
}

fn main() {
    Square(3).area();
}
