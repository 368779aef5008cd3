use delayed::delayed;

struct Model(i64);

#[delayed]
impl Model {
    fn set(&mut self, x: i64) {
        self.0 = x;
    }
}

fn main() {
    let _ = delayed::value(Model(1)).set(2);
}
