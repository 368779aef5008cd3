use delayed::delayed;

#[delayed]
fn first<'a>(xs: &'a [String]) -> Option<&'a String> {
    xs.first()
}

fn main() {}
