use delayed::delayed;

struct Model;

impl Model {
    #[delayed]
    fn scale(&self, k: i64) -> i64 {
        k
    }
}

fn main() {
    Model.scale(2);
}
