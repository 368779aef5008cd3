use delayed::delayed;

#[delayed("load")]
fn load(x: i64) -> i64 {
    x
}

fn main() {
    let _ = load(1);
}
