use std::rc::Rc;

fn id(n: i64) -> i64 {
    n
}

#[delayed::graph]
fn stats(text: &str) -> Result<i64, Rc<str>> {
    let n: i64 = text.parse().map_err(|_| Rc::from("no number"))?;
    let a = id(n);
    let b = id(n + 1);
    Ok(a + b)
}

fn main() {
    let _ = stats("3");
}
