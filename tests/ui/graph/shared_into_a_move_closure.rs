fn id(n: i64) -> i64 {
    n
}

#[delayed::graph]
fn stats(v: Vec<i64>) -> i64 {
    let first = id(v[0]);
    let at = std::iter::once(0).map(move |at| v[at]).sum::<i64>();
    first + at
}

fn main() {
    stats(vec![1]);
}
