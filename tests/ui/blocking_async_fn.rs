use delayed::delayed;

#[delayed(blocking)]
async fn inc(x: i64) -> i64 {
    x + 1
}

fn main() {
    let _ = inc(1);
}
