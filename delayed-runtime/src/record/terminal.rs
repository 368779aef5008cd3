//! A report for a terminal: at most 40 lines of 100 columns.

use super::report::{Report, Step, ratio};
use crate::units::{bytes, count, percent, place, time};
use crate::visible;
use std::cmp::Reverse;
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

const COLUMNS: usize = 100;
/// The most rows of the tables.
const FUNCTIONS: usize = 5;
const STEPS: usize = 5;
const THREADS: usize = 8;
const NAME: usize = 28;
const BAR: f64 = 40.0;

/// Steps of the critical path that follow each other and are of one function.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stretch {
    pub(super) name: String,
    /// File and line.
    pub(super) place: String,
    pub(super) steps: usize,
    pub(super) time: Duration,
    pub(super) share: f64,
}

/// The path in few stretches: those with the most time, in their order, and how many others there are.
pub(super) fn stretches(path: &[Step], most: usize) -> (Vec<Stretch>, usize) {
    let same = |a: &Step, b: &Step| (&a.name, a.file, a.line) == (&b.name, b.file, b.line);
    let all: Vec<Stretch> = path
        .chunk_by(same)
        .map(|steps| Stretch {
            name: steps[0].name.clone(),
            place: place(steps[0].file, steps[0].line),
            steps: steps.len(),
            time: steps.iter().map(|step| step.time).sum(),
            share: steps.iter().map(|step| step.share).sum(),
        })
        .collect();
    let mut by_time: Vec<usize> = (0..all.len()).collect();
    by_time.sort_by_key(|&at| Reverse(all[at].time));
    by_time.truncate(most);
    by_time.sort_unstable();
    (by_time.iter().map(|&at| all[at].clone()).collect(), all.len() - by_time.len())
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        writeln!(f, "Why is it not faster?  {}\n", summary(self))?;
        writeln!(
            f,
            "  work {}, span {}, parallelism {:.1}; speed-up {:.2} with {} {}\n",
            time(self.work),
            time(self.span),
            self.parallelism(),
            self.speedup(),
            self.client_threads,
            if self.client_threads == 1 { "thread" } else { "threads" }
        )?;
        for advice in &self.advice {
            writeln!(f, "  - {}", wrapped(advice, COLUMNS - 4).join("\n    "))?;
        }
        if self.advice.is_empty() {
            writeln!(f, "  - {}", nothing(self))?;
        }
        if self.started == 0 {
            return Ok(());
        }
        writeln!(f, "\nwhere the time of the client's threads went")?;
        for (name, part) in self.spent.parts() {
            let share = ratio(part, self.spent.total());
            if share >= 0.0005 {
                let bar = "█".repeat((share * BAR).round() as usize);
                let line = format!("  {name:<13}{:>6} {:>8}  {bar}", percent(share), time(part));
                writeln!(f, "{}", line.trim_end())?;
            }
        }
        functions(self, f)?;
        let (stretches, others) = stretches(&self.critical_path, STEPS);
        writeln!(
            f,
            "\ncritical path: {} nodes, {}",
            count(self.critical_path.len() as u64),
            time(self.span)
        )?;
        for stretch in stretches {
            let times = match stretch.steps {
                1 => String::new(),
                steps => format!(" ×{}", count(steps as u64)),
            };
            let name = visible::cut(&stretch.name, NAME) + &times;
            writeln!(
                f,
                "  {:>6} {:>8}  {name:<32}  {}",
                percent(stretch.share),
                time(stretch.time),
                stretch.place
            )?;
        }
        if others > 0 {
            writeln!(f, "  and {} shorter stretches", count(others as u64))?;
        }
        let mut threads = self.threads.clone();
        threads.sort_by_key(|thread| Reverse(thread.busy));
        let shown = threads.iter().take(THREADS).map(|thread| percent(thread.utilisation));
        let more = if threads.len() > THREADS { ", …" } else { "" };
        writeln!(f, "\nthreads busy: {}{more}", shown.collect::<Vec<_>>().join(", "))?;
        let Self { peak, .. } = self;
        let values = count(peak.values as u64);
        writeln!(f, "most alive: {values} values, at least {}, after {}", bytes(peak.bytes), time(peak.time))
    }
}

/// How much there was.
pub(super) fn summary(report: &Report) -> String {
    let failed = match report.failed {
        0 => String::new(),
        failed => format!(", {} failed", count(failed as u64)),
    };
    format!(
        "{} nodes{failed} in {} of {} recorded",
        count(report.started as u64),
        time(report.wanted),
        time(report.recorded)
    )
}

/// What is said where nothing stands out.
pub(super) fn nothing(report: &Report) -> String {
    let busy = ratio(report.spent.functions, report.spent.total());
    format!("nothing stands out: the client's threads ran functions {} of the time", percent(busy))
}

fn functions(report: &Report, f: &mut Formatter<'_>) -> fmt::Result {
    writeln!(
        f,
        "\n{:<NAME$} {:>11} {:>8} {:>8} {:>8} {:>8} {:>9} {:>9}",
        "function", "calls", "total", "mean", "p50", "p99", "bytes ≥", "critical"
    )?;
    for function in report.functions.iter().take(FUNCTIONS) {
        writeln!(
            f,
            "  {:<26} {:>11} {:>8} {:>8} {:>8} {:>8} {:>9} {:>9}",
            visible::cut(&function.name, NAME - 2),
            count(function.calls as u64),
            time(function.total),
            time(function.mean),
            time(function.p50),
            time(function.p99),
            bytes(function.bytes),
            percent(function.critical)
        )?;
    }
    match report.functions.len().saturating_sub(FUNCTIONS) {
        0 => Ok(()),
        1 => writeln!(f, "  and 1 other"),
        others => writeln!(f, "  and {} others", count(others as u64)),
    }
}

/// Lines of at most `columns` characters.
fn wrapped(text: &str, columns: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0;
    for word in text.split(' ') {
        let length = word.chars().count();
        if used > 0 && used + 1 + length > columns {
            lines.push(String::new());
            used = 0;
        }
        let line = lines.len() - 1;
        if used > 0 {
            lines[line].push(' ');
            used += 1;
        }
        lines[line].push_str(word);
        used += length;
    }
    lines
}
