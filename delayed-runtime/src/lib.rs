//! Handles, nodes and the engine of the `delayed` crate, usable without its macros.
//!
//! Programs use the crate `delayed`, which shows everything that is public here.

mod abort;
mod argument;
mod call;
#[cfg_attr(all(test, loom), path = "models/chunk.rs")]
mod chunk;
mod client;
mod clock;
mod collection;
mod compiled;
mod compute;
mod context;
mod draw;
mod engine;
mod error;
mod event;
mod explain;
mod given;
mod graph;
mod handle;
mod metrics;
#[cfg(all(test, loom))]
mod models;
mod node;
mod operators;
mod panic;
mod progress;
mod pure;
mod record;
mod retry;
mod slot;
mod sync;
mod task;
mod unified;
mod units;
mod visible;
mod watch;

pub use argument::{Callable, IntoAny, IntoAnyRef, IntoArg, IntoArgRef, IntoArgs};
pub use call::{call, call_async, value};
pub use client::{Client, ClientBuilder, Enter};
pub use collection::{Collection, Gather};
pub use compute::{AsCompleted, Compute, ComputeRef, Settle, as_completed, compute, persist, settle, wait};
pub use draw::{Colour, Style, visualize, visualize_with};
pub use error::{Error, NodeInfo};
pub use event::{Counts, Event, Events, Runs, What, events};
pub use explain::{Explanation, explain};
pub use graph::{Edge, Graph, GraphNode};
pub use handle::{Delayed, Ref, Status, Value};
pub use metrics::metrics;
pub use operators::gather;
pub use progress::{Progress, Progressing};
#[cfg(feature = "progress")]
pub use progress::{ProgressBars, progress, progress_on};
pub use record::{FunctionTimes, Live, Recording, Report, Spent, Step, ThreadTimes, record};
pub use slot::Sole;

/// What generated code calls. Not to be relied on.
#[doc(hidden)]
pub mod __private {
    pub use crate::__attempt as attempt;
    pub use crate::__keep as keep;
    /// What generated code of the attribute `graph` calls.
    pub mod graph {
        pub use crate::compiled::*;
    }
    pub use crate::call::{
        IsResult, call_async_fallible, call_async_function as call_async, call_fallible,
        call_function as call,
    };
    pub use crate::error::{Failure, KeepBoxed, KeepShown, Keeping};
    pub use crate::retry::{Attempt, again, call_async_retrying, call_retrying, is_worth_it};
    pub use crate::slot::{Slot, Slots};
    pub use crate::task::{Function, Task};
    pub use crate::unified::{PureSlot, comparable, comparable_owned, pure};
}
