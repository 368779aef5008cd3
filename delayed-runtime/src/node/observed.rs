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
    #[inline(always)]
    fn mark_told(self) {
        // Most are told of several times, and an atomic change costs as much as a slot.
        if self.marks().load(Ordering::Relaxed) & SPECIAL == 0 {
            self.marks().fetch_or(SPECIAL, Ordering::Relaxed);
        }
    }

    /// A node that was just made. It is given back, so that callers need not keep it meanwhile.
    #[cfg_attr(not(debug_assertions), inline(always))]
    pub(crate) fn built(self) -> Node {
        if event::is_on() { self.tell_built() } else { self }
    }

    #[cold]
    #[inline(never)]
    fn tell_built(self) -> Node {
        // Nobody else has it.
        self.marks().store(self.marks().load(Ordering::Relaxed) | SPECIAL, Ordering::Relaxed);
        let data = Data::Task(self.vtable().task, self.call_site());
        event::write(|own| own.write(slot::Kind::Built, self.id(), 0, data));
        self
    }

    /// A wish of a client names it.
    #[cold]
    pub(crate) fn tell_demanded(self, client: u16) {
        if self.is_seen() {
            event::write(|own| own.write(slot::Kind::Demanded, self.id(), client, Data::Nothing));
        }
    }

    /// Its function is about to be called; `apart`, not by a loop. `now`: see [`Writer::write_start`].
    ///
    /// # Safety
    ///
    /// The caller has the claim, and payload and edges are whole.
    #[cold]
    pub(crate) unsafe fn tell_started(self, client: u16, apart: bool, now: Option<u64>) {
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
            // SAFETY: the caller's promise.
            let first = unsafe { self.first_input() };
            let with_first =
                own.write_start(kind, now, (id, client), (self.vtable().task, self.call_site()), first);
            // SAFETY: the caller's promise.
            unsafe { self.tell_inputs(own, id, client, usize::from(with_first)) };
        });
    }

    /// Its first input, if that is no group and is always there.
    ///
    /// # Safety
    ///
    /// As for [`tell_started`](Node::tell_started).
    #[inline(always)]
    unsafe fn first_input(self) -> Option<slot::Input> {
        let shape = self.vtable().shape;
        let param =
            shape.iter().position(|edges| *edges != Some(0)).filter(|param| shape[*param].is_some())?;
        // SAFETY: the caller's promise; that parameter has edges.
        let input = unsafe { self.edge(0) };
        if input.vtable().kind == Kind::Group {
            return None;
        }
        input.mark_told();
        Some(slot::Input { id: input.id(), task: input.vtable().task, param })
    }

    /// Tells what it needs, but for so many of the first inputs.
    ///
    /// # Safety
    ///
    /// As for [`tell_started`](Node::tell_started).
    #[inline(always)]
    unsafe fn tell_inputs(self, own: &mut Writer, id: u64, client: u16, told: usize) {
        let edges = self.edges();
        if told == edges {
            return;
        }
        for (at, param) in (0..edges).zip(self.vtable().params(edges)).skip(told) {
            // SAFETY: the caller's promise.
            unsafe { self.edge(at) }.leaves(|input| {
                input.mark_told();
                own.write_input(input.id(), id, client, Data::Input(input.vtable().task, param));
            });
        }
    }

    /// It has its value, which nobody has seen yet.
    #[cold]
    pub(crate) fn tell_finished(self, client: u16) {
        if self.is_seen() {
            // SAFETY: the caller has written the value and not published it.
            let bytes = unsafe { (self.vtable().measure)(self) };
            event::write(|own| own.write(slot::Kind::Finished, self.id(), client, Data::Number(bytes)));
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
                    unsafe { self.tell_inputs(own, self.id(), 0, 0) };
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
            event::write(|own| own.write(slot::Kind::Released, self.id(), 0, Data::Nothing));
        }
    }
}
