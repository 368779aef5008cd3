#[delayed::graph(associatd)]
unsafe fn stats(n: i64) -> i64 {
    let a;
    a = n;
    a
}

fn main() {
    unsafe { stats(3) };
}
