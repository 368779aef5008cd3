//! A macro that returns from the function.

macro_rules! bail {
    ($text:expr) => {
        return Err($text.to_string())
    };
}

#[delayed::graph]
fn checked(n: i64) -> Result<i64, String> {
    let a = if n > 3 { bail!("large") } else { n + 1 };
    let b = i64::from_str_radix("7", 8).unwrap();
    Ok(a * b)
}

fn main() {
    let _ = checked(3);
}
