use delayed::delayed;

struct Model;

#[delayed]
fn load() -> Model {
    Model
}

async fn run() {
    let _ = load().compute().await;
}

fn main() {}
