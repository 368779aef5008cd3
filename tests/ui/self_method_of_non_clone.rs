use delayed::delayed;

struct Model;

#[delayed]
impl Model {
    fn consume(self) -> i64 {
        1
    }
}

fn main() {
    let _ = delayed::value(Model).consume();
}
