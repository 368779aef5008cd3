//! `#[delayed::graph]`: what names mean in all corners of the language, in turn and on several threads.

#![allow(
    clippy::all,
    clippy::pedantic,
    clippy::undocumented_unsafe_blocks,
    nonstandard_style,
    unused,
    dropping_copy_types,
    reason = "forms that people write"
)]

use delayed::__private::graph::share_always;
use delayed::Client;
use std::collections::BTreeMap;
use std::fmt::{Debug, Display};
use std::ops::ControlFlow;

fn id<T>(t: T) -> T {
    t
}
fn len<T>(v: &[T]) -> usize {
    v.len()
}

fn longer(text: String) -> impl Fn(usize) -> usize + Send + Sync {
    move |n| n + text.len()
}

#[derive(Clone, Debug, Default, PartialEq)]
struct Point {
    x: i64,
    y: i64,
    name: String,
}

impl Point {
    #[delayed::graph]
    fn moved(self, other: &Self) -> Self {
        let x = id(self.x + other.x);
        let y = id(self.y + other.y);
        {
            let old = self;
            Self { x, y, ..old }
        }
    }

    #[delayed::graph]
    fn grown(&mut self, by: i64) -> i64 {
        let twice = id(by * 2);
        let thrice = id(by * 3);
        {
            self.x += twice;
            self.y += thrice;
            self.x + self.y
        }
    }

    #[delayed::graph(associated)]
    fn of<T: Into<i64> + Copy + Send + Sync>(x: T, y: T) -> Result<Point, String> {
        let a: i64 = id(x).into();
        let b: i64 = id(y).into();
        let name = if a > b { Err(format!("{a} > {b}")) } else { Ok(format!("{a}/{b}")) }?;
        Ok(Self { x: a, y: b, name })
    }
}

#[delayed::graph]
fn shadowed_in_closures(x: i64) -> i64 {
    let y = id(x + 1);
    let f = |x: i64| {
        let y = x * 2;
        move |z: i64| x + y + z
    };
    let g = id(|x: (i64, i64)| {
        let (x, y) = x;
        x - y
    });
    let z = f(y)(x);
    z + g((y, x)) + y
}

#[delayed::graph]
fn shadowed_in_arms(x: Option<i64>, y: Result<i64, i64>) -> i64 {
    let a = match (x, y) {
        (Some(x), Ok(y)) if x > y => x - y,
        (Some(y), Err(x)) | (Some(x), Ok(y)) => id(x * y),
        (None, Ok(x) | Err(x)) => x,
    };
    let b = match y {
        y @ Ok(_) => y.unwrap_or(3),
        Err(y) if id(y) > 0 => y,
        y => i64::from(y.is_ok()),
    };
    let c = match x {
        ref x @ Some(ref y) if *y > a => id(x.unwrap_or(1) + y),
        Some(a @ 1..=9) => a,
        _ => a,
    };
    a + b * c
}

#[delayed::graph]
fn shadowed_in_chains(x: Option<i64>, y: i64) -> i64 {
    let a = if let Some(x) = x
        && let y = id(x + y)
        && y > 3
    {
        x + y
    } else if let Some(y) = x {
        y
    } else {
        id(y)
    };
    let b = {
        let mut x = x;
        let mut n = 0;
        while let Some(y) = x {
            n += y;
            x = if y > 0 { Some(y - 1) } else { None };
        }
        n + y
    };
    let Some(c) = x.map(|x| x + y) else {
        return a + b + y;
    };
    a + b + c
}

#[delayed::graph]
fn shadowed_in_blocks(x: i64) -> i64 {
    let y = id({
        let x = x + 1;
        x + {
            let x = x * 2;
            id(x)
        }
    });
    let z = id(x);
    let x = {
        let (y, x) = (x, y);
        y * 3 + x
    };
    x + y + z
}

#[delayed::graph]
fn labels(n: i64) -> i64 {
    let a = 'outer: loop {
        let mut i = 0;
        loop {
            i += 1;
            if i > n {
                break 'outer i * 2;
            }
            if i % 2 == 0 {
                continue;
            }
        }
    };
    let b = 'b: {
        if a > n {
            break 'b a;
        }
        for i in 0..n {
            if i == 4 {
                break 'b i;
            }
        }
        n
    };
    let c = loop {
        break id(n);
    };
    a + b + c
}

