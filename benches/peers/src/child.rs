//! Measures in a process of its own, so that no peer finds the memory and the threads of another.

use crate::elsewhere;
use crate::measure::{Measurement, Request};
use crate::peer::Home;
use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

/// A measurement, or in a few words why there is none.
pub type Outcome = Result<Measurement, String>;

/// The longest that one process may take.
const PATIENCE: Duration = Duration::from_secs(60);

pub fn measure(request: &Request) -> Outcome {
    let mut command = program(request)?;
    let size = request.size;
    command.args(["one", request.peer.name, &request.workload]);
    let mut option = |name: &str, value: u64| {
        command.args([name, &value.to_string()]);
    };
    option("--threads", request.threads as u64);
    option("--grain", request.grain);
    option("--repeats", request.repeats as u64);
    option("--scale", size.scale as u64);
    for (name, value) in [("--nodes", size.nodes), ("--steps", size.steps)] {
        if let Some(value) = value {
            option(name, value as u64);
        }
    }
    let output = run(command, PATIENCE)?;
    let line = output.lines().last().unwrap_or_default();
    let measurement: Measurement =
        serde_json::from_str(line).map_err(|error| format!("its output is unreadable: {error}"))?;
    if measurement.ok { Ok(measurement) } else { Err("wrong checksum".to_owned()) }
}

fn program(request: &Request) -> Result<Command, String> {
    match request.peer.home {
        Home::Here(_) => std::env::current_exe().map(Command::new).map_err(|error| error.to_string()),
        Home::Native => elsewhere::native(),
        Home::Python => elsewhere::python(),
    }
}

/// What a command prints, or the last line of its complaint.
pub fn run(mut command: Command, patience: Duration) -> Result<String, String> {
    let mut child = command
        .env("RUST_BACKTRACE", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("it does not start: {error}"))?;
    let (sender, outputs) = channel();
    let pipes = (child.stdout.take(), child.stderr.take());
    thread::spawn(move || {
        let (mut output, mut complaint) = (String::new(), String::new());
        // A pipe that breaks ends like one that is closed: what is missing is noticed by the reader.
        let _ = pipes.0.map(|mut pipe| pipe.read_to_string(&mut output));
        let _ = pipes.1.map(|mut pipe| pipe.read_to_string(&mut complaint));
        let _ = sender.send((output, complaint));
    });
    let ended = outputs.recv_timeout(patience);
    if ended.is_err() {
        // It may have ended by itself just now.
        let _ = child.kill();
    }
    let status = child.wait().map_err(|error| error.to_string())?;
    let Ok((output, complaint)) = ended else {
        return Err(format!("stopped after {} s", patience.as_secs()));
    };
    if status.success() {
        return Ok(output);
    }
    // The last line of a panic is a note about backtraces.
    match complaint.lines().rfind(|line| !line.is_empty() && !line.starts_with("note: ")) {
        Some(line) => Err(line.trim_start_matches("error: ").to_owned()),
        None => Err(status.to_string()),
    }
}
