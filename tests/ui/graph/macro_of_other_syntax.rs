macro_rules! largest {
    ($a:ident or $b:ident) => {
        if $a > $b { $a } else { $b }
    };
}

#[delayed::graph]
fn stats(n: i64, m: i64) -> i64 {
    let largest = largest!(n or m);
    largest * 2
}

fn main() {
    stats(3, 4);
}
