//! What the attributes add to `cargo build`, beside plain functions: `cargo bench --bench compile_cost`.
//!
//! For `#[delayed]`, a crate with many functions, each called once with handles (plainly: with values), is built
//! in turn with and without it; for `#[delayed::graph]`, one with a function of 10, 50 or 200 statements. Medians
//! of interleaved rounds.
//!
//! `-- code` counts what one more function or statement adds to a dev build in lines of LLVM's language, and fails
//! if that has become much more. They are most of the time, and the same on each machine.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

const FUNCTIONS: usize = 300;
/// Calls of them in one function: that of a program that was written by hand.
const CALLS: usize = 10;
const ROUNDS: usize = 5;
/// Lines of LLVM's language.
const MOST_A_FUNCTION: usize = 1150;
const MOST_A_STATEMENT: usize = 175;

/// A program with many functions, each of which is called once, from functions of [`CALLS`] calls.
fn source(delayed: bool, round: usize, functions: usize) -> String {
    let mut source = format!("// round {round}\n");
    let attribute = if delayed { "#[delayed::delayed]\n" } else { "" };
    let (first, number, arguments) = if delayed {
        ("delayed::value(1)", "delayed::Delayed<i64>", "&x, text.clone()")
    } else {
        ("std::hint::black_box(1)", "i64", "x, text")
    };
    let mut main = format!("    let x = {first};\n    let text = String::from(\"a\");\n");
    for i in 0..functions {
        if i % CALLS == 0 {
            writeln!(source, "#[inline(never)]\nfn part{i}(x: {number}, text: &String) -> {number} {{")
                .unwrap();
            (i..i + CALLS).for_each(|i| writeln!(source, "    let x = step{i}({arguments});").unwrap());
            writeln!(source, "    x\n}}").unwrap();
            writeln!(main, "    let x = part{i}(x, &text);").unwrap();
        }
        writeln!(
            source,
            "{attribute}fn step{i}(x: i64, name: &str) -> i64 {{ x * {i} + name.len() as i64 }}"
        )
        .unwrap();
    }
    source + "fn main() {\n" + &main + "    println!(\"{x:?}\");\n}\n"
}

fn cargo(folder: &Path, arguments: &[&str]) -> Command {
    let mut cargo = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".into()));
    cargo.args(arguments).current_dir(folder).env("CARGO_TARGET_DIR", folder.join("target"));
    cargo
}

fn build(folder: &Path, release: bool) -> f64 {
    let mut cargo = cargo(folder, &["build", "--quiet"]);
    if release {
        cargo.arg("--release");
    }
    let begin = Instant::now();
    assert!(cargo.status().expect("cargo runs").success());
    begin.elapsed().as_secs_f64() * 1e3
}

/// A function whose statements each use two others, so that none is fused, in a program that loads the macros and
/// links the crate anyway.
fn graph(attribute: bool, round: usize, statements: usize) -> String {
    let mut source = format!("// round {round}\n#[delayed::delayed]\nfn one() -> i64 {{ 1 }}\n");
    source += "#[inline(never)]\nfn step(a: &[u64], b: &[u64]) -> Vec<u64> {\n    a.iter().zip(b).map(|(a, b)| a ^ b).collect()\n}\n";
    source += if attribute { "#[delayed::graph]\n" } else { "" };
    source += "fn graph(x: &[u64]) -> usize {\n    let a0 = step(x, x);\n    let a1 = step(x, x);\n";
    for i in 2..statements - 1 {
        writeln!(source, "    let a{i} = step(&a{}, &a{});", i / 2, i - 1).unwrap();
    }
    let sum: Vec<String> = (0..statements - 1).map(|i| format!("a{i}.len()")).collect();
    writeln!(
        source,
        "    {}\n}}\nfn main() {{\n    println!(\"{{}} {{:?}}\", graph(&[1, 2]), one().wait());\n}}",
        sum.join(" + ")
    )
    .unwrap();
    source
}

/// Builds what `source` gives without and with the attribute, in turn; milliseconds.
fn compare(folder: &Path, release: bool, source: impl Fn(bool, usize) -> String) -> [f64; 2] {
    let mut millis = [Vec::new(), Vec::new()];
    for round in 0..=ROUNDS {
        for attribute in [false, true] {
            std::fs::write(folder.join("src/main.rs"), source(attribute, round)).expect("it can be written");
            let taken = build(folder, release);
            // The first round builds the dependencies.
            if round > 0 {
                millis[usize::from(attribute)].push(taken);
            }
        }
    }
    millis.map(|mut samples| {
        samples.sort_by(f64::total_cmp);
        samples[ROUNDS / 2]
    })
}

/// Lines of LLVM's language that one more function, or statement, adds to a dev build.
fn lines(folder: &Path, source: impl Fn(usize) -> String) -> usize {
    let [few, many] = [20, 40].map(|size| {
        std::fs::write(folder.join("src/main.rs"), source(size)).expect("it can be written");
        let file = folder.join("target/code.ll");
        let emit = format!("--emit=llvm-ir={}", file.display());
        let build = ["rustc", "--quiet", "--", "-Ccodegen-units=1", "-Cdebuginfo=0", &emit];
        assert!(cargo(folder, &build).status().expect("cargo runs").success());
        std::fs::read_to_string(file).expect("rustc has written it").lines().count()
    });
    (many - few) / 20
}

/// Fails if there is more than when these limits were set, by a quarter.
fn code(folder: &Path) {
    for (what, limit, lines) in [
        ("a function", MOST_A_FUNCTION, lines(folder, |functions| source(true, 0, functions))),
        ("a statement of a graph", MOST_A_STATEMENT, lines(folder, |statements| graph(true, 0, statements))),
    ] {
        println!("dev: {lines} lines {what}, at most {limit}");
        assert!(lines <= limit, "what is generated for {what} has grown: what of it is inlined by force?");
    }
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
    if std::env::args().any(|argument| argument == "code") {
        return code(&folder);
    }
    for (release, profile) in [(false, "dev"), (true, "release")] {
        let [plain, delayed] =
            compare(&folder, release, |attribute, round| source(attribute, round, FUNCTIONS));
        println!(
            "{profile}: {FUNCTIONS} plain functions {plain:.0} ms, with the attribute {delayed:.0} ms: {:.1} ms a function",
            (delayed - plain) / FUNCTIONS as f64
        );
        for statements in [10, 50, 200] {
            let [plain, graph] =
                compare(&folder, release, |attribute, round| graph(attribute, round, statements));
            println!(
                "{profile}: a plain function of {statements} statements {plain:.0} ms, as a graph {graph:.0} ms: \
                 {:.2} ms a node",
                (graph - plain) / statements as f64
            );
        }
    }
}
