//! What a client has of things that nodes may need while they run: a GPU, connections, memory.
//!
//! A node with a resource runs apart and waits for its units there, first come first served. So what waits
//! holds neither a thread nor a loop, and the units bound how many such functions run beside the loops.

use crate::error::{Cause, Error};
use crate::node::Node;
use std::collections::BTreeMap;
use std::future::Future;
use std::sync::Arc;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};

/// The resources of a client, by name.
#[derive(Default)]
pub(crate) struct Resources(BTreeMap<String, Resource>);

struct Resource {
    units: u32,
    free: Arc<Semaphore>,
}

type Acquired = Result<OwnedSemaphorePermit, AcquireError>;

impl Resources {
    pub(crate) fn new(units: impl IntoIterator<Item = (String, u32)>) -> Self {
        let resource = |units| Resource { units, free: Arc::new(Semaphore::new(units as usize)) };
        Resources(units.into_iter().map(|(name, units)| (name, resource(units))).collect())
    }

    /// What a node has to wait for before its function is called.
    ///
    /// # Errors
    ///
    /// If the client can never have it.
    pub(super) fn of(&self, node: Node) -> Result<Option<impl Future<Output = Acquired> + use<>>, Error> {
        let Some(needed) = node.vtable().task.resource else { return Ok(None) };
        let refuse = |what: String| Err(Error::new(node.info(), Cause::Misused(what)));
        let (name, units) = (needed.name, needed.units);
        match self.0.get(name) {
            None => refuse(format!(
                "it needs the resource `{name}`, which its client does not have: build one with \
                 `Client::builder().resource(\"{name}\", {units})`"
            )),
            Some(resource) if resource.units < units => refuse(format!(
                "it needs {units} units of the resource `{name}`, of which its client has {} in all",
                resource.units
            )),
            Some(resource) => Ok(Some(resource.free.clone().acquire_many_owned(units))),
        }
    }
}
