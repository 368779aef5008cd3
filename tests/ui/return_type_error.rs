use delayed::delayed;

#[delayed]
async fn inc(x: i64) -> i64 {
    println!("{x}");
    "text"
}

fn main() {
    let _ = inc(1);
}
