use delayed::delayed;

#[delayed]
fn inc(x: i64) -> i64 {
    x + 1
}

async fn run() -> Result<i64, delayed::Error> {
    inc(1).compute()
}

fn main() {}