#[delayed::graph]
fn macros(n: i64, w: usize) -> String {
    let v = vec![n; w];
    let u = vec![n, n + 1, id(w as i64)];
    let s = format!("{n:>w$}|{:>1$}|{:.*}|{n:?}|{{n}}|{named}", n, w, 1.5, named = id(n));
    let t = format!("{0} {0:?} {w} {n:+}", v.len());
    let m = matches!(n, 1..=9 | 20 if w > 2);
    let d = std::convert::identity(format_args!("{s}{t}").to_string());
    assert!(n < 100, "{n} {w:?} {}", v.len());
    assert_eq!(u.len(), 3, "{u:?}");
    debug_assert_ne!(w, 1000);
    let e = concat!("a", "b").len() + line!() as usize * 0;
    let k = id(&d).len();
    format!("{s}{t}{m}{d}{e}{k}{v:?}{u:?}")
}

#[delayed::graph]
fn updates(base: Point, x: i64) -> (Point, Point) {
    let y = id(base.y + x);
    let a = Point { x, y, ..base.clone() };
    let b = Point { name: a.name.clone(), ..Default::default() };
    let c = id(b.name.len());
    let b = Point { x: c as i64, ..Point::clone(&base) };
    (a, b)
}

#[delayed::graph]
fn refs(pair: (String, Vec<i64>), n: Option<String>) -> usize {
    let (ref text, ref list) = pair;
    let a = id(text.len());
    let b = id(list.len() + text.len());
    let c = if let Some(ref n) = n { n.len() } else { id(a) };
    let d = &id(c);
    let e = id(*d + n.as_ref().map_or(0, |n| n.len()));
    a + b + c + d + e
}

#[delayed::graph]
fn at_patterns(n: Option<i64>, v: &[i64]) -> i64 {
    let whole @ Some(part) = n else { return -1 };
    let [first, rest @ ..] = v else { return -2 };
    let [.., last] = v else { unreachable!() };
    let a = id(whole.map_or(0, |x| x + part));
    let b = id(rest.iter().sum::<i64>() + first);
    a + b * last
}

#[delayed::graph]
fn or_patterns(n: Result<i64, i64>, p: (i64, i64)) -> i64 {
    let (Ok(x) | Err(x)) = n;
    let ((a, _) | (_, a)) = p;
    let b = id(x);
    let c = id(a + x);
    b * c
}

#[delayed::graph]
fn nested_functions(n: i64) -> i64 {
    fn n2(n: i64) -> i64 {
        let m = n * 2;
        m
    }
    struct Wrap(i64);
    impl Wrap {
        fn n(&self) -> i64 {
            self.0
        }
    }
    enum Two {
        One(i64),
        Other,
    }
    use Two::*;
    let m = id(Wrap(n).n());
    let k = {
        fn m(n: i64) -> i64 {
            n + 100
        }
        const n3: i64 = 7;
        m(n) + n3
    };
    let l = match if m > 3 { One(m) } else { Other } {
        One(n) => n,
        Other => n2(n),
    };
    m + k + l
}

