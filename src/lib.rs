//! Turns ordinary functions into lazy, typed task graphs and runs them in parallel on tokio.
pub use delayed_macros::delayed;
pub use delayed_runtime::*;
#[doc(hidden)]
pub use delayed_runtime::__private;
