use delayed::delayed;

#[delayed]
fn is_even(x: i64) -> bool {
    x % 2 == 0
}

fn main() {
    if is_even(2) {
        println!("even");
    }
}
