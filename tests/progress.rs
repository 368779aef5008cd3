//! Bars and numbers of what is done.

use delayed::{Client, Delayed, Progress, delayed};
use futures::StreamExt;
use futures::executor::block_on;
use indicatif::{InMemoryTerm, MultiProgress, ProgressBar, ProgressDrawTarget};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, channel};

#[delayed]
fn inc(x: i64) -> i64 {
    x + 1
}
#[delayed]
fn total(numbers: &[i64]) -> i64 {
    numbers.iter().sum()
}
#[delayed]
fn fail(_: i64) -> Result<i64, std::fmt::Error> {
    Err(std::fmt::Error)
}
/// Waits for a message.
#[delayed(blocking)]
fn gate(open: Mutex<Receiver<()>>) -> i64 {
    open.lock().unwrap().recv().map_or(0, |()| 1)
}

fn client() -> Client {
    Client::builder().threads_per_worker(2).build().unwrap()
}

/// A terminal in memory, and bars on it.
fn terminal() -> (InMemoryTerm, MultiProgress) {
    let terminal = InMemoryTerm::new(20, 100);
    let target = ProgressDrawTarget::term_like(Box::new(terminal.clone()));
    (terminal, MultiProgress::with_draw_target(target))
}

/// The line of a bar, with spaces for the bar.
fn line(terminal: &InMemoryTerm, name: &str) -> Vec<String> {
    let contents = terminal.contents();
    let line = contents.lines().find(|line| line.trim_start().starts_with(name));
    let line = line.unwrap_or_else(|| panic!("no {name} in\n{contents}"));
    line.split_whitespace().filter(|word| !word.contains(['█', '░'])).map(str::to_owned).collect()
}

#[test]
fn a_bar_for_each_function_and_one_for_all() {
    let (terminal, bars) = terminal();
    let (client, (open, opens)) = (client(), channel());
    let _guard = client.enter();
    let sum = total((0..100).map(inc).collect::<Vec<_>>());
    let all = &sum + gate(Mutex::new(opens));
    let shown = delayed::progress_on(&bars, &all);
    assert_eq!(sum.wait().unwrap(), 5050);
    let wish = client.persist(&all);
    open.send(()).unwrap();
    assert_eq!(block_on(client.compute(wish)).unwrap(), 5051);
    drop(shown);
    assert_eq!(line(&terminal, "inc"), ["inc", "100", "of", "100"]);
    assert_eq!(line(&terminal, "total"), ["total", "1", "of", "1"]);
    assert_eq!(line(&terminal, "gate"), ["gate", "1", "of", "1"]);
    assert_eq!(line(&terminal, "all")[..4], ["all", "103", "of", "103,"]);
}

#[test]
fn what_was_given_up_stays_open() {
    let (terminal, bars) = terminal();
    let client = client();
    let _guard = client.enter();
    let (one, other) = (inc(1), inc(2));
    one.wait_ref().unwrap();
    let shown = delayed::progress_on(&bars, (&one, &other));
    drop(shown);
    assert_eq!(line(&terminal, "inc"), ["inc", "1", "of", "2"]);
}

#[test]
fn failures_are_counted() {
    let (terminal, bars) = terminal();
    let client = client();
    let _guard = client.enter();
    let sum = inc(inc(fail(1)));
    let shown = delayed::progress_on(&bars, &sum);
    sum.wait().unwrap_err();
    drop(shown);
    assert_eq!(line(&terminal, "inc"), ["inc", "2", "of", "2"]);
    let all = line(&terminal, "all");
    assert_eq!(
        (&all[..4], &all[all.len() - 2..]),
        (&["all", "3", "of", "3,"].map(String::from)[..], &["3", "failed"].map(String::from)[..])
    );
}

#[test]
fn bars_hold_no_node() {
    let (_, bars) = terminal();
    let client = client();
    let _guard = client.enter();
    let source = inc(1);
    let shown = delayed::progress_on(&bars, &source);
    // It would be an error if somebody else could reach the value.
    assert_eq!(total_of(source), 2);
    drop(shown);
}

fn total_of(source: Delayed<i64>) -> i64 {
    inc(source.sole()).map(|x| x - 1).wait().unwrap()
}

#[test]
fn they_stand_below_others() {
    let (terminal, bars) = terminal();
    let own = bars.add(ProgressBar::new(7).with_prefix("mine"));
    own.set_style(indicatif::ProgressStyle::with_template("{prefix} {pos}/{len}").unwrap());
    own.inc(3);
    let client = client();
    let _guard = client.enter();
    let sum = inc(1);
    let shown = delayed::progress_on(&bars, &sum);
    sum.wait().unwrap();
    drop(shown);
    own.tick();
    let contents = terminal.contents();
    assert!(contents.lines().next().unwrap().starts_with("mine 3/7"), "{contents}");
    assert_eq!(line(&terminal, "all")[..4], ["all", "1", "of", "1,"]);
}

#[test]
fn nothing_to_do_and_no_terminal() {
    let client = client();
    let _guard = client.enter();
    drop(delayed::progress(Vec::<Delayed<i64>>::new()));
    let sum = inc(1);
    let shown = delayed::progress(&sum);
    assert_eq!(sum.wait().unwrap(), 2);
    drop(shown);
}

#[test]
fn a_stream_of_numbers() {
    let client = client();
    let mut numbers = client.progress();
    assert_eq!(block_on(numbers.next()), Some(Progress::default()));
    let ten = (0..10).map(inc).collect::<Vec<_>>();
    block_on(client.compute(ten)).unwrap();
    block_on(client.compute(inc(fail(1)))).unwrap_err();
    let ended = loop {
        let now = block_on(numbers.next()).unwrap();
        if now.finished + now.failed == 11 {
            break now;
        }
    };
    assert_eq!((ended.started, ended.running, ended.finished, ended.failed), (11, 0, 10, 1));
    assert_eq!(ended.lost, 0);
    drop(client);
    assert_eq!(block_on(numbers.next()), None);
}
