//! The failures of several inputs in one error.

use super::{Error, Inner};
use std::collections::HashSet;
use std::fmt;
use std::sync::Arc;

/// The most other failures that an error lists.
const LISTED: usize = 32;

/// What an error knows of failures besides its own.
pub(super) struct Others {
    /// One for each node that failed, in the order of the arguments, without others of its own.
    pub(super) list: Vec<Error>,
    pub(super) count: usize,
    /// Else there may be more than `count`: what two inputs do not list may or may not be the same.
    pub(super) is_exact: bool,
}

impl fmt::Display for Others {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at_least = if self.is_exact { "" } else { "at least " };
        let nodes = if self.count == 1 { "node" } else { "nodes" };
        write!(f, "and {at_least}{} more {nodes} failed", self.count)
    }
}

/// The failures of a node's inputs on their way into one error. The work is linear in the number of
/// inputs, and the usual case, inputs that failed because of the same node, allocates nothing.
pub(crate) struct Failures {
    first: Error,
    /// What is known besides the first one, once an input has failed for another reason.
    known: Option<Known>,
}

struct Known {
    /// The ids of the nodes that failed, that of the first error included.
    nodes: HashSet<u64>,
    others: Others,
    /// Nothing that was added leaves failures out.
    is_complete: bool,
}

impl Known {
    fn of(first: &Error) -> Self {
        let nodes = HashSet::from([first.node().id]);
        let others = Others { list: Vec::new(), count: 0, is_exact: true };
        let mut known = Known { nodes, others, is_complete: true };
        if let Some(others) = first.0.others.as_deref() {
            known.add_list(others);
            known.others.is_exact = others.is_exact;
        }
        known
    }

    fn add(&mut self, error: &Error) {
        if self.nodes.insert(error.node().id) {
            self.others.list.push(error.alone());
            // It may be among those that were left out.
            self.others.is_exact &= self.is_complete;
        }
    }

    fn add_list(&mut self, others: &Others) {
        others.list.iter().for_each(|other| self.add(other));
        self.add_count(others, others.list.len() == others.count);
    }

    fn add_count(&mut self, others: &Others, is_complete: bool) {
        self.is_complete &= is_complete;
        self.others.is_exact &= is_complete;
        self.others.count = self.others.count.max(others.count);
    }
}

impl Failures {
    pub(crate) fn new(first: Error) -> Self {
        Failures { first, known: None }
    }

    /// Adds what made another input fail. A `group` stands for many inputs, so all that it lists counts;
    /// else the lists of inputs are looked at until there is enough to list.
    pub(crate) fn add(&mut self, error: &Error, group: bool) {
        let (first, inner) = (&*self.first.0, &*error.0);
        if first.origin.node.id == inner.origin.node.id && same(&first.others, &inner.others) {
            return;
        }
        let known = self.known.get_or_insert_with(|| Known::of(&self.first));
        known.add(error);
        if let Some(others) = &inner.others {
            match group || known.others.list.len() < LISTED {
                true => known.add_list(others),
                false => known.add_count(others, false),
            }
        }
    }

    /// The error of a group, which lists all: the node whose inputs are grouped counts them.
    pub(crate) fn into_whole(self) -> Error {
        let Failures { first, known } = self;
        let Some(Known { nodes, mut others, .. }) = known else { return first };
        others.count = others.count.max(nodes.len() - 1);
        let is_known = match &first.0.others {
            Some(old) => (old.count, old.is_exact) == (others.count, others.is_exact),
            None => others.count == 0,
        };
        if is_known { first } else { first.with_others(others) }
    }

    pub(crate) fn into_error(self) -> Error {
        let error = self.into_whole();
        match &error.0.others {
            Some(others) if others.list.len() > LISTED => {
                let list = others.list[..LISTED].to_vec();
                error.with_others(Others { list, ..**others })
            }
            _ => error,
        }
    }
}

fn same(a: &Option<Arc<Others>>, b: &Option<Arc<Others>>) -> bool {
    a.as_ref().map(Arc::as_ptr) == b.as_ref().map(Arc::as_ptr)
}

impl Error {
    fn with_others(&self, others: Others) -> Error {
        Error(Arc::new(Inner { others: Some(Arc::new(others)), ..Inner::clone(&self.0) }))
    }

    /// The same failure without others.
    fn alone(&self) -> Error {
        if self.0.others.is_none() {
            return self.clone();
        }
        Error(Arc::new(Inner { others: None, ..Inner::clone(&self.0) }))
    }
}
