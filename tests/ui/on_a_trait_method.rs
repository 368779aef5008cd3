use delayed::delayed;

trait Model {
    #[delayed]
    fn scale(&self, k: i64) -> i64;
}

fn main() {}
