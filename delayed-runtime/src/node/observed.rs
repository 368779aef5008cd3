//! What nodes tell those who look: see `event.rs`. Callers ask first whether anybody does.

use super::{CANCELLED, Kind, Node, ORPHANED, SPECIAL};
use crate::error::Error;
use crate::event::slot::{self, Data};
use crate::event::{self, Writer};
use crate::panic;
use crate::sync::atomic::Ordering;

impl Node {
    /// Whether users know the node.
    fn is_seen(self) -> bool {
        !matches!(self.vtable().kind, Kind::Group | Kind::Sink)
    }

    /// Its end is going to be told, too.
    fn mark_told(self) {
        self.marks().fetch_or(SPECIAL, Ordering::Relaxed);
    }

    fn data(self) -> Data {
        Data::Task(self.vtable().task, self.call_site())
    }

    #[inline(always)]
    fn tell(self, kind: slot::Kind, client: u16, data: Data) {
        let id = self.id();
        event::write(|own| own.write(kind, id, client, data));
    }

    /// A node that was just made. It is given back, so that callers need not keep it meanwhile.
    #[inline(always)]
    pub(crate) fn built(self) -> Node {
        if event::is_on() { self.tell_built() } else { self }
    }

    #[cold]
    #[inline(never)]
    fn tell_built(self) -> Node {
        self.mark_told();
        self.tell(slot::Kind::Built, 0, self.data());
        self
    }

    /// A wish of a client names it.
    #[cold]
    pub(crate) fn tell_demanded(self, client: u16) {
        if self.is_seen() {
            self.tell(slot::Kind::Demanded, client, Data::Nothing);
        }
    }

    /// Its function is about to be called; `apart`, not by a loop.
    ///
    /// # Safety
    ///
    /// The caller has the claim, and payload and edges are whole.
    #[cold]
    pub(crate) unsafe fn tell_started(self, client: u16, apart: bool) {
        if !self.is_seen() {
            return;
        }
        let kind = match (apart, self.vtable().kind) {
            (false, _) => slot::Kind::Started,
            (true, Kind::Future) => slot::Kind::StartedAsync,
            (true, _) => slot::Kind::StartedBlocking,
        };
        self.mark_told();
        let id = self.id();
        let name = self.given(|given| given.name.clone()).map(|name| Data::Number(event::text(&name)));
        event::write(|own| {
            if let Some(name) = name {
                own.write(slot::Kind::Named, id, client, name);
            }
            own.write(kind, id, client, self.data());
            // SAFETY: the caller's promise.
            unsafe { self.tell_inputs(own, id, client) };
        });
    }

    /// # Safety
    ///
    /// As for [`tell_started`](Node::tell_started).
    #[inline(always)]
    unsafe fn tell_inputs(self, own: &mut Writer, id: u64, client: u16) {
        let vtable = self.vtable();
        let edges = self.edges();
        let mut tell = |edge: Node, param| {
            edge.leaves(|input| {
                input.mark_told();
                own.write_input(input.id(), id, client, Data::Input(input.vtable().task, param));
            });
        };
        // SAFETY: the caller's promise.
        let edge = |at| unsafe { self.edge(at) };
        if vtable.shape.len() == edges && vtable.shape.iter().all(|edges| *edges == Some(1)) {
            (0..edges).for_each(|at| tell(edge(at), vtable.task.params.get(at)));
        } else {
            (0..edges).zip(vtable.params(edges)).for_each(|(at, param)| tell(edge(at), param));
        }
    }

    /// It has its value, which nobody has seen yet.
    #[cold]
    pub(crate) fn tell_finished(self, client: u16) {
        if self.is_seen() {
            // SAFETY: the caller has written the value and not published it.
            let bytes = unsafe { (self.vtable().measure)(self) };
            self.tell(slot::Kind::Finished, client, Data::Number(bytes));
        }
    }

    /// It was marked as cancelled.
    pub(crate) fn cancelled(self) {
        if event::is_on() {
            self.tell_error(&self.error(), |_| ());
        }
    }

    /// It is about to fail, of which cancelled nodes have told.
    ///
    /// # Safety
    ///
    /// The caller has the claim; `whole`: payload and edges are as before the call.
    #[cold]
    pub(crate) unsafe fn tell_failed(self, error: &Error, whole: bool) {
        let told = match self.word(Ordering::Relaxed).state() {
            CANCELLED => true,
            // Cancelled before its last reference went, or given up with it, which `Released` tells.
            ORPHANED => error.is_given_up(),
            _ => false,
        };
        if self.is_seen() && !told {
            self.tell_error(error, |own| {
                if whole {
                    // SAFETY: the caller's promise.
                    unsafe { self.tell_inputs(own, self.id(), 0) };
                }
            });
        }
    }

    #[cold]
    fn tell_error(self, error: &Error, more: impl FnOnce(&mut Writer)) {
        self.mark_told();
        let mut text = 0;
        // The function's error says it, which is the user's code.
        panic::ignore(|| text = event::text(&error.to_string()));
        let id = self.id();
        event::write(|own| {
            own.write(slot::Kind::Failed, id, 0, Data::Number(text));
            more(own);
        });
    }

    /// Its memory is about to be freed.
    #[cold]
    pub(crate) fn tell_released(self) {
        if self.is_seen() {
            self.tell(slot::Kind::Released, 0, Data::Nothing);
        }
    }
}
