fn main() {
    let h = delayed::value(1i64);
    let _ = delayed::call(|x| x.abs(), (h,));
}
