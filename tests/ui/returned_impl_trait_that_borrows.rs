use delayed::delayed;

#[delayed]
fn chars(x: &str) -> impl Iterator<Item = char> {
    x.chars()
}

fn main() {}
