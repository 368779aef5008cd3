use delayed::delayed;

#[delayed]
unsafe extern "C" fn sum(n: usize, _: ...) -> usize {
    n
}

fn main() {}
