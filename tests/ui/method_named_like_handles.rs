use delayed::delayed;

struct Model;

#[delayed]
impl Model {
    pub fn name(&self) -> String {
        String::new()
    }
}

fn main() {}
