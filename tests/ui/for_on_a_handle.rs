use delayed::delayed;

#[delayed]
fn upto(n: i64) -> Vec<i64> {
    (0..n).collect()
}

fn main() {
    for x in upto(3) {
        println!("{x}");
    }
}
