//! All flights that left New York City in 2013: which month, airport and route waits longest, and
//! whether who starts late arrives late. Each month is a gzip CSV file that one node reads and
//! three analyses borrow; then the months are merged. A bad file costs its own month, no other.
//!
//! ```sh
//! cargo run --release --example flights            # examples/data/flights
//! cargo run --release --example flights -- DIR     # all *.csv.gz in DIR
//! ```

use anyhow::{Context, bail, ensure};
use csv::StringRecord;
use delayed::{Delayed, delayed};
use flate2::read::MultiGzDecoder;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{self, Display, Formatter, Write as _};
use std::fs::File;
use std::io::{ErrorKind, Write as _, stderr, stdout};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;
use tokio::signal::ctrl_c;

const COLUMNS: [&str; 9] =
    ["month", "day", "carrier", "origin", "dest", "dep_delay", "arr_delay", "air_time", "distance"];

/// A carrier or an airport, `UA` or `JFK`; no `String`, because a year has a million of them.
type Code = [u8; 3];

/// A row. It cannot be cloned and need not be: the analyses borrow the month.
struct Flight {
    month: i64,
    carrier: Code,
    origin: Code,
    dest: Code,
    /// In minutes; `None` if it never left.
    dep_delay: Option<i64>,
    arr_delay: Option<i64>,
}

/// The number of flights and the sum of their delays, for each group of flights.
type Delays<K> = BTreeMap<K, [i64; 2]>;
/// The sums of 1, x, y, x², y² and xy, where x and y are the delays at departure and at arrival.
type Moments = [i64; 6];

#[derive(Clone)]
pub(crate) struct Summary {
    rows: usize,
    airports: Delays<(i64, Code)>,
    routes: Delays<[Code; 3]>,
    moments: Moments,
}

#[delayed]
fn read_month(path: PathBuf) -> Result<Vec<Flight>, BadFile> {
    let mut line = 0;
    parse(&path, &mut line).map_err(|cause| BadFile { path, line, cause })
}

#[delayed]
fn by_airport(flights: &[Flight]) -> Delays<(i64, Code)> {
    delays(flights, |flight| (flight.month, flight.origin))
}

#[delayed]
fn by_route(flights: &[Flight]) -> Delays<[Code; 3]> {
    delays(flights, |flight| [flight.carrier, flight.origin, flight.dest])
}

#[delayed]
fn moments(flights: &[Flight]) -> Moments {
    let mut moments = [0; 6];
    for (x, y) in flights.iter().filter_map(|flight| flight.dep_delay.zip(flight.arr_delay)) {
        add(&mut moments, [1, x, y, x * x, y * y, x * y]);
    }
    moments
}

#[delayed]
fn summarize(
    flights: &[Flight],
    airports: Delays<(i64, Code)>,
    routes: Delays<[Code; 3]>,
    moments: Moments,
) -> Summary {
    Summary { rows: flights.len(), airports, routes, moments }
}

#[delayed]
pub(crate) fn merge(mut a: Summary, b: Summary) -> Summary {
    a.rows += b.rows;
    b.airports.into_iter().for_each(|(key, delays)| add(a.airports.entry(key).or_default(), delays));
    b.routes.into_iter().for_each(|(key, delays)| add(a.routes.entry(key).or_default(), delays));
    add(&mut a.moments, b.moments);
    a
}

/// The graph of one month. Nothing is read yet.
pub(crate) fn month(path: PathBuf) -> Delayed<Summary> {
    let flights = read_month(path);
    summarize(&flights, by_airport(&flights), by_route(&flights), moments(&flights))
}

#[tokio::main]
async fn main() -> ExitCode {
    tokio::select! {
        result = run() => result.unwrap_or_else(|error| {
            complain(format_args!("{error:#}"));
            ExitCode::FAILURE
        }),
        // The future of `run` is dropped, which withdraws its wishes: no other file is begun.
        _ = ctrl_c() => {
            complain("interrupted");
            ExitCode::from(130)
        }
    }
}

async fn run() -> anyhow::Result<ExitCode> {
    let default = || Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/data/flights");
    let begin = Instant::now();
    let paths = files(&std::env::args_os().nth(1).map_or_else(default, PathBuf::from))?;
    let months: Vec<Delayed<Summary>> = paths.into_iter().map(month).collect();
    let all = months.len();
    let mut good = Vec::with_capacity(all);
    for result in delayed::settle(months).await {
        match result {
            Ok(summary) => good.push(delayed::value(summary)),
            Err(error) => complain(format_args!("{error:?}\n")),
        }
    }
    let read = good.len();
    if let Some(year) = good.into_iter().reduce(merge) {
        let year = year.compute().await?;
        let mut text = report(&year)?;
        let seconds = begin.elapsed().as_secs_f64();
        let rate = year.rows as f64 / seconds / 1e6;
        writeln!(
            text,
            "{read} of {all} files, {} rows in {seconds:.2} s, {rate:.1} million a second",
            year.rows
        )?;
        match stdout().write_all(text.as_bytes()) {
            Err(error) if error.kind() != ErrorKind::BrokenPipe => return Err(error.into()),
            _ => {}
        }
    }
    Ok(if read == all { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Unlike `eprintln!`, does not panic if nobody listens any more.
fn complain(what: impl Display) {
    let _ = writeln!(stderr(), "{what}");
}

fn files(dir: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries = dir.read_dir().with_context(|| format!("cannot read {}", dir.display()))?;
    let mut paths: Vec<_> = entries.map(|entry| Ok(entry?.path())).collect::<std::io::Result<_>>()?;
    paths.retain(|path: &PathBuf| path.to_string_lossy().ends_with(".csv.gz"));
    ensure!(!paths.is_empty(), "no *.csv.gz files in {}", dir.display());
    paths.sort();
    Ok(paths)
}

/// What is wrong with a data file, and in which line.
#[derive(Debug)]
struct BadFile {
    path: PathBuf,
    /// From 1; 0 if the file could not be opened.
    line: u64,
    cause: anyhow::Error,
}

impl Display for BadFile {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.path.display(), self.cause),
            line => write!(f, "{}, line {line}: {}", self.path.display(), self.cause),
        }
    }
}

