fn id(n: i64) -> i64 {
    n
}

#[delayed::graph]
fn stats(n: i64) -> i64 {
    #[node]
    #[fuse]
    let a = id(n);
    a + 1
}

fn main() {
    stats(3);
}
