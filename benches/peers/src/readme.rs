//! Everything, written into the marked sections of `../README.md`.

use crate::arguments::Arguments;
use crate::compare::{self, compare};
use crate::metg::metg;
use crate::results::home;
use crate::sizes::sizes;
use anyhow::{Context, Result};
use std::fs;
use std::process::Command;
use std::thread::available_parallelism;

pub const OPTIONS: [&str; 5] = compare::OPTIONS;

pub fn all(arguments: &Arguments) -> Result<()> {
    let machine = machine();
    let compared = compare(arguments)?;
    // The other options are those of `compare`.
    let rounds = arguments.only("rounds");
    let sections = [
        ("machine", machine),
        ("cost", compared.cost),
        ("notes", compared.notes),
        ("to-arrays", compared.to_arrays),
        ("to-delayed", compared.to_delayed),
        ("sizes", sizes(&rounds)?),
        ("metg", metg(&rounds)?),
    ];
    let path = home().join("../README.md");
    let mut readme = fs::read_to_string(&path).context("benches/README.md cannot be read")?;
    for (name, text) in sections {
        readme = replace(&readme, name, &text)?;
    }
    fs::write(&path, readme).context("benches/README.md cannot be written")
}

/// Puts `text` between the markers of a section.
fn replace(readme: &str, name: &str, text: &str) -> Result<String> {
    let (begin, end) = (format!("<!-- begin {name} -->"), format!("<!-- end {name} -->"));
    let missing = || format!("benches/README.md has no section `{name}`");
    let (before, rest) = readme.split_once(&begin).with_context(missing)?;
    let (_, after) = rest.split_once(&end).with_context(missing)?;
    Ok(format!("{before}{begin}\n{}\n{end}{after}", text.trim_end()))
}

/// What a figure depends on: the machine, the compilers, the commit and the day.
fn machine() -> String {
    let processor = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let processor = processor.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let processor = processor.map_or("an unknown processor", |(_, model)| model);
    let cores = available_parallelism().map_or(1, |cores| cores.get());
    let facts = [
        format!("{processor}, {cores} cores"),
        says("rustc", &["--version"]),
        says("g++", &["-dumpfullversion"]),
        says("python3", &["--version"]),
        says("git", &["describe", "--always", "--dirty"]),
        says("date", &["-u", "+%F"]),
    ];
    let [machine, rustc, gcc, python, commit, day] = facts;
    format!("{machine}; {rustc}; g++ {gcc}; {python}; commit {commit}; {day}.")
}

/// The first line that a program prints.
fn says(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).current_dir(home()).output();
    let output = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    output.ok().and_then(|text| text.lines().next().map(str::to_owned)).unwrap_or("not there".to_owned())
}
