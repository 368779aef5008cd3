//! Equal calls of pure functions.

mod support;

use delayed::{Delayed, delayed};
use std::hash::{Hash, Hasher};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use support::soon;

#[delayed(pure)]
fn square(x: i64) -> i64 {
    x * x
}

#[delayed(pure)]
fn join(parts: &[String], by: &str) -> String {
    parts.join(by)
}

#[delayed(pure)]
fn add(x: i64, y: i64) -> i64 {
    x + y
}

static CUBES: AtomicU32 = AtomicU32::new(0);

#[delayed(pure)]
fn cube(x: i64) -> i64 {
    CUBES.fetch_add(1, SeqCst);
    x * x * x
}

#[tokio::test]
async fn equal_calls_are_one_node_and_run_once() {
    let calls = if cfg!(miri) { 30 } else { 1000 };
    let handles: Vec<Delayed<i64>> = (0..calls).map(|i| cube(i % 10)).collect();
    let mut keys: Vec<String> = handles.iter().map(Delayed::key).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 10);
    let values = delayed::compute(&handles).await.unwrap();
    assert_eq!(values[..4], [0, 1, 8, 27]);
    assert_eq!(CUBES.load(SeqCst), 10);
    // Also when they have been computed.
    assert_eq!(cube(5).key(), handles[5].key());
    assert_eq!(*cube(5).try_get().unwrap().unwrap(), 125);
}

#[test]
fn calls_differ_by_values_and_nodes() {
    assert_ne!(add(1, 2).key(), add(2, 1).key());
    let (x, y) = (square(1), square(2));
    let sum = add(&x, &y);
    assert_eq!(sum.key(), add(&x, square(2)).key());
    assert_ne!(sum.key(), add(&y, &x).key());
    assert_ne!(sum.key(), add(&x, 4).key());
    // Two nodes of equal values are two nodes.
    let (one, other) = (delayed::value(1), delayed::value(1));
    let sum = add(&one, 1);
    assert_ne!(sum.key(), add(&other, 1).key());
    assert_ne!(sum.key(), add(1, 1).key());
}

#[test]
fn collections_and_texts_are_compared() {
    let parts: Vec<String> = vec!["a".into(), "b".into()];
    let joined = join(parts.clone(), "-");
    assert_eq!(joined.key(), join(&parts, "-".to_owned()).key());
    assert_ne!(joined.key(), join(&parts, "+").key());
    let n = if cfg!(miri) { 70 } else { 300 };
    let parts: Vec<Delayed<String>> = (0..n).map(|i| delayed::value(i.to_string())).collect();
    let many = join(&parts, ",");
    assert_eq!(many.key(), join(&parts, ",").key());
    assert_ne!(many.key(), join(&parts[1..], ",").key());
}

/// Counts those that are alive.
#[derive(Debug)]
struct Counted(u32, Arc<AtomicU32>);

impl Counted {
    fn new(n: u32, alive: &Arc<AtomicU32>) -> Self {
        alive.fetch_add(1, SeqCst);
        Counted(n, alive.clone())
    }
}

impl Clone for Counted {
    fn clone(&self) -> Self {
        Counted::new(self.0, &self.1)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.fetch_sub(1, SeqCst);
    }
}

impl PartialEq for Counted {
    fn eq(&self, other: &Self) -> bool {
        self.0 == other.0
    }
}

impl Eq for Counted {}

impl Hash for Counted {
    // All are equal to the table, which then has to compare them.
    fn hash<H: Hasher>(&self, _: &mut H) {}
}

#[delayed(pure)]
fn keep(x: Counted) -> Counted {
    x
}

#[delayed(pure)]
fn read(x: &Counted) -> u32 {
    x.0
}

