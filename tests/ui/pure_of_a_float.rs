use delayed::delayed;

#[delayed(pure)]
fn root(x: f64) -> f64 {
    x.sqrt()
}

#[delayed(pure)]
fn sum(xs: &[f64]) -> f64 {
    xs.iter().sum()
}

fn main() {
    let _ = (root(2.0), sum(vec![1.0]));
}
