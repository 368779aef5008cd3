use delayed::delayed;

#[delayed]
struct Model {
    k: i64,
}

fn main() {
    let _ = Model { k: 1 }.k;
}
