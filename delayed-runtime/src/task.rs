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
    pub(crate) priority: i32,
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
        Task { name, file, line, column, params, blocking: false, priority: 0 }
    }

    /// Sends the nodes to tokio's blocking pool.
    pub const fn blocking(self) -> Self {
        Task { blocking: true, ..self }
    }

    /// Runs the nodes before or after others that are ready.
    pub const fn priority(self, priority: i32) -> Self {
        Task { priority, ..self }
    }

    /// A number of the function, the same in all copies that the compiler makes of this constant;
    /// zero for operations of this crate, which are as different as the closures they are given.
    pub(crate) const fn number(&self) -> u32 {
        if self.line == 0 {
            return 0;
        }
        // FNV-1a over the place.
        let mut hash = 0x811C_9DC5_u32 ^ (self.line << 8) ^ self.column;
        let file = self.file.as_bytes();
        let mut at = 0;
        while at < file.len() {
            hash = (hash ^ file[at] as u32).wrapping_mul(0x0100_0193);
            at += 1;
        }
        hash | 1
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
