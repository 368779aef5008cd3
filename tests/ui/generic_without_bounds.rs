use delayed::delayed;

#[delayed]
fn same<T>(x: T) -> T {
    x
}

fn main() {}
