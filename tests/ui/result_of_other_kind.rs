use delayed::delayed;

struct Result<T>(T);

#[delayed]
fn load() -> Result<i64> {
    Result(1)
}

fn main() {}