#[tokio::test]
async fn nothing_stays_when_the_handles_are_gone() {
    let alive = Arc::new(AtomicU32::new(0));
    let new = |n| Counted::new(n, &alive);
    let lazy = keep(new(1));
    assert_eq!(lazy.key(), keep(new(1)).key());
    assert_ne!(lazy.key(), keep(new(2)).key());
    drop(lazy);
    assert_eq!(alive.load(SeqCst), 0);

    let handle = keep(new(1));
    let value = handle.compute_ref().await.unwrap();
    drop(handle);
    assert_eq!(value.0, 1);
    drop(value);
    assert_eq!(alive.load(SeqCst), 0);

    // The last consumer moves the value out.
    let value = keep(new(3)).compute().await.unwrap();
    assert_eq!(alive.load(SeqCst), 1);
    drop(value);
    assert_eq!(read(keep(new(4)).persist()).compute().await.unwrap(), 4);
    assert_eq!(read(keep(keep(new(5)).sole())).compute().await.unwrap(), 5);
    drop(keep(new(6)).persist());
    soon(|| alive.load(SeqCst) == 0).await;
}

static TRIES: AtomicU32 = AtomicU32::new(0);

#[delayed(pure)]
fn second_time_lucky(x: u32) -> Result<u32, String> {
    match TRIES.fetch_add(1, SeqCst) {
        0 => Err("not yet".to_owned()),
        _ => Ok(x),
    }
}

#[tokio::test]
async fn a_node_that_has_failed_is_not_found() {
    let failed = second_time_lucky(1);
    failed.compute_ref().await.unwrap_err();
    assert_eq!(second_time_lucky(1).compute().await.unwrap(), 1);
    drop(failed);
    let cancelled = square(-1);
    cancelled.cancel();
    assert_eq!(square(-1).compute().await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_threads_call_compute_and_drop() {
    let (callers, rounds) = if cfg!(miri) { (2, 12) } else { (8, 2000_i64) };
    let callers: Vec<_> = (0..callers)
        .map(|caller| {
            tokio::spawn(async move {
                for i in 0..rounds {
                    let x = square(10_000 + i % 7);
                    let y = add(&x, i % 3);
                    if (i + caller) % 4 == 0 {
                        drop((x, y));
                        continue;
                    }
                    let expected = (10_000 + i % 7).pow(2);
                    if i % 2 == 0 {
                        drop(x);
                        assert_eq!(y.compute().await.unwrap(), expected + i % 3);
                    } else {
                        drop(y.persist());
                        assert_eq!(x.compute().await.unwrap(), expected);
                    }
                }
            })
        })
        .collect();
    for caller in callers {
        caller.await.unwrap();
    }
}

#[delayed(pure)]
async fn fetch(url: String) -> Result<usize, String> {
    Ok(url.len())
}

#[delayed(pure)]
fn largest<T: Ord + Clone + Hash + Send + Sync + 'static>(xs: Vec<T>, least: &T) -> T {
    xs.into_iter().max().filter(|x| x > least).unwrap_or_else(|| least.clone())
}

#[tokio::test]
async fn all_kinds_of_functions_can_be_pure() {
    let (a, b) = (fetch("x"), fetch("x".to_owned()));
    assert_eq!(a.key(), b.key());
    assert_eq!((a + b).compute().await.unwrap(), 2);
    let (a, b) = (largest(vec![1, 2], 0), largest(vec![1, 2], 0));
    assert_eq!(a.key(), b.key());
    assert_ne!(largest(vec![1_u8], 0).key(), largest(vec![1_u16], 0).key());
    assert_eq!(a.compute().await.unwrap(), 2);
}

#[delayed(pure)]
fn width<T: Send + Sync + 'static, const N: usize, const PACKED: bool>() -> usize {
    if PACKED { N } else { N * size_of::<T>() }
}

#[test]
fn what_a_function_is_generic_over_counts() {
    let handle = width::<u32, 2, false>();
    assert_eq!(handle.key(), width::<u32, 2, false>().key());
    for other in [width::<i32, 2, false>(), width::<u32, 3, false>(), width::<u32, 2, true>()] {
        assert_ne!(handle.key(), other.key());
    }
    assert_eq!(handle.wait().unwrap(), 8);
}
