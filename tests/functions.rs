//! What `#[delayed]` does with functions and methods of all kinds.

#![deny(unused, nonstandard_style, unreachable_pub, missing_debug_implementations)]

use delayed::{Delayed, Status, delayed, value};
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[delayed]
fn inc(x: i64) -> i64 {
    x + 1
}
#[delayed]
fn add(x: i64, y: i64) -> i64 {
    x + y
}

#[test]
fn the_function_stays_callable() {
    assert_eq!(inc::eager(1), 2);
    assert_eq!((1..4).map(inc).reduce(add).unwrap().wait().unwrap(), 9);
}

#[test]
fn values_handles_and_references_are_taken_alike() {
    let x = inc(1);
    let all = [inc(2), inc(&x), inc(x.clone()), add(&x, 1), add(1, x)];
    assert_eq!(delayed::wait(all).unwrap(), [3, 3, 3, 3, 3]);
    let references = [&inc(1), &inc(2)];
    assert_eq!(references.iter().map(inc).sum::<Delayed<i64>>().wait().unwrap(), 7);
}

#[test]
#[allow(clippy::needless_borrows_for_generic_args)]
fn strings_paths_and_slices() {
    #[delayed]
    fn owned(text: String, path: PathBuf, all: Vec<i64>) -> String {
        format!("{text} {} {}", path.display(), all.len())
    }
    #[delayed]
    #[allow(clippy::ptr_arg)]
    fn borrowed(text: &str, path: &Path, all: &[i64], same: &Vec<i64>, string: &String) -> String {
        format!("{text} {} {} {} {string}", path.display(), all.len(), same.len())
    }
    let (text, path) = (value("a".to_string()), value(PathBuf::from("/b")));
    let all = [inc(1), inc(2)];
    assert_eq!(owned("a", "/b", vec![1, 2]).wait().unwrap(), "a /b 2");
    assert_eq!(owned(&text, &path, &all).wait().unwrap(), "a /b 2");
    assert_eq!(owned(&String::from("a"), Path::new("/b"), [&all[0], &all[1]]).wait().unwrap(), "a /b 2");
    let expected = "a /b 2 2 c";
    assert_eq!(borrowed("a", "/b", vec![1, 2], vec![1, 2], "c".to_string()).wait().unwrap(), expected);
    assert_eq!(borrowed(&text, &path, &all, &all[..], value("c".to_string())).wait().unwrap(), expected);
    assert_eq!(borrowed(text, path, &[1, 2][..], value(vec![1, 2]), "c").wait().unwrap(), expected);
}

#[test]
fn collections_of_handles() {
    #[delayed]
    fn rows(rows: Vec<Vec<i64>>, array: [i64; 2], pair: (i64, &'static str)) -> i64 {
        rows.concat().iter().sum::<i64>() + array[0] * array[1] + pair.0
    }
    let two = inc(1);
    let nested = vec![vec![inc(0), two.clone()], vec![], vec![inc(2)]];
    assert_eq!(rows(nested, [&two, &two], (&two, value("x"))).wait().unwrap(), 12);
    assert_eq!(rows(vec![vec![1]], [1, 2], (3, "x")).wait().unwrap(), 6);
    assert_eq!(rows(value(vec![vec![1]]), [inc(0), inc(1)], (inc(2), "x")).wait().unwrap(), 6);

    #[delayed]
    fn three(a: Vec<i64>, b: Vec<i64>, c: &[i64]) -> Vec<usize> {
        vec![a.len(), b.len(), c.len(), a.iter().chain(&b).chain(c).sum::<i64>() as usize]
    }
    let many = |n: i64| (0..n).map(inc).collect::<Vec<_>>();
    let sum = |n: usize| n * (n + 1) / 2;
    let mut sizes = vec![(0, 0, 0), (3, 2, 1)];
    if !cfg!(miri) {
        sizes.extend([(64, 64, 64), (65, 0, 500), (0, 65, 3)]);
    }
    for (a, b, c) in sizes {
        let expected = vec![a, b, c, sum(a) + sum(b) + sum(c)];
        let node = three(many(a as i64), many(b as i64), many(c as i64));
        let mut edges = node.graph().edges;
        edges.retain(|edge| edge.to == a + b + c);
        assert_eq!(
            [("a", a), ("b", b), ("c", c)].map(|(name, n)| edges
                .iter()
                .filter(|edge| edge.param == name)
                .count()
                == n),
            [true; 3]
        );
        assert_eq!(node.wait().unwrap(), expected);
    }
}

#[test]
fn trait_objects() {
    trait Shape: Send + Sync {
        fn area(&self) -> f64;
    }
    struct Square(f64);
    impl Shape for Square {
        fn area(&self) -> f64 {
            self.0 * self.0
        }
    }
    #[delayed]
    fn make(side: f64) -> Box<dyn Shape> {
        Box::new(Square(side))
    }
    #[delayed]
    fn area(shape: &dyn Shape) -> f64 {
        shape.area()
    }
    let shape = make(2.0);
    let shared: Arc<dyn Shape> = Arc::new(Square(3.0));
    let all = [area(&shape), area(shape), area(value(shared.clone())), area(shared)];
    assert_eq!(delayed::wait(all).unwrap(), [4.0, 4.0, 9.0, 9.0]);
}

#[test]
fn generic_functions() {
    #[delayed]
    fn same<T: Clone + Send + Sync + 'static>(x: T, y: &T) -> (T, T) {
        (x, y.clone())
    }
    #[delayed]
    fn sum<const N: usize>(all: [f64; N]) -> f64 {
        all.iter().sum()
    }
    #[delayed]
    fn show(x: impl std::fmt::Display) -> String {
        x.to_string()
    }
    #[delayed]
    fn longest<'a, 'b: 'a>(x: &'a str, y: &'b str) -> usize {
        x.len().max(y.len())
    }
    fn generic<T: Clone + Send + Sync + 'static>(x: &Delayed<T>) -> Delayed<(T, T)> {
        same(x, x)
    }
    assert_eq!(same(inc(1), inc(2)).wait().unwrap(), (2, 3));
    assert_eq!(same("a", "b").wait().unwrap(), ("a", "b"));
    assert_eq!(same::<i64>(1, inc(0)).wait().unwrap(), (1, 1));
    assert_eq!(generic(&inc(1)).wait().unwrap(), (2, 2));
    assert_eq!(sum([1.0, 2.0]).wait().unwrap(), 3.0);
    assert_eq!(show(inc(1)).wait().unwrap(), "2");
    assert_eq!(longest("a", value("bc".to_string())).wait().unwrap(), 2);
    assert_eq!(sum::eager([1.0]), 1.0);
}

