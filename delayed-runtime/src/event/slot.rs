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
    /// Both `Started`, without a place, and `Needs`. Pointers: the task and the input's task; in the bits that
    /// these leave free, which of the task's parameters takes it and how much less the input's id is.
    StartedWith,
    StartedBlocking,
    StartedAsync,
    /// First pointer: the bytes of the value.
    Finished,
    /// First pointer: the number of the text.
    Failed,
    Released,
}

const KINDS: [Kind; 11] = [
    Kind::Built,
    Kind::Demanded,
    Kind::Needs,
    Kind::Named,
    Kind::Started,
    Kind::StartedWith,
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

/// The bits of a pointer that say where it points, on machines of 64 bits.
const ADDRESS_BITS: u32 = 48;
/// How many bits that leaves in a pointer. Without any, no slot is a [`StartedWith`](Kind::StartedWith).
const FREE_BITS: u32 = usize::BITS.saturating_sub(ADDRESS_BITS);
/// How many of those of both pointers are for the parameter.
const PARAM_BITS: u32 = 4;

/// The first input of a node: its id and function, and the number of the parameter that takes it.
#[derive(Clone, Copy)]
pub(crate) struct Input {
    pub(crate) id: u64,
    pub(crate) task: &'static Task,
    pub(crate) param: usize,
}

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

    /// The start of node `id` and its first input in one slot, if they fit.
    #[inline(always)]
    pub(crate) fn started_with(
        time: u64,
        id: u64,
        client: u16,
        task: &'static Task,
        input: Input,
    ) -> Option<Slot> {
        let mut slot = Slot::new(Kind::StartedWith, time, id, client, Data::Nothing);
        let less = id.wrapping_sub(input.id);
        let more = less << PARAM_BITS | input.param as u64;
        let mut fits =
            less >> (2 * FREE_BITS).saturating_sub(PARAM_BITS) == 0 && input.param >> PARAM_BITS == 0;
        for (at, task) in [task, input.task].into_iter().enumerate() {
            let part = (more >> (at as u32 * FREE_BITS)) as u16 as u64;
            fits &= pointer(task).addr() as u64 >> ADDRESS_BITS == 0;
            slot.pointers[at] = pointer(task).map_addr(|to| (to as u64 | part << ADDRESS_BITS) as usize);
        }
        fits.then_some(slot)
    }

    /// The slots of single events that it stands for.
    pub(crate) fn apart(self) -> impl Iterator<Item = Slot> {
        let slots =
            if self.kind() == Kind::StartedWith { self.start_and_input() } else { [Some(self), None] };
        slots.into_iter().flatten()
    }

    fn start_and_input(&self) -> [Option<Slot>; 2] {
        let address = |to: usize| (to as u64 & ((1 << ADDRESS_BITS) - 1)) as usize;
        // SAFETY: a slot of this kind is made of two `&'static Task`, and what a ring gives is whole.
        let [task, from] =
            self.pointers.map(|to| unsafe { &*to.map_addr(address).cast_const().cast::<Task>() });
        let [low, high] = self.pointers.map(|to| to.addr() as u64 >> ADDRESS_BITS);
        let more = low | high << FREE_BITS;
        let (id, client) = (self.id(), self.client());
        let input = id - (more >> PARAM_BITS);
        let param = task.params.get((more & ((1 << PARAM_BITS) - 1)) as usize);
        [
            Some(Slot::new(Kind::Started, self.numbers[0], id, client, Data::Task(task, None))),
            Some(Slot::new(Kind::Needs, input, id, client, Data::Input(from, param))),
        ]
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
