use delayed::delayed;

struct Model;

impl Model {
    #[delayed]
    fn new() -> Self {
        Model
    }
}

fn main() {
    Model::new();
}
