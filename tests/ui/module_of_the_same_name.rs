use delayed::delayed;

mod load {}

#[delayed]
fn load(x: i64) -> i64 {
    x
}

fn main() {
    let _ = load(1);
}
