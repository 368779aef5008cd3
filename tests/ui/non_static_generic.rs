use delayed::delayed;

#[delayed]
fn same<T: Send + Sync>(x: T) -> T {
    x
}

fn main() {
    let text = String::from("a");
    let _ = same(text.as_str());
}
