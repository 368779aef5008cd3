use delayed::delayed;
use std::collections::HashMap;

#[delayed]
fn size(m: HashMap<String, i64>) -> usize {
    m.len()
}

fn main() {
    let m = HashMap::from([(String::new(), delayed::value(1i64))]);
    let _ = size(m);
}
