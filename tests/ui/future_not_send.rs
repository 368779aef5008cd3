use delayed::delayed;
use std::rc::Rc;

#[delayed]
async fn wait(x: i64) -> i64 {
    let x = Rc::new(x);
    std::future::ready(()).await;
    *x
}

fn main() {}
