use delayed::delayed;

struct Model;

#[delayed]
fn consume(_: Model) -> i64 {
    1
}

fn main() {
    let model = delayed::value(Model);
    let _ = consume(model);
}
