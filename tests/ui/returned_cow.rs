#![allow(mismatched_lifetime_syntaxes)]
use delayed::delayed;
use std::borrow::Cow;

#[delayed]
fn trim(x: &str) -> Cow<str> {
    x.trim().into()
}

fn main() {}
