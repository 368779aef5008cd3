//! What each thread did when, once all its events are known.

use super::cost::Cost;
use super::story::{Function, GAP, Interval, Lane, Mark, Node, Story, UNKNOWN};
use crate::event::Runs;
use crate::task::Place;
use std::collections::HashMap;

impl Story {
    /// Turns the marks of a thread into intervals.
    pub(super) fn resolve(&mut self, at: usize, cost: Cost, whole: bool) {
        let lane = &mut self.lanes[at];
        // Intervals that have not ended, and how much of each belongs to nodes inside.
        let mut open: Vec<(usize, u64)> = Vec::new();
        let mut free_since = None;
        let mut marks = std::mem::take(&mut lane.marks);
        // What still runs.
        marks.push((self.end, Mark::Close));
        for (time, mark) in marks {
            let depth = match mark {
                Mark::Wish => {
                    free_since = None;
                    continue;
                }
                Mark::Start(index) => {
                    let node = &mut self.nodes[index as usize];
                    if (node.thread, node.start) != (lane.number, time) || !is_on_its_thread(node, whole) {
                        continue;
                    }
                    if open.is_empty()
                        && node.runs == Runs::Here
                        && let Some(gap) = free_since.map(|since| time.saturating_sub(since))
                        && gap <= GAP
                    {
                        let recorded = cost.between.min(gap);
                        self.recording += recorded;
                        node.gap = Some((gap - recorded) as u32);
                    }
                    open.push((lane.intervals.len(), 0));
                    lane.intervals.push(Interval { node: index, begin: time, end: time });
                    continue;
                }
                Mark::End(index) if self.nodes[index as usize].end == time => {
                    let is_its = |&(interval, _): &(usize, u64)| lane.intervals[interval].node == index;
                    let Some(depth) = open.iter().rposition(is_its) else { continue };
                    depth
                }
                Mark::End(_) => continue,
                Mark::Close => 0,
            };
            // Those inside have ended too, whatever is missing.
            while open.len() > depth {
                let Some((interval, inside)) = open.pop() else { break };
                let interval = &mut lane.intervals[interval];
                interval.end = time.max(interval.begin);
                let node = &mut self.nodes[interval.node as usize];
                let all = time.saturating_sub(interval.begin);
                let own = all.saturating_sub(inside);
                let recorded = cost.of_node(node.inputs).min(own);
                self.recording += recorded;
                (node.elapsed, node.own) = (all - recorded, own - recorded);
                if let Some((_, outer)) = open.last_mut() {
                    *outer += all;
                } else if node.runs == Runs::Here {
                    let begin = interval.begin;
                    lane.ran(begin, time);
                }
            }
            if open.is_empty() {
                free_since = Some(time);
            }
        }
    }

    /// What is known once all threads are.
    pub(super) fn settle(&mut self, whole: bool) {
        for (index, node) in (0..).zip(&mut self.nodes) {
            if !node.has_started() {
                continue;
            }
            node.seen = true;
            if !is_on_its_thread(node, whole) && (node.has_ended() || whole) {
                let end = if node.has_ended() { node.end } else { self.end }.max(node.start);
                node.elapsed = end - node.start;
                self.apart.push(Interval { node: index, begin: node.start, end });
            }
        }
        self.apart.sort_by_key(|interval| interval.begin);
        for flow in &self.flows {
            let [from, to] = [flow.from as usize, flow.to as usize];
            // One that failed without having started is known by its inputs.
            self.nodes[to].seen |= self.nodes[from].seen;
            self.nodes[from].seen |= self.nodes[to].seen;
        }
    }

    /// A reader of one client hears what other clients' nodes were made and released.
    pub(super) fn forget_unseen(&mut self) {
        let mut kept = 0;
        let places: Vec<u32> = self
            .nodes
            .iter()
            .map(|node| {
                let place = if node.seen { kept } else { UNKNOWN };
                kept += u32::from(node.seen);
                place
            })
            .collect();
        self.nodes.retain(|node| node.seen);
        let place = |index: u32| places[index as usize];
        self.flows.retain_mut(|flow| {
            (flow.from, flow.to) = (place(flow.from), place(flow.to));
            flow.from != UNKNOWN && flow.to != UNKNOWN
        });
        let intervals = self.lanes.iter_mut().flat_map(|lane| &mut lane.intervals).chain(&mut self.apart);
        intervals.for_each(|interval| interval.node = place(interval.node));
        let names = std::mem::take(&mut self.names).into_iter();
        self.names =
            names.map(|(index, name)| (place(index), name)).filter(|(at, _)| *at != UNKNOWN).collect();
        self.index_of = HashMap::default();
        if self.nodes.iter().any(|node| node.function == UNKNOWN) {
            let place = Place { file: "", line: 0, column: 0 };
            self.functions.push(Function { name: "(unknown)".to_owned(), place });
            let unknown = self.functions.len() as u32 - 1;
            self.nodes
                .iter_mut()
                .filter(|node| node.function == UNKNOWN)
                .for_each(|node| node.function = unknown);
        }
    }
}

impl Lane {
    fn ran(&mut self, begin: u64, end: u64) {
        match self.spans.last_mut() {
            Some((_, last)) if begin <= *last + GAP => *last = end,
            _ => self.spans.push((begin, end)),
        }
    }
}

/// Whether a started node was on the thread of its start until it ended, or still is. Where events are
/// lost, one without an end has long ended.
fn is_on_its_thread(node: &Node, whole: bool) -> bool {
    node.runs != Runs::Async && if node.has_ended() { node.end_thread == node.thread } else { whole }
}
