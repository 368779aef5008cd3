use delayed::delayed;

type Outcome = Result<i64, String>;

#[delayed]
fn load() -> Outcome {
    Ok(1)
}

fn main() {
    let _: delayed::Delayed<i64> = load();
}
