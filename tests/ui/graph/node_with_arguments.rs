fn id(n: i64) -> i64 {
    n
}

#[delayed::graph]
fn stats(n: i64) -> i64 {
    #[node(priority = 3)]
    let a = id(n);
    a + 1
}

fn main() {
    stats(3);
}
