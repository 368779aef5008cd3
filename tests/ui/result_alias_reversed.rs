use delayed::delayed;

type Result<E, T> = std::result::Result<T, E>;

#[delayed]
fn load() -> Result<String, i64> {
    Ok(1)
}

fn main() {}
