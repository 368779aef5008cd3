//! What happened, put together: nodes, edges, and what each thread did when.
//!
//! Events of one thread come in their order; which thread comes first does not matter, so nothing that is
//! as large as all events has to be sorted. Anything may be missing, because events can be lost.
//!
//! - A node's last start counts. Only nodes of `flatten` and `after` start twice, and all they do before is
//!   to ask for one more input.
//! - It was on its thread from there to its end, if it ended there too. If not, it went on apart: it is
//!   asynchronous, or waits between two attempts.
//! - Nodes on a thread nest, because a node that waits for others runs them. Its own time is without theirs.

use super::cost::Cost;
use crate::error::{Name, NodeInfo};
use crate::event::{Event, Runs, What};
use crate::task::Place;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

/// A thread that waits for longer between two nodes had nothing to do. Nanoseconds.
pub(super) const GAP: u64 = 10_000;
/// For times that are not known.
pub(super) const NEVER: u64 = u64::MAX;
/// The function of a node of which only the number is known.
pub(super) const UNKNOWN: u32 = u32::MAX;

/// Times are nanoseconds from the begin of the recording.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) id: u64,
    pub(super) function: u32,
    /// The numbers of the threads of the last start and of the end.
    pub(super) thread: u32,
    pub(super) end_thread: u32,
    pub(super) runs: Runs,
    pub(super) failed: bool,
    /// It has a part in what was recorded.
    pub(super) seen: bool,
    pub(super) built: u64,
    pub(super) demanded: u64,
    pub(super) start: u64,
    pub(super) end: u64,
    pub(super) released: u64,
    pub(super) bytes: u64,
    /// From start to end, and that without the nodes it ran meanwhile. What recording took is left out.
    pub(super) elapsed: u64,
    pub(super) own: u64,
    /// How long the thread took to come to it from another node, without what recording took.
    pub(super) gap: Option<u32>,
    pub(super) inputs: u32,
}

impl Node {
    pub(super) fn has_started(&self) -> bool {
        self.start != NEVER
    }

    pub(super) fn has_ended(&self) -> bool {
        self.end != NEVER
    }
}

/// A value that flowed, by indices of nodes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Flow {
    pub(super) from: u32,
    pub(super) to: u32,
    pub(super) param: &'static str,
}

#[derive(Debug)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) place: Place,
}

/// A node on a thread, or one that ran apart.
#[derive(Clone, Copy, Debug)]
pub(super) struct Interval {
    pub(super) node: u32,
    pub(super) begin: u64,
    pub(super) end: u64,
}

#[derive(Debug, Default)]
pub(super) struct Lane {
    pub(super) number: u32,
    /// By their begins; they nest.
    pub(super) intervals: Vec<Interval>,
    /// When it ran nodes of the engine's loops one after the other, with no more than [`GAP`] between.
    pub(super) spans: Vec<(u64, u64)>,
    pub(super) marks: Vec<(u64, Mark)>,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Mark {
    Start(u32),
    End(u32),
    /// The thread made a wish, so what it did before was the caller's.
    Wish,
    Close,
}

#[derive(Debug, Default)]
pub(super) struct Story {
    pub(super) nodes: Vec<Node>,
    pub(super) flows: Vec<Flow>,
    pub(super) functions: Vec<Function>,
    pub(super) lanes: Vec<Lane>,
    /// Nodes that ran apart, by their starts.
    pub(super) apart: Vec<Interval>,
    /// Names that nodes were given.
    pub(super) names: HashMap<u32, Arc<str>>,
    /// When the recording ended.
    pub(super) end: u64,
    /// What recording took of the threads.
    pub(super) recording: u64,
    begin: u64,
    pub(super) index_of: HashMap<u64, u32, BuildHasherDefault<ById>>,
    function_of: HashMap<(&'static str, Place), u32>,
}

impl Story {
    /// A story from `begin` on, by the clock of the events.
    pub(super) fn new(begin: u64) -> Story {
        Story { begin, ..Story::default() }
    }

