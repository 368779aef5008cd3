use delayed::delayed;

struct Model;

#[delayed]
impl Model {
    fn a(&self) {}
}

#[delayed]
impl Model {
    fn b(&self) {}
}

fn main() {}
