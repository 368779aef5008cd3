use delayed::delayed;

#[delayed]
#[allow(non_camel_case_types)]
fn t<t: Send + Sync + 'static>(x: t) -> t {
    x
}

fn main() {}
