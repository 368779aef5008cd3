//! `DELAYED_REPORT`: a report of the whole process, without a change to the program.
//!
//! The recording thread itself makes the report and writes it, because a process that exits may have no
//! thread-locals any more on the thread that exits, and may hold the lock of a stream.

use super::save::{ENDINGS, Format};
use super::{Kept, end, spawn};
use crate::engine;
use crate::sync::unmodelled::{Mutex, MutexGuard};
use std::ffi::{OsString, c_int};
use std::fs::File;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Once};
use std::thread::JoinHandle;

const VARIABLE: &str = "DELAYED_REPORT";

// SAFETY: this is the C library's; the handler runs once, on the thread that exits, and does not unwind.
unsafe extern "C" {
    safe fn atexit(handler: extern "C" fn()) -> c_int;
}

struct Running {
    stop: Arc<AtomicBool>,
    writer: JoinHandle<()>,
    /// A copy of this process has no such thread.
    process: u32,
}

fn running() -> MutexGuard<'static, Option<Running>> {
    static RUNNING: Mutex<Option<Running>> = Mutex::new(None);
    RUNNING.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Starts to record if the user wants it and nobody has asked before. Called before anything runs.
pub(crate) fn begin() {
    static ASKED: Once = Once::new();
    ASKED.call_once(|| {
        if let Some(value) = std::env::var_os(VARIABLE).filter(|value| !value.is_empty())
            && let Err(problem) = start(value)
        {
            say(&format!("{VARIABLE}: {problem}\n"));
        }
    });
}

fn start(value: OsString) -> Result<(), String> {
    let file = (value != "-").then(|| PathBuf::from(&value));
    let format = match &file {
        None => Format::Text,
        Some(path) => Format::of(path).ok_or_else(|| {
            format!("`{}` names no kind of report; use {ENDINGS}, or - for the terminal", path.display())
        })?,
    };
    let write = move |kept: Kept| {
        let report = kept.report(engine::most_threads());
        match &file {
            None => say(&report.to_string()),
            Some(path) => {
                if let Err(error) = format.write(&report, path) {
                    say(&format!("{VARIABLE}: cannot write `{}`: {error}\n", path.display()));
                }
            }
        }
    };
    let stop = Arc::new(AtomicBool::new(false));
    let writer = spawn(0, stop.clone(), write).map_err(|error| format!("there is no thread: {error}"))?;
    *running() = Some(Running { stop, writer, process: process::id() });
    if atexit(finish) != 0 {
        return Err(
            "the C library keeps no more functions for the end, so there will be no report".to_owned()
        );
    }
    Ok(())
}

extern "C" fn finish() {
    let running = running().take();
    if let Some(Running { stop, writer, process }) = running
        && process == process::id()
    {
        // If it panicked it has said so.
        let _ = end(&stop, writer);
    }
}

/// Writes to the error stream, whose lock the program may hold for ever.
fn say(text: &str) {
    #[cfg(unix)]
    let stream = {
        use std::os::fd::AsFd;
        io::stderr().as_fd().try_clone_to_owned().map(File::from)
    };
    #[cfg(windows)]
    let stream = {
        use std::os::windows::io::AsHandle;
        io::stderr().as_handle().try_clone_to_owned().map(File::from)
    };
    if let Ok(mut stream) = stream {
        let _ = stream.write_all(text.as_bytes());
    }
}