#[delayed::graph]
fn raw_names(r#type: i64, r#fn: Vec<i64>) -> String {
    let r#match = id(r#type + 1);
    let r#let = id(r#fn.len());
    let text = format!("{} {}", r#type, r#match);
    let more = format!("{type} {match} {fn:?}");
    let r#type = id(r#let as i64 + r#type);
    format!("{text} {more} {type} {}", r#let)
}

#[delayed::graph]
fn named_like_functions(len: Vec<i64>, id: i64) -> usize {
    let n = self::len(&len);
    let m = self::id(id as usize);
    let len = self::len(&len[1..]) + n;
    let id = self::id(len + m);
    id + n
}

#[delayed::graph]
fn const_generic<const N: usize, const M: usize>(a: [i64; N], b: [i64; M]) -> [i64; N] {
    let sum: i64 = id(b.iter().sum());
    let more = id(N as i64 * M as i64);
    let c: [i64; N] = id(std::array::from_fn(|i| a[i] + sum));
    let d = [more; N];
    std::array::from_fn(|i| c[i] + d[i])
}

#[delayed::graph]
fn wheres<'a, T, F>(items: &'a [T], f: F) -> Vec<&'a T>
where
    T: PartialOrd + Sync + 'a,
    F: Fn(&T) -> bool + Sync + Send,
{
    let a: Vec<&'a T> = items.iter().filter(|x| f(x)).collect();
    let b: Vec<&T> = items.iter().filter(|x| !f(x)).collect();
    let n = id(items.len());
    if a.len() * 2 > n { a } else { b }
}

#[delayed::graph]
fn impl_arguments(
    items: impl Iterator<Item = i64> + Clone + Send + Sync,
    show: &(impl Display + Sync),
) -> String {
    let sum = id(items.clone().sum::<i64>());
    let max = id(items.clone().max());
    let shown = id(show.to_string());
    let again = id(show.to_string().len());
    format!("{sum} {max:?} {shown} {again}")
}

#[delayed::graph]
fn dyn_arguments(f: &(dyn Fn(i64) -> i64 + Sync), d: Box<dyn Debug + Send + Sync>, n: i64) -> String {
    let a = f(n);
    let b = f(n + 1);
    let c = format!("{d:?}");
    let e = format!("{:?}{a}", d);
    format!("{a}{b}{c}{e}")
}

#[delayed::graph]
fn slices(v: &[i64], s: &str, mut_s: &mut [i64]) -> i64 {
    let (left, right) = v.split_at(v.len() / 2);
    let a: i64 = left.iter().map(id).sum();
    let b: i64 = right.iter().map(|x| x + s.len() as i64).sum();
    let c = {
        mut_s[0] = id(1);
        mut_s.iter().sum::<i64>()
    };
    let d = id(&v[1..]);
    a + b + c + d[0]
}

#[delayed::graph]
fn returns_in_closures(v: &[i64]) -> Option<i64> {
    let first = (|| {
        let x = v.first()?;
        if *x > 3 {
            return Some(*x);
        }
        None
    })();
    let all: Option<Vec<i64>> = v.iter().map(|x| Some(id(x.checked_sub(1)?))).collect();
    let sum: Result<i64, String> = v.iter().try_fold(0, |sum, x| {
        if *x < 0 {
            return Err(x.to_string());
        }
        Ok(sum + x)
    });
    let n = sum.ok()?;
    let k = first.or(all?.first().copied())?;
    Some(n + k)
}

#[delayed::graph]
fn question_marks(a: &str, b: Option<&str>) -> Result<i64, String> {
    let x: i64 = a.parse().map_err(|e: std::num::ParseIntError| e.to_string())?;
    let y = b.ok_or("none")?.parse::<i64>().map_err(|e| format!("{e}: {x}"))?;
    let z = {
        let inner = id(Some(x)).ok_or_else(|| "x".to_string())?;
        if inner > 50 {
            return Err(format!("{inner} {a}"));
        }
        inner
    };
    let w = id(if x > 40 { Err("big")? } else { x });
    Ok(x + y + z + w)
}

#[delayed::graph]
fn control(n: i64) -> ControlFlow<String, i64> {
    let a = id(ControlFlow::<String, i64>::Continue(n))?;
    let b = id(if n > 3 { ControlFlow::Break(n.to_string()) } else { ControlFlow::Continue(n) })?;
    let c = id(n);
    ControlFlow::Continue(a + b + c)
}

#[delayed::graph]
fn tuples_and_fields(p: ((i64, Vec<i64>), Point)) -> i64 {
    let a = id(p.0.0);
    let b = id(p.0.1.len() as i64);
    let c = id(p.1.name.len() as i64 + p.1.x);
    let ((d, _), Point { x, ref name, .. }) = p;
    let e = id(d + x + name.len() as i64);
    a + b + c + e
}

#[delayed::graph]
fn assigned(n: i64) -> Vec<i64> {
    let mut v: Vec<i64> = id(vec![n]);
    let w = id(n + 1);
    let v = {
        v.push(w);
        let (mut a, mut b) = (1, 2);
        (a, b) = (b, a);
        [a, b] = [a + n, b + w];
        v.extend([a, b]);
        v
    };
    let total = {
        let mut total = 0;
        for x in &v {
            total += x;
        }
        total
    };
    vec![total, w]
}

#[delayed::graph]
fn patterns_of_arguments(
    Point { x, name: text, .. }: &Point,
    &[a, b]: &[i64; 2],
    (mut c, _): (i64, i64),
) -> i64 {
    let d = id(x + a);
    let e = id(text.len() as i64 + b);
    let c = {
        c += 1;
        c
    };
    c + d * e
}

#[delayed::graph]
fn parenthesized(n: i64) -> i64 {
    let a = (id(n));
    let b = ({ (a) } + (n));
    let c = -id(-b) as i32 as i64;
    let d = !id(c) & a | n ^ b;
    let e = [a, b, c, d][(n as usize) % 4];
    let f = (a..=b).chain(c..).take(3).count() as i64;
    let g = (..c) == (..d);
    e + f + g as i64
}

#[delayed::graph]
fn unsafe_blocks(v: &[i64]) -> i64 {
    let a = unsafe { *v.get_unchecked(0) };
    let b = unsafe { *v.as_ptr().add(1) };
    let c = id(a + b);
    let d = unsafe { id(c) };
    a + b + c + d
}

#[delayed::graph]
fn discards(n: i64, _: i64, _unused: String) -> i64 {
    let _ = id(n);
    let _a = id(n);
    let (_, b) = (id(1), id(n));
    let () = drop(b);
    let _ = { _unused };
    n
}

#[delayed::graph]
fn left_alone(v: Vec<i64>, p: (Vec<i64>, i64), f: impl Fn(usize) -> usize + Send + Sync) -> usize {
    let a = id(v.len() + f(1));
    let b = id(v.len() + f(2) + p.0.len());
    let _ = v;
    let _: Vec<i64> = v;
    let c = id(p.0.len());
    {
        let _: Vec<i64> = v;
        _ = v;
        let ref w: Vec<i64> = v;
        let ref x = v;
        let n;
        (_, n) = p;
        match v {
            _ => {}
        }
        a + b + c + v.len() + w.len() + x.len() + f(3) + f(n as usize) + p.0.len()
    }
}

#[delayed::graph]
fn parts_of_what_is_made(n: i64) -> i64 {
    let name: &str = &*format!("{n}");
    let list: &[i64] = &vec![n, n + 1, n + 2][1..];
    let field = &Point { x: n, ..Default::default() }.x;
    let both = &(id(n), name.len()).1;
    let a = id(list[0] + *field);
    let b = id(name.len() + both);
    a + b as i64
}

#[delayed::graph]
fn qualified(n: i64) -> i64 {
    let a = <i64 as Default>::default() + <i64 as From<i32>>::from(3);
    let b = <Vec<i64>>::from([n]).len() as i64;
    let c = id(<i64>::MAX) - id::<i64>(n);
    let d = [a, b].map(<i64 as std::ops::Neg>::neg);
    a + b + c / 2 + d[0]
}

#[delayed::graph]
fn chained(mut text: String) -> String {
    let text = {
        text.push('a');
        text
    };
    let a = text.len();
    text + &a.to_string()
}

#[delayed::graph]
async fn futures(a: &str, b: Option<i64>) -> Result<i64, String> {
    let x: i64 = async { a.parse::<i64>().map_err(|e| e.to_string()) }.await?;
    let y = async move {
        let b = b?;
        Some(b + x)
    }
    .await;
    let f = async |x: i64| x + y.unwrap_or(1);
    let z = f(x).await;
    let w = if let Some(b) = b { std::future::ready(b).await } else { return Err("none".into()) };
    Ok(x + y.unwrap_or(0) + z + w)
}

macro_rules! info {
    ($($arg:tt)+) => {
        format!($($arg)+)
    };
}

#[delayed::graph]
fn logs(n: i64) -> Result<String, std::fmt::Error> {
    use std::fmt::Write;
    let m = id(n);
    let a = info!("{n} {m:>width$}", width = 4);
    let b = {
        let mut text = String::new();
        write!(text, "{m}{{{n}}}{a}")?;
        writeln!(&mut text, "{} {n:?}", a.len())?;
        text
    };
    let c = dbg!(id(m) + n);
    println!("{c} {a}");
    Ok(info!("{a} {b} {c}"))
}

#[delayed::graph]
fn written(f: &mut String, v: &mut Vec<i64>, n: i64) -> Result<usize, std::fmt::Error> {
    use std::fmt::Write;
    let a = id(n);
    let b = id(n + 1);
    let first = &v[0];
    write!(f, "{a} {b}")?;
    let c = id(*first + a);
    Ok(c as usize)
}

#[delayed::graph]
fn fused_over_an_exit(n: i64) -> Option<Vec<i64>> {
    let a = id(n);
    let b = id(a + 1);
    #[fuse]
    let c = id(vec![n]);
    let d = id(if b > 3 { None } else { Some(vec![b]) })?;
    let e = id([c, d].concat());
    let f = id(n + 2);
    Some([e, vec![f]].concat())
}

macro_rules! made_by_a_macro {
    ($name:ident, $arg:ident, $body:expr) => {
        #[delayed::graph]
        fn $name($arg: i64) -> i64 {
            let hidden = id($arg);
            let more = id($body);
            let last = id(hidden + more);
            last + hidden
        }
    };
}
made_by_a_macro!(from_a_macro, more, more * 2);

fn forms() {
    let client = Client::builder().threads_per_worker(2).build().unwrap();
    let _guard = client.enter();
    let point = |x| Point { x, y: 2, name: "p".into() };
    macro_rules! same {
        ($($function:ident($($arg:expr),*);)*) => {
            $(assert_eq!($function($($arg),*), $function::sequential($($arg),*), stringify!($function($($arg),*)));)*
        };
    }
    for _ in 0..if cfg!(miri) { 1 } else { 50 } {
        same! {
            shadowed_in_closures(3);
            shadowed_in_arms(Some(3), Ok(2));
            shadowed_in_arms(Some(3), Err(2));
            shadowed_in_arms(Some(1), Ok(2));
            shadowed_in_arms(None, Err(-2));
            shadowed_in_chains(Some(3), 2);
            shadowed_in_chains(Some(-3), 2);
            shadowed_in_chains(None, 2);
            shadowed_in_blocks(3);
            labels(5);
            macros(5, 7);
            macros(50, 1);
            updates(point(1), 4);
            refs(("ab".into(), vec![1]), Some("c".into()));
            refs(("ab".into(), vec![1]), None);
            at_patterns(Some(3), &[1, 2, 3]);
            at_patterns(None, &[1, 2, 3]);
            at_patterns(Some(3), &[]);
            or_patterns(Ok(3), (1, 2));
            nested_functions(3);
            nested_functions(4);
            raw_names(3, vec![1, 2]);
            named_like_functions(vec![1, 2, 3], 4);
            const_generic([1, 2, 3], [4, 5]);
            wheres(&[1, 2, 3], |x| *x > 1);
            impl_arguments([1, 2, 3].into_iter(), &"x");
            dyn_arguments(&|x| x + 1, Box::new([1, 2]), 3);
            slices(&[1, 2, 3], "abc", &mut [4, 5]);
            returns_in_closures(&[1, 2, 3]);
            returns_in_closures(&[4, 2, 3]);
            returns_in_closures(&[4, -2, 3]);
            returns_in_closures(&[]);
            question_marks("3", Some("4"));
            question_marks("x", None);
            question_marks("3", None);
            question_marks("3", Some("y"));
            question_marks("60", Some("1"));
            question_marks("45", Some("1"));
            control(3);
            control(4);
            tuples_and_fields(((1, vec![2, 3]), point(4)));
            assigned(3);
            patterns_of_arguments(&point(2), &[3, 4], (5, 6));
            parenthesized(3);
            unsafe_blocks(&[1, 2]);
            discards(3, 4, "x".into());
            qualified(3);
            fused_over_an_exit(2);
            fused_over_an_exit(5);
            written(&mut String::new(), &mut vec![4], 3);
            logs(3);
            parts_of_what_is_made(3);
            left_alone(vec![1, 2], (vec![3], 4), longer("x".into()));
            chained("x".into());
            from_a_macro(3);
        }
        assert_eq!(point(1).moved(&point(2)), point(1).moved_sequential(&point(2)));
        let (mut a, mut b) = (point(1), point(1));
        assert_eq!((a.grown(2), a), (b.grown_sequential(2), b));
        for (x, y) in [(1, 2), (2, 1)] {
            assert_eq!(Point::of(x, y), Point::of_sequential(x, y));
        }
    }
}

#[test]
fn names_mean_what_they_do_in_the_function_as_written() {
    forms();
    share_always(true);
    forms();
    share_always(false);
}

#[tokio::test]
async fn names_in_futures_mean_what_they_do_in_the_function_as_written() {
    for (a, b) in [("1", Some(2)), ("1", None), ("x", Some(2)), ("x", None)] {
        assert_eq!(futures(a, b).await, futures::sequential(a, b).await, "{a} {b:?}");
    }
}
