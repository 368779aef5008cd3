use delayed::delayed;
use std::rc::Rc;

#[delayed]
fn share(x: i64) -> Vec<Rc<i64>> {
    vec![Rc::new(x)]
}

fn main() {}
