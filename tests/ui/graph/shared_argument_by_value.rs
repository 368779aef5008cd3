fn len(text: String) -> usize {
    text.len()
}

#[delayed::graph]
fn stats(text: String) -> usize {
    let words = text.split(' ').count();
    let len = len(text);
    words + len
}

fn main() {
    stats(String::new());
}
