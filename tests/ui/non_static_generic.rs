use delayed::delayed;

#[delayed]
fn same<T: Send + Sync>(x: T) -> T {
    x
}

fn main() {}