#[test]
fn patterns() {
    #[delayed]
    fn patterns((a, b): (i32, i32), mut c: i32, _: u8, [d, e]: [i32; 2]) -> i32 {
        c += a + b;
        c + d + e
    }
    assert_eq!(patterns((1, 2), 3, 4, [5, 6]).wait().unwrap(), 17);
    assert_eq!(patterns::eager((1, 2), 3, 4, [5, 6]), 17);
}

#[tokio::test]
async fn asynchronous_functions() {
    #[delayed]
    async fn fetch(from: &str, times: usize) -> Result<String, std::io::Error> {
        tokio::task::yield_now().await;
        if times == 0 {
            return Err(std::io::ErrorKind::NotFound.into());
        }
        Ok(from.repeat(times))
    }
    #[delayed]
    async fn nothing() {}
    let name = value("ab".to_string());
    assert_eq!(fetch(&name, 2).map(|s| s.len()).await.unwrap(), 4);
    assert_eq!(fetch::eager("a", 3).await.unwrap(), "aaa");
    let error = fetch(name, 0).await.unwrap_err();
    assert_eq!(error.downcast_ref::<std::io::Error>().unwrap().kind(), std::io::ErrorKind::NotFound);
    nothing().await.unwrap();
}

#[test]
fn blocking_functions_run_beside_the_loops() {
    use std::sync::Barrier;
    #[delayed(blocking)]
    fn meet(barrier: Arc<Barrier>) -> bool {
        barrier.wait().is_leader()
    }
    let client = delayed::Client::builder().threads_per_worker(1).build().unwrap();
    let _guard = client.enter();
    let barrier = Arc::new(Barrier::new(5));
    let all: Vec<_> = (0..5).map(|_| meet(barrier.clone())).collect();
    assert_eq!(delayed::wait(all).unwrap().iter().filter(|leads| **leads).count(), 1);
}

#[test]
fn names() {
    #[delayed(name = "load table")]
    fn load(x: i64) -> i64 {
        x
    }
    let (a, b) = (load(1), load(2));
    assert_eq!(a.name(), "load table");
    assert!(a.key().starts_with("load table-") && a.key() != b.key());
    assert_eq!(format!("{a:?}"), format!("Delayed({:?})", a.key()));
    let key = a.key();
    a.compute_ref_now();
    assert_eq!(a.key(), key);
    assert_eq!(a.named("mine").name(), "mine");
    assert_eq!(value(1).named("answer").name(), "answer");
    assert_eq!(b.status(), Status::Lazy);
}

