use std::task::Poll;

fn id(n: i64) -> i64 {
    n
}

#[delayed::graph]
fn stats(n: Poll<Result<i64, ()>>) -> Poll<Result<i64, ()>> {
    let a = n?;
    let b = id(1);
    let c = id(2);
    a.map(|a| Ok(a + b + c))
}

fn main() {
    let _ = stats(Poll::Ready(Ok(3)));
}
