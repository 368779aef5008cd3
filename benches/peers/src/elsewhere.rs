//! The peers outside this program: built when they are first asked for, if their tools are there.

use crate::child;
use crate::results::home;
use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

/// What starts a peer, or why there is none.
type Start = Result<Vec<PathBuf>, String>;

/// The program in `native/`.
pub fn native() -> Result<Command, String> {
    static START: OnceLock<Start> = OnceLock::new();
    let built = START.get_or_init(|| {
        let folder = home().join("target/native");
        make("native/build", &folder)?;
        Ok(vec![folder.join("peers")])
    });
    command(built)
}

/// The program in `python/`.
pub fn python() -> Result<Command, String> {
    static START: OnceLock<Start> = OnceLock::new();
    let made = START.get_or_init(|| {
        // For the kernel alone: without it the program still runs trivial nodes.
        let _ = native();
        let folder = home().join("target/venv");
        make("python/setup", &folder)?;
        // Without `-B` python would leave its compiled modules among the sources.
        Ok(vec![folder.join("bin/python"), "-B".into(), home().join("python/peer.py")])
    });
    command(made)
}

fn command(start: &Start) -> Result<Command, String> {
    let words = start.as_ref().map_err(String::clone)?;
    let mut command = Command::new(&words[0]);
    command.args(&words[1..]);
    Ok(command)
}

fn make(script: &str, folder: &PathBuf) -> Result<(), String> {
    let mut command = Command::new(home().join(script));
    command.arg(folder);
    child::run(command, Duration::from_secs(300)).map(drop)
}
