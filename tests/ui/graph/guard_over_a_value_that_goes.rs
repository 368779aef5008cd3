//! The last expression may take a shared value, but not under a guard that looks at it when it is dropped.

struct Guard<'a>(&'a Vec<i64>);

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        println!("{}", self.0.len());
    }
}

fn len(guard: &Guard<'_>) -> usize {
    guard.0.len()
}
fn consume(x: Vec<i64>) -> usize {
    x.len()
}

#[delayed::graph]
fn guarded() -> usize {
    let x = vec![1, 2, 3];
    let guard = Guard(&x);
    let n = len(&guard);
    let m = len(&guard);
    n + m + consume(x)
}

fn main() {
    guarded();
}
