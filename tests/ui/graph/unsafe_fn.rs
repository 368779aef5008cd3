#[delayed::graph]
unsafe fn read(at: &i64) -> i64 {
    *at
}

fn main() {
    unsafe { read(&3) };
}
