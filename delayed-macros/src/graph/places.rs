//! Where each binding lies: with its only user, or in a slot.
//!
//! A binding that several nodes use stays in a slot to the end of the function, and they borrow it. One that a
//! single node uses is moved into that, unless it is only borrowed there: what is borrowed may go further
//! than the node. What a node makes for itself is its own.

use super::binding::{Binding, Kind};
use super::body::Body;
use super::plan::Plan;
use crate::mistakes::Mistakes;
use proc_macro2::Ident;
use std::collections::BTreeSet;
use syn::Stmt;

pub(super) enum Place {
    /// A local of the node that makes it, or an argument that only the last one uses.
    Local,
    Slot {
        slot: Ident,
        /// The node whose local it becomes.
        moved_into: Option<usize>,
        /// Nodes that may run at the same time use it.
        is_shared: bool,
        /// The function that copies it, if several nodes use it.
        copied: Option<Ident>,
    },
}

pub(super) fn places(body: &Body, plan: &Plan, mistakes: &mut Mistakes) -> Vec<Place> {
    body.bindings
        .iter()
        .enumerate()
        .map(|(number, binding)| place(number, binding, body, plan, mistakes))
        .collect()
}

fn place(number: usize, binding: &Binding, body: &Body, plan: &Plan, mistakes: &mut Mistakes) -> Place {
    let last = plan.last();
    let made_in = binding.made_by.map(|statement| plan.node_of[statement]);
    let users: BTreeSet<usize> = binding.users.keys().map(|statement| plan.node_of[*statement]).collect();
    let most = binding.most();
    let is_argument = made_in.is_none();
    let stays = match made_in {
        Some(made_in) if made_in == last => true,
        // It may be borrowed by what leaves the node.
        Some(made_in) if users.iter().all(|user| *user == made_in) && !users.is_empty() => {
            binding.mutable || most > Some(Kind::Borrow)
        }
        Some(_) => false,
        None => users.iter().all(|user| *user == last),
    };
    if stays {
        return Place::Local;
    }
    let users_beside: BTreeSet<usize> = users.iter().copied().filter(|user| Some(*user) != made_in).collect();
    let only = if users.len() == 1 && users_beside.len() == 1 { users_beside.first().copied() } else { None };
    let is_moved =
        binding.mutable || binding.is_mut_reference || most > Some(Kind::Borrow) && !binding.is_reference;
    if only.is_none() && users.len() > 1 {
        check_shared(binding, body, plan, mistakes);
    }
    let slot = |prefix: &str| {
        let name = binding.name.to_string();
        let name = name.trim_start_matches("r#");
        Ident::new(&format!("{prefix}{name}_{number}"), binding.name.span())
    };
    Place::Slot {
        slot: slot("__"),
        moved_into: only.filter(|_| is_moved),
        is_shared: users.iter().filter(|user| **user != last).count() > 1
            && (is_argument || users_beside.len() > 1),
        copied: (users.len() > 1).then(|| slot("__copy_of_")),
    }
}

/// Finds what would make order matter between the users of a shared binding.
fn check_shared(binding: &Binding, body: &Body, plan: &Plan, mistakes: &mut Mistakes) {
    let name = &binding.name;
    let made_in = binding.made_by.map(|statement| plan.node_of[statement]);
    let declared = binding.made_by.map(|statement| &body.statements[statement].code);
    if matches!(declared, Some(Stmt::Local(local)) if local.init.is_none()) {
        // That is the mistake.
        return;
    }
    let changed = binding.users.iter().find(|(_, used)| used.kind == Kind::Change);
    let other = |than: usize| {
        let mut others = binding.users.keys().filter(|user| plan.node_of[**user] != plan.node_of[than]);
        others.next().map(|other| body.said(*other)).unwrap_or_default()
    };
    let advice = if name == "self" {
        "put the statements that use it into one block".to_owned()
    } else {
        format!(
            "make a new value of it in one statement: `let {name} = {{ let mut {name} = {name}; …; {name} }};`"
        )
    };
    if let Some((user, used)) = changed {
        mistakes.add(syn::Error::new(
            used.span,
            format!(
                "`{name}` is changed here and also used by {}, so the order of the two would matter: {advice}",
                other(*user)
            ),
        ));
    } else if binding.is_mut_reference {
        let is_early = |user: &usize| plan.node_of[*user] != plan.last();
        let mut users = binding.users.iter();
        if let Some((user, used)) = users.find(|(user, used)| is_early(user) && used.kind == Kind::Value) {
            mistakes.add(syn::Error::new(
                used.span,
                format!(
                    "`{name}` is a `&mut`, which is not shared, and also used by {}: use it in one statement, as in \
                     `let (a, b) = {{ … }};`, or borrow what it refers to, as in `&*{name}`",
                    other(*user)
                ),
            ));
        }
    } else if binding.mutable {
        let beside = |user: &usize| Some(plan.node_of[*user]) != made_in;
        let user = binding.users.iter().rfind(|(user, _)| beside(user));
        if let Some((user, used)) = user {
            mistakes.add(syn::Error::new(
                used.span,
                format!("`{name}` is `mut`, so one statement uses it, and {} does: {advice}", other(*user)),
            ));
        }
    }
}
