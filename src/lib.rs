//! Turns ordinary functions into lazy, typed task graphs and runs them in parallel on tokio.
pub use delayed_macros::delayed;
#[doc(hidden)]
pub use delayed_runtime::__private;
pub use delayed_runtime::*;