impl std::error::Error for BadFile {}

/// Keeps `line` at the line that is being read, for the error.
fn parse(path: &Path, line: &mut u64) -> anyhow::Result<Vec<Flight>> {
    let mut csv = csv::Reader::from_reader(MultiGzDecoder::new(File::open(path)?));
    *line = 1;
    ensure!(csv.headers()? == COLUMNS[..], "the columns are not {}", COLUMNS.join(","));
    let mut flights = Vec::new();
    let mut row = StringRecord::new();
    loop {
        *line = csv.position().line();
        if !csv.read_record(&mut row)? {
            ensure!(!flights.is_empty(), "there are no flights in this file");
            return Ok(flights);
        }
        flights.push(Flight {
            month: number(&row, 0)?
                .filter(|month| (1..=12).contains(month))
                .context("month is not 1 to 12")?,
            carrier: code(&row, 2)?,
            origin: code(&row, 3)?,
            dest: code(&row, 4)?,
            dep_delay: number(&row, 5)?,
            arr_delay: number(&row, 6)?,
        });
    }
}

/// `None` where it is unknown. Within 16 bits, so that no sum of squares overflows.
fn number(row: &StringRecord, column: usize) -> anyhow::Result<Option<i64>> {
    match &row[column] {
        "NA" => Ok(None),
        text => match text.parse::<i16>() {
            Ok(number) => Ok(Some(number.into())),
            Err(error) => bail!("{} is {text:?}: {error}", COLUMNS[column]),
        },
    }
}

fn code(row: &StringRecord, column: usize) -> anyhow::Result<Code> {
    match *row[column].as_bytes() {
        [a, b] => Ok([a, b, b' ']),
        [a, b, c] => Ok([a, b, c]),
        _ => bail!("{} is {:?}, which is no code of two or three letters", COLUMNS[column], &row[column]),
    }
}

fn add<const N: usize>(sums: &mut [i64; N], more: [i64; N]) {
    sums.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
}

fn delays<K: Ord>(flights: &[Flight], key: impl Fn(&Flight) -> K) -> Delays<K> {
    let mut delays = BTreeMap::new();
    for flight in flights {
        if let Some(delay) = flight.dep_delay {
            add(delays.entry(key(flight)).or_default(), [1, delay]);
        }
    }
    delays
}

fn mean([count, sum]: [i64; 2]) -> f64 {
    sum as f64 / count as f64
}

fn correlation(moments: Moments) -> f64 {
    let [n, x, y, xx, yy, xy] = moments.map(|sum| sum as f64);
    (n * xy - x * y) / ((n * xx - x * x) * (n * yy - y * y)).sqrt()
}

fn report(year: &Summary) -> Result<String, fmt::Error> {
    let text = |code: Code| String::from_utf8_lossy(&code).into_owned();
    let mut out = String::from("Mean departure delay in minutes, by month and airport\n\n         ");
    let (months, origins): (BTreeSet<i64>, BTreeSet<Code>) = year.airports.keys().copied().unzip();
    for &origin in &origins {
        write!(out, "{:>7}", text(origin))?;
    }
    writeln!(out, "    all")?;
    for month in months.iter().map(Some).chain([None]) {
        write!(out, "{:>9}", month.map_or("all".to_owned(), i64::to_string))?;
        for origin in origins.iter().map(Some).chain([None]) {
            let mut sums = [0; 2];
            for ((m, o), delays) in &year.airports {
                if month.is_none_or(|month| month == m) && origin.is_none_or(|origin| origin == o) {
                    add(&mut sums, *delays);
                }
            }
            let mean = if sums[0] == 0 { "-".to_owned() } else { format!("{:.1}", mean(sums)) };
            write!(out, "{mean:>7}")?;
        }
        writeln!(out)?;
    }
    let mut worst: Vec<_> = year.routes.iter().filter(|(_, [count, _])| *count >= 100).collect();
    worst.sort_by(|(_, a), (_, b)| mean(**b).total_cmp(&mean(**a)));
    writeln!(out, "\nLongest mean delays of routes with at least 100 departures\n")?;
    for (route, delays) in worst.into_iter().take(10) {
        let [carrier, origin, dest] = route.map(text);
        writeln!(out, "{carrier:>9}   {origin} → {dest} {:7.1} {:6} departures", mean(*delays), delays[0])?;
    }
    writeln!(out, "\nCorrelation of departure and arrival delay: {:.4}", correlation(year.moments))?;
    Ok(out)
}
