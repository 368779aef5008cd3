//! The `tracing` spans of nodes, with the feature of that name.
//!
//! A node's span is made with the node, so the span around the call is its parent. It is entered where the
//! function is called and where its future is polled. Whoever ends the node for those who need it takes the
//! span, just before they can see that: it gets its outcome and what it took since the call, an event in it
//! says the same, and it is closed, unless a function that nobody waits for any more is still inside it.
//! Without the feature, or a subscriber that is interested, there is nothing.

use crate::error::{Cause, Error};
use crate::node::Node;

#[cfg(feature = "tracing")]
use {
    crate::error::NodeInfo,
    crate::given::Span,
    crate::panic,
    std::sync::{Arc, OnceLock},
    std::time::Instant,
};

/// A share of the span of a node that is about to run.
#[derive(Default)]
pub(crate) struct Context {
    #[cfg(feature = "tracing")]
    span: Option<Arc<Span>>,
}

/// The span of a node that is about to end.
#[derive(Default)]
pub(crate) struct Last {
    #[cfg(feature = "tracing")]
    span: Option<(Arc<Span>, NodeInfo)>,
}

/// Makes a span for a new node, if anybody wants it.
#[cfg(feature = "tracing")]
pub(crate) fn begin(node: Node) {
    use tracing::field::Empty;
    let span = tracing::info_span!(
        target: "delayed", "node", name = Empty, key = Empty, outcome = Empty, duration = Empty
    );
    if !span.is_disabled() {
        node.set_span(Span { span, called: OnceLock::new() });
    }
}

#[cfg(feature = "tracing")]
impl Context {
    pub(crate) fn of(node: Node) -> Self {
        Context { span: node.span() }
    }

    /// Calls the node's function inside its span, which gets the name that the node has now.
    #[inline]
    pub(crate) fn call<R>(&self, node: Node, function: impl FnOnce() -> R) -> R {
        if let Some(span) = &self.span
            && span.called.set(Instant::now()).is_ok()
        {
            panic::ignore(|| name(&span.span, &node.info()));
        }
        self.inside(function)
    }

    /// Runs a part of the node inside its span.
    #[inline]
    pub(crate) fn inside<R>(&self, part: impl FnOnce() -> R) -> R {
        match &self.span {
            Some(span) => span.span.in_scope(part),
            None => part(),
        }
    }

    /// The node that it is of has its value.
    #[inline]
    pub(crate) fn done(self, node: Node) {
        if self.span.is_some() {
            self.leave();
            Last::of(node).done();
        }
    }

    /// Gives the share back.
    #[inline]
    pub(crate) fn leave(self) {
        drop(self);
    }
}

#[cfg(feature = "tracing")]
impl Last {
    pub(crate) fn of(node: Node) -> Self {
        Last { span: node.take_span().map(|span| (span, node.info())) }
    }

    /// The node has its value.
    pub(crate) fn done(self) {
        self.tell("done", |span| tracing::debug!(target: "delayed", parent: span, "node done"));
    }

    /// The node fails with an error, its own or that of an input.
    pub(crate) fn failed(self, error: &Error) {
        let Some((_, info)) = &self.span else { return };
        let is_own = error.is_of(info);
        let outcome = match () {
            () if !is_own => "failed",
            () if error.is_panic() => "panicked",
            () if error.is_cancelled() => "cancelled",
            () if error.is_timeout() => "timed out",
            () => "failed",
        };
        // What needs a failed node is no news, and neither is that somebody cancels one.
        if is_own && outcome != "cancelled" {
            self.tell(outcome, |span| {
                tracing::warn!(target: "delayed", parent: span, error = %error, "node {outcome}");
            });
        } else {
            self.tell(outcome, |span| {
                tracing::debug!(target: "delayed", parent: span, error = %error, "node {outcome}");
            });
        }
    }

    /// The node is cancelled.
    pub(crate) fn cancelled(self, cause: Cause) {
        if let Some((_, info)) = &self.span {
            let error = Error::new(info.clone(), cause);
            self.failed(&error);
        }
    }

    fn tell(self, outcome: &'static str, event: impl FnOnce(&tracing::Span)) {
        let Some((shared, info)) = self.span else { return };
        // A subscriber is the user's code.
        panic::ignore(move || {
            let span = &shared.span;
            if shared.called.get().is_none() {
                name(span, &info);
            }
            span.record("outcome", outcome);
            if let Some(called) = shared.called.get() {
                span.record("duration", called.elapsed().as_secs_f64());
            }
            event(span);
            drop(shared);
        });
    }
}

/// A function that is to be called on another thread, in the span that this is in.
#[cfg(feature = "tracing")]
pub(crate) fn along<R>(function: impl FnOnce() -> R) -> impl FnOnce() -> R {
    let span = tracing::Span::current();
    move || span.in_scope(function)
}

#[cfg(feature = "tracing")]
fn name(span: &tracing::Span, info: &NodeInfo) {
    span.record("name", info.name());
    span.record("key", info.key());
}

#[cfg(not(feature = "tracing"))]
#[inline(always)]
pub(crate) fn begin(_node: Node) {}

#[cfg(not(feature = "tracing"))]
pub(crate) fn along<R>(function: impl FnOnce() -> R) -> impl FnOnce() -> R {
    function
}

#[cfg(not(feature = "tracing"))]
impl Context {
    #[inline(always)]
    pub(crate) fn of(_node: Node) -> Self {
        Context::default()
    }

    #[inline(always)]
    pub(crate) fn call<R>(&self, _node: Node, function: impl FnOnce() -> R) -> R {
        function()
    }

    #[inline(always)]
    pub(crate) fn inside<R>(&self, part: impl FnOnce() -> R) -> R {
        part()
    }

    #[inline(always)]
    pub(crate) fn done(self, _node: Node) {}

    #[inline(always)]
    pub(crate) fn leave(self) {}
}

#[cfg(not(feature = "tracing"))]
impl Last {
    #[inline(always)]
    pub(crate) fn of(_node: Node) -> Self {
        Last::default()
    }

    #[inline(always)]
    pub(crate) fn done(self) {}

    #[inline(always)]
    pub(crate) fn failed(self, _error: &Error) {}

    #[inline(always)]
    pub(crate) fn cancelled(self, _cause: Cause) {}
}
