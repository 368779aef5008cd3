use delayed::delayed;

fn is_transient(error: &std::io::Error) -> bool {
    error.kind() == std::io::ErrorKind::TimedOut
}

#[delayed(retries = 3, retry_if = is_transient)]
fn parse(text: &str) -> Result<i64, std::num::ParseIntError> {
    text.parse()
}

fn main() {
    let _ = parse("1");
}