    pub(super) fn add(&mut self, event: Event) {
        let time = (event.time.as_nanos() as u64).saturating_sub(self.begin);
        let index = self.node(event.node);
        match event.what {
            What::Built { node: info } => {
                let function = self.function(&info);
                let node = &mut self.nodes[index as usize];
                (node.function, node.built) = (function, time);
            }
            What::Demanded => {
                let node = &mut self.nodes[index as usize];
                node.demanded = node.demanded.min(time);
                node.seen = true;
                self.mark(event.thread, time, Mark::Wish);
            }
            What::Needs { input, from, param } => {
                let input = self.node(input);
                if self.nodes[input as usize].function == UNKNOWN {
                    self.nodes[input as usize].function = self.function(&from);
                }
                self.flows.push(Flow { from: input, to: index, param });
            }
            What::Started { node: info, runs } => {
                let function = self.function(&info);
                self.mark(event.thread, time, Mark::Start(index));
                if let Name::Given(name) = info.name {
                    self.names.insert(index, name);
                }
                let node = &mut self.nodes[index as usize];
                node.function = function;
                if !node.has_started() || time >= node.start {
                    (node.start, node.thread, node.runs) = (time, event.thread, runs);
                }
            }
            What::Finished { bytes } => {
                self.nodes[index as usize].bytes = bytes;
                self.ended(event.thread, time, index);
            }
            What::Failed { .. } => {
                self.nodes[index as usize].failed = true;
                self.ended(event.thread, time, index);
            }
            What::Released => self.nodes[index as usize].released = time,
        }
    }

    /// The last end counts: a node that was cancelled while it ran fails before.
    fn ended(&mut self, thread: u32, time: u64, index: u32) {
        self.mark(thread, time, Mark::End(index));
        let node = &mut self.nodes[index as usize];
        if !node.has_ended() || time >= node.end {
            (node.end, node.end_thread) = (time, thread);
        }
    }

    fn node(&mut self, id: u64) -> u32 {
        *self.index_of.entry(id).or_insert_with(|| {
            self.nodes.push(Node {
                id,
                function: UNKNOWN,
                thread: 0,
                end_thread: 0,
                runs: Runs::Here,
                failed: false,
                seen: false,
                built: NEVER,
                demanded: NEVER,
                start: NEVER,
                end: NEVER,
                released: NEVER,
                bytes: 0,
                elapsed: 0,
                own: 0,
                gap: None,
                inputs: 0,
            });
            self.nodes.len() as u32 - 1
        })
    }

    /// A node with a name of its own has its function's place.
    fn function(&mut self, info: &NodeInfo) -> u32 {
        let place = info.place;
        let name = match &info.name {
            Name::OfFunction(name) => *name,
            Name::Given(_) => {
                let known = self.functions.iter().position(|function| function.place == place);
                if let Some(known) = known {
                    return known as u32;
                }
                ""
            }
        };
        *self.function_of.entry((name, place)).or_insert_with(|| {
            self.functions.push(Function { name: info.name().to_owned(), place });
            self.functions.len() as u32 - 1
        })
    }

    fn mark(&mut self, thread: u32, time: u64, mark: Mark) {
        let known = self.lanes.iter().position(|lane| lane.number == thread);
        let index = known.unwrap_or_else(|| {
            self.lanes.push(Lane { number: thread, ..Lane::default() });
            self.lanes.len() - 1
        });
        self.lanes[index].marks.push((time, mark));
    }

    /// Ends the story. `cost` is what each event took, `whole` says that none was lost.
    pub(super) fn ends(mut self, end: u64, cost: Cost, whole: bool) -> Story {
        self.end = end.saturating_sub(self.begin);
        for flow in &self.flows {
            self.nodes[flow.to as usize].inputs += 1;
        }
        for lane in 0..self.lanes.len() {
            self.resolve(lane, cost, whole);
        }
        self.lanes.retain(|lane| !lane.intervals.is_empty());
        self.lanes.sort_by_key(|lane| lane.number);
        self.settle(whole);
        self.forget_unseen();
        self
    }

    pub(super) fn info(&self, index: u32) -> NodeInfo {
        let node = &self.nodes[index as usize];
        let function = &self.functions[node.function as usize];
        let name = self.names.get(&index).cloned().unwrap_or_else(|| function.name.as_str().into());
        NodeInfo { name: Name::Given(name), id: node.id, place: function.place }
    }
}

/// Numbers of nodes follow each other.
#[derive(Debug, Default)]
pub(super) struct ById(u64);

impl Hasher for ById {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, number: u64) {
        // The high bits choose the group in std's map, the low ones the place.
        self.0 = (self.0 ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 ^= self.0 >> 32;
    }
}
