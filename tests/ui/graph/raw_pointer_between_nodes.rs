fn id(n: usize) -> usize {
    n
}

#[delayed::graph]
fn stats(n: &i64) -> usize {
    let pointer = std::ptr::from_ref(n);
    let a = id(pointer.addr());
    let b = id(pointer.addr() + 1);
    a + b
}

fn main() {
    stats(&3);
}
