async fn id(n: i64) -> i64 {
    n
}

#[delayed::graph]
fn stats(n: i64) -> i64 {
    let a = id(n).await;
    let b = a + 1;
    b
}

fn main() {
    stats(3);
}
