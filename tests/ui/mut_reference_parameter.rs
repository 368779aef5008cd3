use delayed::delayed;

#[delayed]
fn push(xs: &mut Vec<i64>) -> usize {
    xs.push(1);
    xs.len()
}

fn main() {}
