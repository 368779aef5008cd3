use std::rc::Rc;

async fn id(n: i64) -> i64 {
    n
}

fn send<T: Send>(_: T) {}

#[delayed::graph]
async fn stats(n: i64) -> i64 {
    let a = Rc::new(id(n).await);
    let b = id(n).await;
    *a + b
}

fn main() {
    send(stats(3));
}
