//! What is known of a function before any of its nodes exists.

use std::panic::Location;

/// The static description of a delayed function: one constant for each `#[delayed]` function.
#[derive(Clone, Copy, Debug)]
pub struct Task {
    pub(crate) name: &'static str,
    pub(crate) file: &'static str,
    pub(crate) line: u32,
    pub(crate) column: u32,
    pub(crate) params: &'static [&'static str],
    pub(crate) blocking: bool,
}

impl Task {
    /// Describes a function defined at `file:line:column` with parameters named `params`.
    pub const fn new(
        name: &'static str,
        file: &'static str,
        line: u32,
        column: u32,
        params: &'static [&'static str],
    ) -> Self {
        Task { name, file, line, column, params, blocking: false }
    }

    /// Sends the nodes to tokio's blocking pool.
    pub const fn blocking(self) -> Self {
        Task { blocking: true, ..self }
    }

    /// Describes an operation of this crate, whose nodes keep the place of the call themselves.
    pub(crate) const fn builtin(name: &'static str, params: &'static [&'static str]) -> Self {
        Task::new(name, "", 0, 0, params)
    }
}

/// A type that stands for one delayed function.
pub trait Function {
    /// The function's description.
    const TASK: Task;
}

/// A place in the user's source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: &'static str,
    pub(crate) line: u32,
    pub(crate) column: u32,
}

impl From<&'static Location<'static>> for Place {
    fn from(at: &'static Location<'static>) -> Self {
        Place { file: at.file(), line: at.line(), column: at.column() }
    }
}
