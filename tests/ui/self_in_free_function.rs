use delayed::delayed;

#[delayed]
fn twice(self, x: i64) -> i64 {
    x * 2
}

fn main() {}
