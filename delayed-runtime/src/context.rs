//! The `tracing` spans of nodes, with the feature of that name.
//!
//! A node's span is made with the node, so the span around the call is its parent. It is entered where the
//! function is called and where its future is polled, and closed when the node has ended. Without the feature,
//! or a subscriber that is interested, there is nothing.

use crate::node::Node;

/// The span of a node that is about to run.
#[derive(Default)]
pub(crate) struct Context {
    #[cfg(feature = "tracing")]
    span: Option<tracing::Span>,
}

/// Makes a span for a new node, if anybody wants it.
#[cfg(feature = "tracing")]
pub(crate) fn begin(node: Node) {
    use tracing::field::Empty;
    let span = tracing::info_span!(target: "delayed", "node", name = Empty, key = Empty);
    if !span.is_disabled() {
        node.set_span(span);
    }
}

#[cfg(not(feature = "tracing"))]
#[inline(always)]
pub(crate) fn begin(_node: Node) {}

#[cfg(feature = "tracing")]
impl Context {
    /// Takes the node's span, with the name that the node has now.
    pub(crate) fn of(node: Node) -> Self {
        let span = node.take_span();
        if let Some(span) = &span {
            let info = node.info();
            span.record("name", info.name());
            span.record("key", info.key());
        }
        Context { span }
    }

    /// Runs a part of the node inside its span.
    pub(crate) fn inside<R>(&self, part: impl FnOnce() -> R) -> R {
        match &self.span {
            Some(span) => span.in_scope(part),
            None => part(),
        }
    }
}

#[cfg(not(feature = "tracing"))]
impl Context {
    #[inline(always)]
    pub(crate) fn of(_node: Node) -> Self {
        Context::default()
    }

    #[inline(always)]
    pub(crate) fn inside<R>(&self, part: impl FnOnce() -> R) -> R {
        part()
    }
}
