use delayed::delayed;

#[delayed]
fn parse<T: std::str::FromStr + Send + Sync + 'static>(x: &str) -> Option<T> {
    x.parse().ok()
}

fn main() {
    let _ = parse("1");
}
