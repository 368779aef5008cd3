use delayed::delayed;

#[delayed]
#[rustfmt::skip]
fn all(_: u8, _: u8, _: u8, _: u8, _: u8, _: u8, _: u8, _: u8, _: u8,
    _: u8, _: u8, _: u8, _: u8, _: u8, _: u8, _: u8, _: u8) {
}

fn main() {}
