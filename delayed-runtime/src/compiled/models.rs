//! The protocols of runs and of the board, under loom: see `crate::models`.
//!
//! These mutations make one or more fail. On the board: helpers that are counted after they have looked; a post
//! that does not wait for them; the additions to the count, the last one's subtraction, and the exchange of a
//! post, each Relaxed. In runs: a claim by a load and a store; `done` set, or read by `is_ready`, Relaxed; an owner
//! that sleeps without a second look, or says so by a store; a helper that does not wake it; a node that begins
//! without another look at the limit. They do not see an Acquire less where claims or `done` are looked through:
//! each covers the other.

use super::frame::{Frame, GOES_ON, Plan};
use super::{Exit, Word};
use crate::engine::{Board, Engine, Posted, Resources};
use crate::models::check;
use crate::models::runtime::Handle;
use crate::sync::atomic::AtomicU64;
use crate::sync::{Track, thread};
use crate::task::Task;
use std::cell::Cell;
use std::ptr::NonNull;
use std::sync::Arc;

const TASK: Task = Task::new("node", "models.rs", 1, 1, &[]);

/// Two nodes, and one that needs both.
static JOIN: Plan = Plan { nodes: &[TASK, TASK, TASK], needs: &[0, 0, 0b11], begins: &[0, 1, 2] };
/// Two nodes.
static BOTH: Plan = Plan { nodes: &[TASK, TASK], needs: &[0, 0], begins: &[0, 1] };

fn words() -> [Word; 2] {
    [Word(AtomicU64::new(0)), Word(AtomicU64::new(0))]
}

/// Runs a graph while another thread helps for a moment; gives the frame's result.
fn run(plan: &'static Plan, node: impl Fn(usize) -> u32) -> bool {
    let engine = Engine::new(Handle::of_models(), 0, Resources::default());
    let helper = {
        let engine = engine.clone();
        thread::spawn(move || engine.board.help())
    };
    let words = words();
    let mut frame = Frame::new(plan, &words, &node, 0);
    frame.run_shared(&engine, false, 2);
    let result = frame.result();
    helper.join().unwrap();
    result
}

/// A node sees what the nodes that it needs have made, whoever ran them; each runs once; and the owner sees
/// all of it.
#[test]
fn a_helper_runs_nodes_beside_their_owner() {
    check(|_| {
        let made = [Track::new(), Track::new(), Track::new()];
        let goes_on = run(&JOIN, |node| {
            made[node].write();
            if node == 2 {
                made[0].read();
                made[1].read();
            }
            GOES_ON
        });
        assert!(goes_on);
        made.iter().for_each(Track::end);
    });
}

/// Of two nodes that leave the function the first one wins, although each may be run by either thread.
#[test]
fn two_nodes_leave_the_function() {
    check(|_| {
        let exit = Exit::new();
        let goes_on = run(&BOTH, |node| exit.leave(node as u32, node));
        assert!(!goes_on);
        assert_eq!(exit.value(), 0);
    });
}

/// What needs a node that has left the function does not begin, whoever ran it.
#[test]
fn what_a_node_has_not_made_is_not_used() {
    check(|_| {
        // A run keeps panics to itself, and this one would come behind the node that leaves.
        let lacks = Cell::new(false);
        let goes_on = run(&JOIN, |node| {
            lacks.set(lacks.get() || node == 2);
            if node == 0 { 0 } else { GOES_ON }
        });
        assert!(!goes_on);
        assert!(!lacks.get(), "a node began without what it needs");
    });
}

/// A graph on the board, as long as `there` is not ended.
#[repr(C)]
struct Graph {
    posted: Posted,
    there: Track,
}

/// A helper that has found a graph has left it before its owner goes on, also if another graph has the entry
/// then.
#[test]
fn a_helper_meets_the_end_of_a_graph() {
    /// # Safety
    ///
    /// `posted` is that of a `Graph`.
    unsafe fn look(posted: NonNull<Posted>) -> bool {
        // SAFETY: the caller's promise.
        unsafe { posted.cast::<Graph>().as_ref() }.there.read();
        true
    }
    check(|_| {
        let board = Arc::new(Board::default());
        let helper = {
            let board = board.clone();
            thread::spawn(move || board.help())
        };
        for _ in 0..2 {
            let graph = Graph { posted: Posted { work: look }, there: Track::new() };
            // SAFETY: the post is dropped before the graph.
            drop(unsafe { board.post(NonNull::from(&graph).cast()) });
            graph.there.end();
        }
        helper.join().unwrap();
    });
}
