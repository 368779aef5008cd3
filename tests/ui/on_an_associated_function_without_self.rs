use delayed::delayed;

struct Model;

impl Model {
    #[delayed]
    fn twice(x: i64) -> i64 {
        2 * x
    }
}

fn main() {}
