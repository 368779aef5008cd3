//! `#[delayed::graph]`: all forms give what the function as written gives, in turn and on several threads.

#![allow(
    clippy::let_and_return,
    clippy::needless_return,
    clippy::needless_borrow,
    reason = "forms that people write"
)]

use delayed::__private::graph::share_always;
use delayed::Client;
use std::collections::HashMap;
use std::panic::catch_unwind;

fn id<T>(t: T) -> T {
    t
}
fn len(v: &[i64]) -> usize {
    v.len()
}

#[derive(Clone, Debug, PartialEq)]
struct Pair {
    a: i64,
    b: Vec<i64>,
}

impl Pair {
    fn sum(&self) -> i64 {
        self.a + self.b.iter().sum::<i64>()
    }
    fn into_b(self) -> Vec<i64> {
        self.b
    }
    fn first(&self) -> Option<&i64> {
        self.b.first()
    }

    #[delayed::graph]
    fn weighed(&self, k: i64) -> i64 {
        let sum = id(self.sum() * k);
        let first = id(self.first().copied().unwrap_or(k));
        let both = id(self.a + k);
        sum + first + both
    }

    #[delayed::graph]
    fn split(self, k: i64) -> (i64, Vec<i64>) {
        let b = self.into_b();
        let sum: i64 = b.iter().sum();
        let more: Vec<i64> = b.iter().map(|x| x + k).collect();
        (sum, more)
    }

    #[delayed::graph(associated)]
    fn made(n: i64) -> Pair {
        let b: Vec<i64> = (0..n).collect();
        let a = id(n);
        Pair { a, b }
    }
}

#[delayed::graph]
fn shadows(x: i64) -> i64 {
    let x = id(x + 1);
    let y = id(x * 2);
    let x = id(x + y);
    x - y
}

#[delayed::graph]
fn tuples(x: i64) -> i64 {
    let (a, b) = (id(x), id(x + 1));
    let Pair { a: q, b } = &Pair { a, b: vec![b] };
    let r = id(*q);
    r + b[0]
}

#[delayed::graph]
fn patterns((a, b): (i64, i64), [c, ..]: [i64; 3], mut v: Vec<i64>) -> i64 {
    let d = id(a + c);
    let e = id(b * c);
    let n = {
        v.push(d);
        v.len() as i64
    };
    d + e + n
}

#[delayed::graph]
fn references(n: i64) -> i64 {
    let v: Vec<i64> = (0..n).collect();
    let first = &v[0];
    let m = len(&v) as i64;
    let k = id(first + 1);
    let l = id(*first + m);
    k + l
}

#[delayed::graph]
fn formats(n: i64) -> String {
    let v = vec![n; 3];
    let w = 7usize;
    let s = format!("{v:?} {w:>3} {x}", x = 3);
    let t = format!("{:?} {n:>w$}", v);
    format!("{s}|{t}")
}

#[delayed::graph]
fn closures(n: i64) -> i64 {
    let v: Vec<i64> = (0..n).collect();
    let k = id(3);
    let s: i64 = v.iter().map(|x| x * k).filter(|k| *k > 0).sum();
    let f = |x: i64| x + v.len() as i64 + k;
    let g = move |x: i64| x * k;
    let t = f(s);
    t + f(1) + g(2)
}

#[delayed::graph]
fn shorthand(n: i64) -> Pair {
    let a = id(n);
    let b = vec![a, n];
    let _c = len(&b);
    Pair { a, b }
}

#[delayed::graph]
fn else_returns(s: &str) -> Option<i64> {
    let Ok(x) = s.parse::<i64>() else { return None };
    let y = s.chars().next()?;
    let z = id(x);
    Some(z + y as i64)
}

#[delayed::graph]
fn blocks(n: i64) -> i64 {
    let a = {
        let n = n + 1;
        let q = id(n);
        q * n
    };
    let b = if a > 3 {
        id(a)
    } else {
        let a = 4;
        a
    };
    let c = match b {
        n if n > 2 => n,
        0 => a,
        _ => b,
    };
    let d = 'l: {
        for i in 0..n {
            if i == 3 {
                break 'l i;
            }
        }
        a
    };
    a + b + c + d
}

#[delayed::graph]
fn generic<T, const N: usize>(a: &[T; N], b: T) -> (T, usize)
where
    T: Clone + Send + Sync + PartialOrd,
{
    let m = a[0].clone();
    let n = a.iter().filter(|x| **x > b).count() + N;
    let r = id(b.clone());
    (if r > m { r } else { m }, n)
}

