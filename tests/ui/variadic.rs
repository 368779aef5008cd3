use delayed::delayed;

#[delayed]
fn sum(n: usize, _: ...) -> usize {
    n
}

fn main() {}
