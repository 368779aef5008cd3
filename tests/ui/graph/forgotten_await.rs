async fn id(n: i64) -> i64 {
    n
}

#[delayed::graph]
async fn stats(n: i64) -> i64 {
    let a = id(n);
    let b = id(n + 1).await;
    a + b
}

fn main() {
    let _ = stats(3);
}
