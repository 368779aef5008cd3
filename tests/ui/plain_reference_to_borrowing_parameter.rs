use delayed::delayed;

#[delayed]
fn total(xs: &Vec<i64>) -> i64 {
    xs.iter().sum()
}

fn main() {
    let xs = vec![1, 2];
    let _ = total(&xs);
}
