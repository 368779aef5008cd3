use delayed::delayed;

struct Model;

#[delayed]
impl Clone for Model {
    fn clone(&self) -> Self {
        Model
    }
}

fn main() {}
