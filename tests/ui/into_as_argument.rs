use delayed::delayed;

#[delayed]
fn shout(x: String) -> String {
    x.to_uppercase()
}

fn main() {
    let _ = shout("a".into());
}
