use delayed::delayed;
use std::error::Error;

#[delayed]
fn load() -> Result<i64, Box<dyn Error>> {
    Ok("1".parse()?)
}

fn main() {}
