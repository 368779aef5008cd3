//! What is known of a function before any of its nodes exists.

use std::panic::Location;
use std::time::Duration;

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
    pub(crate) timeout: Option<Duration>,
    pub(crate) resource: Option<Resource>,
    pub(crate) retries: u32,
    /// The first delay between two attempts; the others follow from it.
    pub(crate) backoff: Option<Duration>,
}

/// What a function needs of a client while it runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resource {
    pub(crate) name: &'static str,
    pub(crate) units: u32,
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
        Task {
            name,
            file,
            line,
            column,
            params,
            blocking: false,
            priority: 0,
            timeout: None,
            resource: None,
            retries: 0,
            backoff: None,
        }
    }

    /// Sends the nodes to tokio's blocking pool.
    pub const fn blocking(self) -> Self {
        Task { blocking: true, ..self }
    }

    /// Runs the nodes before or after others that are ready.
    pub const fn priority(self, priority: i32) -> Self {
        Task { priority, ..self }
    }

    /// Fails nodes that run for longer.
    pub const fn timeout(self, seconds: u64, nanoseconds: u32) -> Self {
        Task { timeout: Some(Duration::new(seconds, nanoseconds)), ..self }
    }

    /// Runs a node while it has `units` of a resource of the client.
    pub const fn resource(self, name: &'static str, units: u32) -> Self {
        Task { resource: Some(Resource { name, units }), ..self }
    }

    /// Calls the function up to `retries` times more when it fails.
    pub const fn retries(self, retries: u32) -> Self {
        Task { retries, ..self }
    }

    /// Waits between two attempts, at first for this long.
    pub const fn backoff(self, seconds: u64, nanoseconds: u32) -> Self {
        Task { backoff: Some(Duration::new(seconds, nanoseconds)), ..self }
    }

    /// Whether its nodes leave the loops even if they are not asynchronous: others must be able to
    /// go on without them.
    pub(crate) const fn runs_apart(&self) -> bool {
        self.blocking || self.timeout.is_some() || self.resource.is_some()
    }

    /// Whether its nodes are values that were given, and no calls.
    pub(crate) fn is_value(&self) -> bool {
        self.is_operation() && self.name == "value"
    }

    /// Whether it is an operation of this crate and no function of the user's.
    pub(crate) const fn is_operation(&self) -> bool {
        self.line == 0
    }

    /// A number of the function, the same in all copies that the compiler makes of this constant;
    /// zero for operations of this crate, which are as different as the closures they are given.
    pub(crate) const fn number(&self) -> u32 {
        if self.is_operation() {
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
