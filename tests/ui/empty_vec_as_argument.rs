use delayed::delayed;

#[delayed]
fn total(xs: Vec<i64>) -> i64 {
    xs.iter().sum()
}

fn main() {
    let _ = total(vec![]);
}
