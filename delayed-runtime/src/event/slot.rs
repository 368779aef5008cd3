//! How an event lies in a slot of a ring.

use super::ring::Slot;
use crate::task::{Place, Task};
use std::panic::Location;
use std::ptr;

/// What a slot says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// First pointer: the task; second: the place of the call, for operations of this crate.
    Built,
    Demanded,
    /// Follows [`Started`](Kind::Started) or `Failed`. First number: the input; first pointer: its task;
    /// second: the consumer's parameter.
    Needs,
    /// Comes before [`Started`](Kind::Started). First pointer: the number of the text.
    Named,
    /// As `Built`.
    Started,
    StartedBlocking,
    StartedAsync,
    /// First pointer: the bytes of the value.
    Finished,
    /// First pointer: the number of the text.
    Failed,
    Released,
}

const KINDS: [Kind; 10] = [
    Kind::Built,
    Kind::Demanded,
    Kind::Needs,
    Kind::Named,
    Kind::Started,
    Kind::StartedBlocking,
    Kind::StartedAsync,
    Kind::Finished,
    Kind::Failed,
    Kind::Released,
];

/// In the second number: the node's id, the client's number above it, and the kind above that.
const ID_BITS: u32 = 48;
const CLIENT_BITS: u32 = 12;
/// The largest number of a client.
pub(crate) const CLIENTS: u16 = (1 << CLIENT_BITS) - 1;

/// What a slot's pointers are.
#[derive(Clone, Copy)]
pub(crate) enum Data {
    Nothing,
    Number(usize),
    Task(&'static Task, Option<&'static Location<'static>>),
    Input(&'static Task, Option<&'static &'static str>),
}

impl Slot {
    /// A slot of an event of node `id` with client `client`, or with any for zero. `number` is the time, or
    /// what the kind says.
    #[inline(always)]
    pub(crate) fn new(kind: Kind, number: u64, id: u64, client: u16, data: Data) -> Slot {
        let tagged = id & ((1 << ID_BITS) - 1)
            | u64::from(client & CLIENTS) << ID_BITS
            | (kind as u64) << (ID_BITS + CLIENT_BITS);
        let pointers = match data {
            Data::Nothing => [ptr::null_mut(); 2],
            Data::Number(number) => [ptr::without_provenance_mut(number), ptr::null_mut()],
            Data::Task(task, place) => [pointer(task), place.map_or(ptr::null_mut(), pointer)],
            Data::Input(task, param) => [pointer(task), param.map_or(ptr::null_mut(), pointer)],
        };
        Slot { numbers: [number, tagged], pointers }
    }

    pub(crate) fn id(&self) -> u64 {
        self.numbers[1] & ((1 << ID_BITS) - 1)
    }

    pub(crate) fn client(&self) -> u16 {
        (self.numbers[1] >> ID_BITS) as u16 & CLIENTS
    }

    pub(crate) fn kind(&self) -> Kind {
        KINDS[((self.numbers[1] >> (ID_BITS + CLIENT_BITS)) as usize).min(KINDS.len() - 1)]
    }

    /// The number in place of pointers.
    pub(crate) fn number(&self) -> usize {
        self.pointers[0].addr()
    }

    /// The task, for kinds that have one.
    fn task(&self) -> &'static Task {
        // SAFETY: slots of these kinds are made of a `&'static Task`, and what a ring gives is whole.
        unsafe { &*self.pointers[0].cast_const().cast() }
    }

    /// Name and place of the function, for kinds that have a task.
    pub(crate) fn function(&self) -> (&'static str, Place) {
        let task = self.task();
        let mut place = Place { file: task.file, line: task.line, column: task.column };
        if self.kind() != Kind::Needs && !self.pointers[1].is_null() {
            // SAFETY: as above; these kinds have a `&'static Location` or nothing there.
            place = Place::from(unsafe { &*self.pointers[1].cast_const().cast::<Location<'static>>() });
        }
        (task.name, place)
    }

    /// The parameter that takes an input.
    pub(crate) fn param(&self) -> &'static str {
        if self.kind() != Kind::Needs || self.pointers[1].is_null() {
            return "";
        }
        // SAFETY: as above; this kind has a `&'static &'static str` or nothing there.
        unsafe { *self.pointers[1].cast_const().cast::<&'static str>() }
    }
}

fn pointer<T>(to: &'static T) -> *mut () {
    ptr::from_ref(to).cast_mut().cast()
}
