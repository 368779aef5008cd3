use delayed::delayed;

struct Token(u32);

#[delayed(retries = 3)]
fn spend(token: Token, n: u32) -> Result<u32, String> {
    Ok(token.0 + n)
}

fn main() {
    let _ = spend(Token(1), 2);
}
