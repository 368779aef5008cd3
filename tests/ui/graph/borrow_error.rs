fn len(v: &[i64]) -> usize {
    v.len()
}

#[delayed::graph]
fn stats(n: i64) -> usize {
    let a = {
        let v = vec![n];
        let first = &v[0];
        drop(v);
        *first as usize
    };
    let b = len(&[n]);
    a + b
}

fn main() {
    stats(3);
}
