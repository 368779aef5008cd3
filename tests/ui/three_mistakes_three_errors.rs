use delayed::delayed;

#[delayed(retrys = 3)]
fn first(xs: &mut Vec<String>, n: usize) -> Option<&'_ String> {
    xs.get(n)
}

fn main() {
    let _: delayed::Delayed<Option<&String>> = first(vec![String::new()], 1);
}
