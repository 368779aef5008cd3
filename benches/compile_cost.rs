//! What one more `#[delayed]` function adds to `cargo build`, beside the plain function:
//! `cargo bench --bench compile_cost`.
//!
//! A crate with many functions, each called once with handles (plainly: with values), is built in
//! turn with and without the attribute. Medians of interleaved rounds.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

const FUNCTIONS: usize = 300;
const ROUNDS: usize = 5;

fn source(delayed: bool, round: usize) -> String {
    let mut source = format!("// round {round}\n");
    let attribute = if delayed { "#[delayed::delayed]\n" } else { "" };
    for i in 0..FUNCTIONS {
        writeln!(
            source,
            "{attribute}fn step{i}(x: i64, name: &str) -> i64 {{ x * {i} + name.len() as i64 }}"
        )
        .unwrap();
    }
    let (first, x) = if delayed {
        ("delayed::value(1)", "&x, text.clone()")
    } else {
        ("std::hint::black_box(1)", "x, &text")
    };
    writeln!(source, "fn main() {{\n    let x = {first};\n    let text = String::from(\"a\");").unwrap();
    for i in 0..FUNCTIONS {
        writeln!(source, "    let x = step{i}({x});").unwrap();
    }
    source + "    println!(\"{x:?}\");\n}\n"
}

fn build(folder: &Path, release: bool) -> f64 {
    let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()));
    cargo.args(["build", "--quiet"]).current_dir(folder);
    if release {
        cargo.arg("--release");
    }
    let begin = Instant::now();
    assert!(cargo.status().expect("cargo runs").success());
    begin.elapsed().as_secs_f64() * 1e3
}

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = root.join("target/compile_cost");
    std::fs::create_dir_all(folder.join("src")).expect("the target folder can be written");
    let manifest = format!(
        "[package]\nname = \"compile_cost\"\nedition = \"2024\"\n[workspace]\n[dependencies]\ndelayed = {{ path = {root:?} }}\n"
    );
    std::fs::write(folder.join("Cargo.toml"), manifest).expect("the target folder can be written");
    std::fs::copy(root.join("Cargo.lock"), folder.join("Cargo.lock")).expect("the lock file is there");
    for release in [false, true] {
        let mut millis = [Vec::new(), Vec::new()];
        for round in 0..=ROUNDS {
            for delayed in [false, true] {
                std::fs::write(folder.join("src/main.rs"), source(delayed, round))
                    .expect("it can be written");
                let taken = build(&folder, release);
                // The first round builds the dependencies.
                if round > 0 {
                    millis[usize::from(delayed)].push(taken);
                }
            }
        }
        let [plain, delayed] = millis.map(|mut samples| {
            samples.sort_by(f64::total_cmp);
            samples[ROUNDS / 2]
        });
        println!(
            "{}: {FUNCTIONS} plain functions {plain:.0} ms, with the attribute {delayed:.0} ms: {:.1} ms a function",
            if release { "release" } else { "dev" },
            (delayed - plain) / FUNCTIONS as f64
        );
    }
}
