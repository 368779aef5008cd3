use delayed::delayed;

struct Model;

#[delayed]
fn count(models: Vec<Model>) -> usize {
    models.len()
}

fn main() {
    let _ = count(vec![delayed::value(Model)]);
}