#[delayed::graph]
fn items(n: i64) -> i64 {
    const K: i64 = 3;
    fn h(n: i64) -> i64 {
        n * K
    }
    let a = h(n);
    let b = h(a);
    #[allow(clippy::all)]
    let c = h(n + 1);
    a + b + c
}

#[delayed::graph]
fn lifetimes<'a>(s: &'a str, t: &'a str) -> Vec<&'a str> {
    let a: Vec<_> = s.split(' ').collect();
    let b: Vec<_> = t.split(' ').collect();
    let n = a.len() + b.len();
    let all = {
        let mut all = a.clone();
        all.extend(b.iter());
        all.truncate(n);
        all
    };
    all
}

#[delayed::graph]
fn errors(a: &str, b: &str) -> Result<i64, Box<dyn std::error::Error + Send + Sync>> {
    let x: i64 = id(a).parse()?;
    let y: f64 = id(b).parse()?;
    Ok(x + y as i64)
}

#[delayed::graph]
fn elided(s: &str) -> Option<&str> {
    let first = s.split(' ').next()?;
    let last = s.split(' ').next_back()?;
    let longer = if first.len() > last.len() { first } else { last };
    Some(longer)
}

#[delayed::graph]
fn panics(n: i64) -> i64 {
    let a = if n > 0 { panic!("first") } else { id(n) };
    let b = if n > 1 { panic!("second") } else { id(n) };
    a + b
}

#[delayed::graph]
fn fence(n: i64) -> i64 {
    let a = id(n);
    assert!(a < 10, "a is {a}");
    let b = [0; 10][a as usize];
    a + b
}

#[delayed::graph]
fn early(n: i64) -> i64 {
    if n < 0 {
        return -1;
    }
    let a = id(n);
    let b = id(n + 1);
    if a > 100 {
        return a;
    }
    let c = id(a + b);
    return c + a;
}

#[delayed::graph]
fn infers(s: &str) -> u8 {
    let x = s.parse().unwrap_or_default();
    let y = len(&[]) as u8;
    let z: u8 = x;
    z + y
}

#[delayed::graph]
fn objects(n: i64) -> usize {
    let v = vec![n; 3];
    let d: &(dyn std::fmt::Debug + Send + Sync) = &v;
    let a = format!("{d:?}").len();
    let b = format!("{:#?}", d).len();
    a + b
}

#[delayed::graph]
fn recursive(n: u64) -> u64 {
    if n < 2 {
        return n;
    }
    let a = recursive(n - 1);
    let b = recursive(n - 2);
    a + b
}

#[delayed::graph]
fn last_takes(n: i64) -> (usize, usize, Vec<i64>) {
    let v: Vec<i64> = (0..n).collect();
    let w: Vec<i64> = (0..n).rev().collect();
    let a = len(&v);
    let b = len(&w);
    (a, b, if a > 2 { v } else { w })
}

#[delayed::graph]
fn made_and_borrowed(n: i64) -> i64 {
    let map = &HashMap::from([(n, n + 1)]);
    let a = id(map[&n]);
    let b = id(map.len() as i64);
    a + b
}

#[delayed::graph]
fn matching(n: Option<i64>) -> i64 {
    let is_some = matches!(n, Some(x) if x > 0);
    let v = id(n);
    let w = id(n.is_none());
    i64::from(is_some) + v.unwrap_or(3) + i64::from(w)
}

#[delayed::graph]
fn steered(n: i64) -> i64 {
    #[node]
    let a = n + 1;
    #[fuse]
    let b = id(n * 2);
    let c = id(b + a);
    c + a
}

#[delayed::graph]
fn nothing() {}

#[delayed::graph]
fn only_fences(v: &std::sync::Mutex<Vec<i64>>) {
    v.lock().unwrap().push(1);
    v.lock().unwrap().push(2);
    v.lock().unwrap().push(3);
}

#[delayed::graph]
fn flow(n: i64) -> std::ops::ControlFlow<i64, i64> {
    let a = if n > 3 { std::ops::ControlFlow::Break(n) } else { std::ops::ControlFlow::Continue(n) }?;
    let b = id(n);
    std::ops::ControlFlow::Continue(a + b)
}

#[delayed::graph]
fn prints(text: &str) -> impl Iterator<Item = usize> + use<> {
    let a = text.len();
    let b = id(text.len()) + id(1);
    let c = id(text.len());
    (a..b).chain(0..c)
}

