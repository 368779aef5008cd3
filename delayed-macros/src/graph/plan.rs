//! From statements to nodes: which are fused, and which nodes need which.

use super::body::{Body, Statement, Wish, label};
use crate::mistakes::Mistakes;
use std::collections::BTreeSet;

pub(super) struct Node {
    /// In their order.
    pub(super) statements: Vec<usize>,
    /// The nodes that have to be done, all before this one.
    pub(super) needs: BTreeSet<usize>,
    /// Those of them that are not needed by others of them, for drawings.
    pub(super) arrows: BTreeSet<usize>,
    /// Whether each node before it is needed, also by what it needs.
    reach: Vec<bool>,
    /// The first statement that does something: see `Plan::begins` of the runtime.
    pub(super) begins: usize,
    pub(super) label: String,
}

pub(super) struct Plan {
    /// The last one is the function's value.
    pub(super) nodes: Vec<Node>,
    /// By statement.
    pub(super) node_of: Vec<usize>,
    /// How many nodes the longest chain has.
    pub(super) span: usize,
}

impl Plan {
    pub(super) fn of(body: &Body, mistakes: &mut Mistakes) -> Plan {
        let group = fused(body, mistakes);
        let statements =
            |group_of: usize| (0..group.len()).filter(|at| group[*at] == group_of).collect::<Vec<_>>();
        let groups: BTreeSet<usize> = group.iter().copied().collect();
        let node_of: Vec<usize> = group.iter().map(|group| groups.range(..group).count()).collect();
        let mut plan = Plan { nodes: Vec::new(), node_of, span: 0 };
        for group in groups {
            plan.node(body, statements(group));
        }
        plan.span = plan.chains().into_iter().max().unwrap_or(0);
        plan
    }

    /// The number of the node that is the function's value.
    pub(super) fn last(&self) -> usize {
        self.nodes.len() - 1
    }

    fn node(&mut self, body: &Body, statements: Vec<usize>) {
        let node = self.nodes.len();
        let end = *statements.last().expect("a node has a statement");
        let is_last = end == body.last();
        let is_fence = body.statements[end].is_fence;
        let mut data: BTreeSet<usize> =
            body.needs(&statements).map(|made_by| self.node_of[made_by]).collect();
        data.remove(&node);
        let mut needs = data.clone();
        let fences = (0..node).filter(|before| self.is_fence(body, *before));
        let fence = fences.max();
        if is_fence || is_last {
            // Since the last fence, which needs all before it.
            needs.extend(fence.unwrap_or(0)..node);
        }
        needs.extend(fence);
        let mut behind = vec![false; node];
        for need in &needs {
            self.nodes[*need].reach.iter().zip(&mut behind).for_each(|(reaches, behind)| *behind |= reaches);
        }
        let arrows = needs.iter().filter(|need| data.contains(need) || !behind[**need]).copied().collect();
        let mut reach = behind;
        needs.iter().for_each(|need| reach[*need] = true);
        let acts = statements.iter().find(|at| !is_glue(&body.statements[**at]));
        let own = *acts.unwrap_or(&end);
        // What it needs is not there if one of those has left the function.
        let leaves = |need: &usize| {
            let leaving = |at: &&usize| body.statements[**at].leaves.is_some();
            self.nodes[*need].statements.iter().rfind(leaving).copied()
        };
        let before = needs.iter().map(|need| leaves(need).unwrap_or(0).max(self.nodes[*need].begins));
        let begins = before.fold(own, usize::max);
        let named = statements.iter().map(|at| label(&body.statements[*at].code, *at == body.last()));
        let mut named: Vec<String> = named.filter(|name| !name.is_empty()).collect();
        named.dedup();
        let label = named.join("; ");
        self.nodes.push(Node { statements, needs, arrows, reach, begins, label });
    }

    fn is_fence(&self, body: &Body, node: usize) -> bool {
        self.nodes[node].statements.iter().any(|at| body.statements[*at].is_fence)
    }

    /// For each node, how many the longest chain to it has.
    pub(super) fn chains(&self) -> Vec<usize> {
        let mut chains: Vec<usize> = Vec::new();
        for node in &self.nodes {
            chains.push(1 + node.needs.iter().map(|need| chains[*need]).max().unwrap_or(0));
        }
        chains
    }
}

/// Without a call: not worth a node.
fn is_glue(statement: &Statement) -> bool {
    !statement.calls && !statement.is_fence && statement.leaves.is_none()
}

/// For each statement the last one of its node.
///
/// Glue joins its only user. A call joins its only user if that needs nothing else, so that chains are one node
/// and what could run beside something stays a node. Nothing is moved across a fence.
fn fused(body: &Body, mistakes: &mut Mistakes) -> Vec<usize> {
    let statements = &body.statements;
    let last = body.last();
    let mut group: Vec<usize> = (0..=last).collect();
    let segments: Vec<usize> = statements
        .iter()
        .scan(0, |segment, statement| {
            *segment += usize::from(statement.is_fence);
            Some(*segment)
        })
        .collect();
    for at in (0..last).rev() {
        let statement = &statements[at];
        let made = || statement.makes.iter().map(|made| &body.bindings[*made]);
        let users: BTreeSet<usize> =
            made().flat_map(|binding| binding.users.keys().map(|user| group[*user])).collect();
        let only = if users.len() == 1 { users.first().copied() } else { None };
        let only = only.filter(|user| !statement.is_fence && segments[at] == segments[*user]);
        match (statement.wish, only) {
            (Wish::Node, _) => {}
            (Wish::Fuse, Some(user)) => group[at] = user,
            (Wish::Fuse, None) => {
                let names: Vec<String> = made().map(|binding| format!("`{}`", binding.name)).collect();
                if let Some(first) = made().next() {
                    mistakes.at(
                        &first.name,
                        format!(
                            "only what one statement uses, without a statement like `f();` between, can be fused with \
                             it, and {} has {} users: remove `#[fuse]`",
                            names.join(", "),
                            users.len()
                        ),
                    );
                }
            }
            (Wish::None, Some(user)) if statements[user].wish != Wish::Node => {
                if is_glue(statement) || is_only_need(body, &group, at, user) {
                    group[at] = user;
                }
            }
            (Wish::None, _) => {}
        }
    }
    group
}

/// Whether a node, known by its last statement, needs no statement but this one.
fn is_only_need(body: &Body, group: &[usize], at: usize, user: usize) -> bool {
    if body.statements[user].is_fence {
        return false;
    }
    let is_in = |statement: usize| group[statement] == user;
    let statements: Vec<usize> = (0..=user).filter(|statement| is_in(*statement)).collect();
    let mut needs = body.needs(&statements).filter(|made_by| !is_in(*made_by));
    // The function's value needs all that nobody else does.
    let has_user = |statement: usize| {
        let made = &body.statements[statement].makes;
        made.iter().any(|made| !body.bindings[*made].users.is_empty())
    };
    let others = || (0..user).filter(|other| *other != at && !is_in(*other));
    needs.all(|need| need == at) && (user != body.last() || others().all(has_user))
}
