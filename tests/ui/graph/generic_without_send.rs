use std::fmt::Display;

#[delayed::graph]
fn shown<T: Display>(t: T) -> usize {
    let a = format!("{t}").len();
    let b = format!("{t:>8}").len();
    a + b
}

fn main() {
    shown(3);
}
