use delayed::delayed;

#[delayed::graph(asociated)]
#[delayed]
fn stats(n: i64) -> i64 {
    let sign;
    sign = n;
    sign
}

fn main() {
    let _: delayed::Delayed<i64> = stats(3);
}