fn all_forms() {
    let client = Client::builder().threads_per_worker(2).build().unwrap();
    let _guard = client.enter();
    let pair = || Pair { a: 3, b: vec![1, 2, 3] };
    let text =
        |n: Result<i64, Box<dyn std::error::Error + Send + Sync>>| n.map_err(|error| error.to_string());
    for _ in 0..if cfg!(miri) { 2 } else { 500 } {
        assert_eq!(shadows(1), shadows::sequential(1));
        assert_eq!(tuples(4), tuples::sequential(4));
        assert_eq!(patterns((1, 2), [3, 4, 5], vec![1]), patterns::sequential((1, 2), [3, 4, 5], vec![1]));
        assert_eq!(references(5), references::sequential(5));
        assert_eq!(formats(5), formats::sequential(5));
        assert_eq!(closures(5), closures::sequential(5));
        assert_eq!(shorthand(5), shorthand::sequential(5));
        assert_eq!(else_returns("12"), else_returns::sequential("12"));
        assert_eq!(else_returns("x"), None);
        assert_eq!(blocks(5), blocks::sequential(5));
        assert_eq!(generic(&[1, 2, 3], 2), (2, 4));
        assert_eq!(items(2), items::sequential(2));
        assert_eq!(lifetimes("a b", "c d"), ["a", "b", "c", "d"]);
        for (a, b) in [("1", "2"), ("1", "x"), ("y", "x"), ("y", "1")] {
            assert_eq!(text(errors(a, b)), text(errors::sequential(a, b)));
        }
        assert_eq!(elided("ab c def"), Some("def"));
        for n in [-3, 1, 200] {
            assert_eq!(early(n), early::sequential(n));
        }
        assert_eq!(infers("7"), 7);
        assert_eq!(objects(5), objects::sequential(5));
        assert_eq!(recursive(8), 21);
        for n in [1, 5] {
            assert_eq!(last_takes(n), last_takes::sequential(n));
        }
        assert_eq!(made_and_borrowed(5), 7);
        assert_eq!(matching(Some(4)), matching::sequential(Some(4)));
        assert_eq!(matching(None), matching::sequential(None));
        assert_eq!(steered(4), steered::sequential(4));
        nothing();
        let v = std::sync::Mutex::default();
        only_fences(&v);
        assert_eq!(v.into_inner().unwrap(), [1, 2, 3]);
        assert_eq!([flow(1), flow(7)], [flow::sequential(1), flow::sequential(7)]);
        assert!(prints("abc").eq(prints::sequential("abc")));
        assert_eq!(pair().weighed(2), pair().weighed_sequential(2));
        assert_eq!(pair().split(2), pair().split_sequential(2));
        assert_eq!(Pair::made(3), Pair::made_sequential(3));
    }
    for _ in 0..if cfg!(miri) { 1 } else { 50 } {
        let said = |result: Result<i64, Box<dyn std::any::Any + Send>>| {
            let panic = result.unwrap_err();
            panic
                .downcast_ref::<&str>()
                .map(|text| text.to_string())
                .or(panic.downcast_ref::<String>().cloned())
        };
        assert_eq!(said(catch_unwind(|| panics(2))).unwrap(), "first");
        assert_eq!(said(catch_unwind(|| fence(12))).unwrap(), "a is 12");
    }
}

#[test]
fn every_form_gives_what_the_function_as_written_gives() {
    all_forms();
    share_always(true);
    all_forms();
    share_always(false);
}

#[delayed::graph]
fn borrowed_by_a_method(path: &str) -> usize {
    let text = id(path.repeat(2));
    let words: Vec<&str> = text.split_whitespace().collect();
    let n = len_of(&words);
    let m = len_of(&words);
    n + m
}
fn len_of(words: &[&str]) -> usize {
    words.len()
}

/// Says when it is dropped.
struct Told<'a>(u32, &'a std::sync::Mutex<Vec<u32>>);

impl Drop for Told<'_> {
    fn drop(&mut self) {
        self.1.lock().unwrap().push(self.0);
    }
}

fn number(told: &Told<'_>) -> u32 {
    told.0
}

#[delayed::graph]
fn drops(told: &std::sync::Mutex<Vec<u32>>, fails: bool) -> Option<u32> {
    let a = Told(1, told);
    let b = Told(2, told);
    let _kept = Told(3, told);
    let c = Told(4, told);
    let x = number(&a) + number(&b);
    let y = number(&b) + number(&c);
    let z = if fails { None } else { Some(number(&a) + number(&c)) }?;
    Some(x + y + z)
}

#[test]
fn shared_values_are_dropped_in_reverse_order() {
    share_always(true);
    for fails in [false, true] {
        let [written, graph] = [drops::sequential, drops].map(|drops| {
            let told = std::sync::Mutex::default();
            assert_eq!(drops(&told, fails).is_none(), fails);
            told.into_inner().unwrap()
        });
        assert_eq!(written, [4, 3, 2, 1]);
        assert_eq!(graph, written);
    }
    share_always(false);
}

