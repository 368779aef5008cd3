//! What nodes tell those who look: see `event.rs`. Callers ask first whether anybody does.

use super::{Kind, Node, SPECIAL};
use crate::error::Error;
use crate::event::slot::{self, Data};
use crate::event::{self, When};
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

    /// A node that was just made. It is given back, so that callers need not keep it meanwhile.
    #[inline(always)]
    pub(crate) fn built(self) -> Node {
        if event::is_on() { self.tell_built() } else { self }
    }

    #[cold]
    #[inline(never)]
    fn tell_built(self) -> Node {
        self.mark_told();
        event::emit(slot::Kind::Built, When::Now, self.id(), 0, self.data());
        self
    }

    /// A wish of a client names it.
    #[cold]
    pub(crate) fn tell_demanded(self, client: u16) {
        if self.is_seen() {
            event::emit(slot::Kind::Demanded, When::Now, self.id(), client, Data::Nothing);
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
        if let Some(name) = self.given(|given| given.name.clone()) {
            let text = Data::Number(event::text(&name));
            event::emit(slot::Kind::Named, When::Never(0), id, client, text);
        }
        event::emit(kind, When::Now, id, client, self.data());
        // SAFETY: the caller's promise.
        unsafe { self.tell_inputs(id, client) };
    }

    /// # Safety
    ///
    /// As for [`tell_started`](Node::tell_started).
    unsafe fn tell_inputs(self, id: u64, client: u16) {
        let vtable = self.vtable();
        for (at, param) in (0..self.edges()).zip(vtable.params(self.edges())) {
            // SAFETY: the caller's promise.
            unsafe { self.edge(at) }.leaves(|input| {
                input.mark_told();
                let data = Data::Input(input.vtable().task, param);
                event::emit(slot::Kind::Needs, When::Never(input.id()), id, client, data);
            });
        }
    }

    /// It has its value, which nobody has seen yet.
    #[cold]
    pub(crate) fn tell_finished(self, client: u16) {
        if self.is_seen() {
            // SAFETY: the caller has written the value and not published it.
            let bytes = unsafe { (self.vtable().measure)(self) };
            event::emit(slot::Kind::Finished, When::Now, self.id(), client, Data::Number(bytes));
        }
    }

    /// It is about to fail.
    ///
    /// # Safety
    ///
    /// The caller has the claim; `whole`: payload and edges are as before the call.
    #[cold]
    pub(crate) unsafe fn tell_failed(self, error: &Error, whole: bool) {
        if !self.is_seen() {
            return;
        }
        self.mark_told();
        let mut text = 0;
        // The function's error says it, which is the user's code.
        panic::ignore(|| text = event::text(&error.to_string()));
        event::emit(slot::Kind::Failed, When::Now, self.id(), 0, Data::Number(text));
        if whole {
            // SAFETY: the caller's promise.
            unsafe { self.tell_inputs(self.id(), 0) };
        }
    }

    /// Its memory is about to be freed.
    #[cold]
    pub(crate) fn tell_released(self) {
        if self.is_seen() {
            event::emit(slot::Kind::Released, When::Now, self.id(), 0, Data::Nothing);
        }
    }
}
