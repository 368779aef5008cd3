//! Cost per node against the number of nodes.

use crate::arguments::Arguments;
use crate::child;
use crate::costs::Costs;
use crate::measure::Request;
use crate::peer;
use crate::results;
use crate::table::{Table, number, pair};
use crate::workload::Size;
use anyhow::Result;

pub const OPTIONS: [&str; 1] = ["rounds"];

const WORKLOADS: [&str; 3] = ["chain", "tree", "random"];
const NODES: [(usize, &str); 5] =
    [(1_000, "1k"), (10_000, "10k"), (100_000, "100k"), (1_000_000, "1M"), (10_000_000, "10M")];

/// The table, in markdown.
pub fn sizes(arguments: &Arguments) -> Result<String> {
    let rounds = arguments.get("rounds")?.unwrap_or(3);
    let peers = ["delayed", "arrays"].map(|name| peer::named(name).expect("it is in the list"));
    let mut results = results::create("sizes")?;
    let mut costs = Costs::default();
    for round in 0..rounds {
        for workload in WORKLOADS {
            for (nodes, label) in NODES {
                let name = format!("{workload} {label}");
                for peer in peers {
                    for threads in peer.threads() {
                        // As many nodes in all at each size, so that small graphs are warm too.
                        let repeats = (4_000_000 / nodes).clamp(2, 400);
                        let size = Size { scale: 1, nodes: Some(nodes), steps: None };
                        let workload = workload.to_owned();
                        let request = Request { peer, workload, threads, grain: 0, repeats, size };
                        let outcome = child::measure(&request);
                        costs.add(&request, &name, round, &outcome);
                        results.add(&outcome)?;
                    }
                }
            }
        }
        eprintln!("sizes: round {} of {rounds} is done", round + 1);
    }
    let mut table = Table::new(["1 / 2 threads"].into_iter().chain(NODES.map(|(_, label)| label)));
    for peer in peers {
        for workload in WORKLOADS {
            let cells = NODES.map(|(_, label)| {
                let cost = |threads| costs.cost(&(peer.name, format!("{workload} {label}"), threads));
                pair([1, 2].map(|threads| cost(threads).map(number)))
            });
            table.row([format!("{}, {workload}", peer.name)].into_iter().chain(cells));
        }
    }
    Ok(table.finish() + "\n" + &costs.missing())
}