#[delayed::graph]
fn fails_as_written(n: i64) -> i64 {
    let a = id(n);
    assert!(a < 3);
    let b = id(n);
    a + b
}

#[test]
fn a_panic_says_what_was_written() {
    share_always(true);
    assert_eq!(borrowed_by_a_method("a b "), 8);
    let panic = catch_unwind(|| fails_as_written(5)).unwrap_err();
    assert_eq!(panic.downcast_ref::<String>().unwrap(), "assertion failed: a < 3");
    share_always(false);
}

#[test]
fn constants_say_what_the_graph_is() {
    assert_eq!((references::NODES, references::SPAN), (6, 4));
    assert_eq!((steered::NODES, steered::SPAN), (3, 3));
    assert_eq!((nothing::NODES, nothing::SPAN), (1, 1));
    assert_eq!((Pair::weighed_NODES, Pair::weighed_SPAN), (4, 2));
    assert_eq!(
        steered::DOT,
        "digraph \"steered\" {\n    node [shape=box, style=rounded];\n    n0 [label=\"a\"];\n    \
         n1 [label=\"b; c\"];\n    n2 [label=\"result\"];\n    n0 -> n1;\n    n0 -> n2;\n    n1 -> n2;\n}\n"
    );
    assert_eq!(
        steered::MERMAID,
        "flowchart TD\n    n0(\"a\")\n    n1(\"b; c\")\n    n2(\"result\")\n    n0 --> n1\n    n0 --> n2\n    n1 --> n2\n"
    );
}

#[delayed::delayed]
#[delayed::graph]
fn node_of_nodes(text: &str, k: i64) -> Result<i64, std::num::ParseIntError> {
    let a: i64 = text.parse()?;
    let b = id(a + k);
    let c = id(a * k);
    Ok(b + c)
}

#[delayed::graph]
#[delayed::delayed(name = "the other order")]
fn other_order(k: i64) -> i64 {
    let b = id(id(k + 1));
    let c = id(id(k + 2));
    b * c
}

#[test]
#[cfg_attr(miri, ignore = "a recording takes minutes there")]
fn a_graph_is_a_node_of_a_graph() {
    let text = delayed::value("3".to_owned());
    let whole = node_of_nodes(&text, other_order(1));
    let recording = delayed::record();
    assert_eq!(whole.wait().unwrap(), 9 + 18);
    let report = recording.finish();
    println!("{report}");
    for name in ["node_of_nodes", "node_of_nodes: b", "node_of_nodes: a", "the other order", "other_order: c"]
    {
        assert!(
            report.functions.iter().any(|function| function.name == name && function.calls == 1),
            "{name}"
        );
    }
    assert_eq!(node_of_nodes::NODES, 4);
    assert_eq!(node_of_nodes::eager("1", 2), node_of_nodes::sequential("1", 2));
    let error = node_of_nodes("x", 1).wait().unwrap_err();
    assert!(error.downcast_ref::<std::num::ParseIntError>().is_some());
}

async fn later<T>(value: T, millis: u64) -> T {
    tokio::time::sleep(std::time::Duration::from_millis(millis)).await;
    value
}

#[delayed::graph]
async fn fetched(a: &str, b: &str) -> Result<i64, std::num::ParseIntError> {
    let x: i64 = later(a, 20).await.parse()?;
    let y: i64 = later(b, 20).await.parse()?;
    let z = later(x + y, 20).await;
    let both = vec![later(x, 1).await, z];
    Ok(both.iter().sum::<i64>() + y)
}

#[delayed::delayed]
#[delayed::graph]
async fn fetched_later(a: String) -> usize {
    let x = later(a.len(), 1).await;
    let y = later(a.len() + 1, 1).await;
    x + y
}

#[tokio::test]
async fn asynchronous_nodes_wait_at_the_same_time() {
    let begin = std::time::Instant::now();
    assert_eq!(fetched("1", "2").await, Ok(6));
    let took = begin.elapsed();
    let begin = std::time::Instant::now();
    assert_eq!(fetched::sequential("1", "2").await, Ok(6));
    // Two of the three waits are at the same time.
    assert!(took < begin.elapsed(), "{took:?}");
    for (a, b) in [("1", "x"), ("y", "x"), ("y", "1")] {
        assert_eq!(fetched(a, b).await, fetched::sequential(a, b).await);
    }
    // It is `Send`, and needs no loop.
    assert_eq!(tokio::spawn(async { fetched("3", "4").await }).await.unwrap(), Ok(14));
    assert_eq!(fetched_later("abc").await.unwrap(), 7);
    assert_eq!(fetched::NODES, 5);
}
