mod steps {
    #[delayed::delayed]
    fn inc(x: i64) -> i64 {
        x + 1
    }
}

fn main() {
    let _ = steps::inc(1);
}
