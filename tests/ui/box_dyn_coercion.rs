use delayed::delayed;
use std::fmt::Display;

#[delayed]
fn show(x: Box<dyn Display + Send + Sync>) -> String {
    x.to_string()
}

fn main() {
    let _ = show(Box::new(1));
}
