use delayed::delayed;

#[delayed]
#[delayed::graph]
fn stats(n: i64) -> i64 {
    #[node]
    let a = n + 1;
    #[cfg(unix)]
    let b = a + 1;
    a + b
}

fn main() {
    let _ = stats(3);
}
