struct Pair {
    a: Vec<i64>,
    b: i64,
}

fn len(v: Vec<i64>) -> i64 {
    v.len() as i64
}

#[delayed::graph]
fn stats(pair: Pair) -> i64 {
    let twice = i64::pow(pair.b, 2);
    let len = len(pair.a);
    twice + len
}

fn main() {
    stats(Pair { a: vec![], b: 1 });
}
