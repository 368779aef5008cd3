use delayed::delayed;

struct Oops;

#[delayed]
fn load() -> Result<i64, Oops> {
    Err(Oops)
}

fn main() {}
