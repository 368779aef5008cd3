use delayed::delayed;

#[delayed]
fn first(x: &str) -> &str {
    &x[..1]
}

fn main() {}
