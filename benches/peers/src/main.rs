//! What other runners of task graphs cost, measured beside `delayed` on the same graphs.
//!
//! `../README.md` says what is measured and what came out.

mod arguments;
mod child;
mod clock;
mod compare;
mod costs;
mod elsewhere;
mod graphs;
mod kernel;
mod measure;
mod metg;
mod peer;
mod plan;
mod plot;
mod readme;
mod results;
mod sizes;
mod table;
mod task_bench;
mod workload;

use anyhow::{Context, Error, Result, bail};
use arguments::Arguments;
use measure::Request;
use peer::Home;
use std::process::ExitCode;
use workload::Size;

const USAGE: &str = "\
usage: peers COMMAND
  one PEER WORKLOAD [--threads N] [--grain N] [--repeats N] [--scale N] [--nodes N] [--steps N]
  compare [--rounds N] [--peers A,B] [--workloads X,Y] [--seconds N] [--grain N]
  sizes [--rounds N]
  metg [--rounds N] [--peers A,B]
  graphs [--threads N]
  all [options of compare; --rounds holds for all parts]";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let Some(command) = arguments.next() else { bail!("{USAGE}") };
    match command.as_str() {
        "one" => {
            let known = ["threads", "grain", "repeats", "scale", "nodes", "steps"];
            let request = request(&Arguments::read(arguments, &known)?)?;
            let measurement = match request.peer.home {
                Home::Here(start) => measure::measure(&request, start)?,
                Home::Native | Home::Python => child::measure(&request).map_err(Error::msg)?,
            };
            println!("{}", serde_json::to_string(&measurement)?);
        }
        "compare" => {
            let report = compare::compare(&Arguments::read(arguments, &compare::OPTIONS)?)?;
            println!("## ns per node\n\n{}", report.cost);
            println!("## ratio to arrays\n\n{}", report.to_arrays);
            println!("## ratio to delayed\n\n{}{}", report.to_delayed, report.notes);
        }
        "sizes" => println!("{}", sizes::sizes(&Arguments::read(arguments, &sizes::OPTIONS)?)?),
        "metg" => println!("{}", metg::metg(&Arguments::read(arguments, &metg::OPTIONS)?)?),
        "graphs" => {
            let arguments = Arguments::read(arguments, &["threads"])?;
            println!("{}", graphs::graphs(arguments.get("threads")?.unwrap_or(2)));
        }
        "all" => readme::all(&Arguments::read(arguments, &readme::OPTIONS)?)?,
        _ => bail!("no command `{command}`\n{USAGE}"),
    }
    Ok(())
}

fn request(arguments: &Arguments) -> Result<Request> {
    let [peer, workload] = arguments.words.as_slice() else { bail!("{USAGE}") };
    let peer = peer::named(peer).with_context(|| {
        let names = peer::PEERS.each_ref().map(|peer| peer.name).join(", ");
        format!("no peer `{peer}`; there are {names}")
    })?;
    Ok(Request {
        peer,
        workload: workload.clone(),
        threads: arguments.get("threads")?.unwrap_or(1).max(1),
        grain: arguments.get("grain")?.unwrap_or(0),
        repeats: arguments.get("repeats")?.unwrap_or(peer.repeats),
        size: Size {
            scale: arguments.get("scale")?.unwrap_or(1).max(1),
            nodes: arguments.get("nodes")?,
            steps: arguments.get("steps")?,
        },
    })
}
