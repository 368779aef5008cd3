use delayed::delayed;

#[delayed]
fn str(x: i64) -> String {
    x.to_string()
}

fn main() {
    let _ = str(1);
}
