fn id(n: i64) -> i64 {
    n
}

#[delayed::graph]
fn stats(n: i64) -> i64 {
    #[fuse]
    let a = id(n);
    let b = id(a);
    let c = id(a + 1);
    b + c
}

fn main() {
    stats(3);
}
