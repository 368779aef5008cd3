use delayed::delayed;

#[delayed]
fn pick(#[cfg(unix)] x: i64, #[cfg(windows)] y: i64) -> i64 {
    1
}

fn main() {}