trait ComputeNow {
    fn compute_ref_now(&self);
}

impl<T: Send + Sync + 'static> ComputeNow for Delayed<T> {
    fn compute_ref_now(&self) {
        self.wait_ref().unwrap();
    }
}

mod shapes {
    use delayed::delayed;

    #[derive(Clone, Debug, PartialEq)]
    pub(crate) struct Matrix(pub(crate) Vec<f64>);

    #[delayed]
    impl Matrix {
        pub(crate) fn new(all: Vec<f64>) -> Self {
            Matrix(all)
        }
        pub(crate) fn scale(&self, k: f64) -> Self {
            Matrix(self.0.iter().map(|x| x * k).collect())
        }
        pub(crate) fn norm(&self) -> f64 {
            self.0.iter().map(|x| x * x).sum::<f64>().sqrt()
        }
        pub(crate) fn plus(self, other: &Matrix) -> Matrix {
            Matrix(self.0.iter().zip(&other.0).map(|(a, b)| a + b).collect())
        }
        pub(crate) fn first(&self) -> Result<f64, String> {
            self.0.first().copied().ok_or_else(|| "it is empty".to_string())
        }
        pub(crate) async fn later(&self) -> usize {
            tokio::task::yield_now().await;
            self.0.len()
        }
        #[delayed(skip)]
        pub(crate) fn map(&self) {}
        pub(crate) fn push(&mut self, x: f64) {
            self.0.push(x);
        }
    }
}

#[test]
fn methods_of_an_impl_block() {
    use shapes::{Matrix, MatrixDelayed};
    let mut plain = Matrix::new(vec![3.0]);
    plain.push(4.0);
    plain.map();
    let matrix = value(plain);
    assert_eq!(matrix.scale(2.0).norm().wait().unwrap(), 10.0);
    assert_eq!(matrix.scale(matrix.norm()).plus(&matrix).wait().unwrap(), Matrix(vec![18.0, 24.0]));
    assert_eq!(matrix.later().wait().unwrap(), 2);
    assert_eq!(matrix.first().wait().unwrap(), 3.0);
    let error = value(Matrix(vec![])).first().wait().unwrap_err();
    assert_eq!(error.to_string(), "`first` failed: it is empty");
    assert!(error.node().file().ends_with("functions.rs"));
}

#[test]
fn attributes_stay() {
    /// Documented.
    #[delayed]
    #[inline]
    #[must_use]
    #[allow(clippy::needless_return)]
    fn documented(x: i64) -> i64 {
        return x;
    }
    #[delayed]
    #[cfg(any())]
    fn absent() -> NoSuchType {}
    macro_rules! made {
        ($name:ident, $t:ty, $body:expr) => {
            #[delayed]
            fn $name(x: $t) -> $t {
                x + $body
            }
        };
    }
    made!(plus_four, i64, 4);
    #[delayed]
    fn r#match(r#type: i64) -> i64 {
        r#type
    }
    assert_eq!(r#match(plus_four(documented(1))).wait().unwrap(), 5);
    assert_eq!(r#match(1).name(), "match");
}

#[delayed(eager = "load_now")]
fn load(x: i64) -> i64 {
    x
}
mod load {}

#[test]
fn a_module_of_the_same_name() {
    assert_eq!(load(1).wait().unwrap() + load_now::eager(1), 2);
}

#[test]
fn sixteen_parameters() {
    #[delayed]
    #[allow(clippy::too_many_arguments)]
    fn many(
        a: u8,
        b: u8,
        c: u8,
        d: u8,
        e: u8,
        f: u8,
        g: u8,
        h: u8,
        i: u8,
        j: u8,
        k: u8,
        l: u8,
        m: u8,
        n: u8,
        o: u8,
        p: u8,
    ) -> u8 {
        a + b + c + d + e + f + g + h + i + j + k + l + m + n + o + p
    }
    let one = value(1u8);
    let sum = many(&one, 1, &one, 1, &one, 1, &one, 1, &one, 1, &one, 1, &one, 1, &one, 1);
    assert_eq!(sum.wait().unwrap(), 16);
}

#[test]
fn plain_functions_and_closures() {
    assert_eq!(delayed::call(f64::max, (value(1.0), 2.0)).wait().unwrap(), 2.0);
    let k = 3;
    let node = delayed::call(move |x: i64| x * k, (inc(1),));
    assert_eq!(node.graph().nodes.last().unwrap().line, line!() - 1);
    assert_eq!(node.wait().unwrap(), 6);
    let later = delayed::call_async(|x: i64, y: i64| async move { x - y }, (inc(1), 1));
    assert_eq!(later.wait().unwrap(), 1);
}
