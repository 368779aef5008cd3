use delayed::delayed;

#[delayed]
fn first(xs: Vec<i64>) -> i64 {
    let x = &xs[0];
    drop(xs);
    *x
}

fn main() {
    let _ = first(vec![1]);
}
