use delayed::delayed;

#[delayed(retries = 3)]
fn inc(x: i64) -> i64 {
    x + 1
}

#[delayed(backoff = "1s", retry_if = |_| true)]
fn dec(x: i64) -> Result<i64, String> {
    Ok(x - 1)
}

fn main() {
    let _ = (inc(1), dec(1));
}
