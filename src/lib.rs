//! Turns ordinary functions into lazy, typed task graphs and runs them in parallel on tokio.
//!
//! ```
//! use delayed::{Delayed, delayed};
//!
//! #[delayed]
//! fn inc(x: i64) -> i64 {
//!     x + 1
//! }
//! #[delayed]
//! fn dec(x: i64) -> i64 {
//!     x - 1
//! }
//! #[delayed]
//! fn add(x: i64, y: i64) -> i64 {
//!     x + y
//! }
//!
//! #[tokio::main]
//! async fn main() -> Result<(), delayed::Error> {
//!     let z = add(inc(1), dec(2)); // a graph: nothing has run
//!     assert_eq!(z.compute().await?, 3); // inc and dec run in parallel
//!
//!     let mut layer: Vec<Delayed<i64>> = (0..256).map(inc).collect();
//!     while layer.len() > 1 {
//!         layer = layer.chunks(2).map(|pair| add(&pair[0], &pair[1])).collect();
//!     }
//!     assert_eq!(delayed::compute(layer).await?, vec![32896]);
//!     Ok(())
//! }
//! ```
//!
//! # Making graphs
//!
//! [`#[delayed]`](macro@delayed) on a function makes calls of it build nodes: each returns a
//! handle, [`Delayed<T>`], and takes values and handles alike. The function itself stays callable
//! as `inc::eager(1)`. Handles can be combined with operators (`a + b`, `a * 2`), with
//! [`map`](Delayed::map), [`zip`](Delayed::zip), [`unzip`](Delayed::unzip),
//! [`flatten`](Delayed::flatten), [`after`](Delayed::after), with `sum` and `collect` of iterators,
//! and with [`gather`], which makes one handle of a whole collection. [`value`] makes a node of a
//! value, [`call`] and [`call_async`] of a function that cannot have the attribute.
//!
//! | a parameter of type | takes | and gets the value |
//! |---|---|---|
//! | `T` | a `T`, `Delayed<T>` or `&Delayed<T>` | moved if it is the last consumer, else cloned |
//! | `T` | [`handle.sole()`](Delayed::sole) | moved; an error when it runs if another consumer is left |
//! | `&T`, `&str`, `&[U]`, `&Path`, `&dyn Trait` | the same, and handles of `String`, `Vec<U>`, `PathBuf`, `Box<dyn Trait>`, `Arc<dyn Trait>` | borrowed from its node |
//! | `Vec<U>`, `[U; N]`, `(A, B)` | also collections of handles | as for `U` |
//! | `String`, `PathBuf` | also `&str` and the like | |
//!
//! # Running them
//!
//! [`compute`](Delayed::compute) is a future, and so is a handle (`handle.await`); [`wait`](Delayed::wait)
//! blocks; [`persist`](Delayed::persist) runs in the background. The free functions [`compute`](compute()),
//! [`wait`](wait()), [`persist`](persist()), [`settle`] take collections of handles of any shape and give that shape
//! back; [`as_completed`] yields handles as they end. Every node runs at most once and keeps its result as long as somebody can
//! reach it. Without a [`Client`], a global one with a thread for each core is used.
//!
//! A node that fails or panics fails what needs it, with one [`Error`] that says which node, where
//! it is defined, who needed it and why; everything else goes on. [`compute`](compute()) ends with the
//! first failure. [`settle`] and [`as_completed`] run all that can run, and the error of a node with
//! several failed inputs lists them: [`Error::others`]. Dropping a future of `compute`
//! withdraws the wish: what has not started, and nobody else wants, does not start.
//!
//! # Pictures
//!
//! `z.visualize("graph.svg")` draws the graph of a handle, [`visualize`] that of a collection; the
//! file's ending names the format. PNG needs the feature `png`, and nothing has to be installed. A
//! [`Style`] chooses the direction, what colours mean, and whether values and parameters are drawn.
//! [`graph`](Delayed::graph) is the same as plain data.
//!
//! # Policies
//!
//! Options of [`#[delayed]`](macro@delayed) say how a function is to be run: `retries`, with `backoff` and
//! `retry_if`; `timeout`; `resource`, of what a [client](ClientBuilder::resource) has; `priority`;
//! `blocking`; and `pure`, which makes equal calls one node. [`timeout`](Delayed::timeout),
//! [`priority`](Delayed::priority) and [`named`](Delayed::named) change a single node.
//!
//! ```
//! # use delayed::delayed;
//! # #[derive(Clone)] struct Pool;
//! # impl Pool { async fn get(&self, _: &str) -> Result<String, std::io::Error> { Ok(String::new()) } }
//! #[delayed(retries = 3, backoff = "200ms", timeout = "30s", resource("connections", 1))]
//! async fn fetch(pool: &Pool, url: &str) -> Result<String, std::io::Error> {
//!     pool.get(url).await
//! }
//! ```
//!
//! # Graphs at compile time
//!
//! [`#[delayed::graph]`](macro@graph) is for a graph that is the same at every call. The `let` statements of a
//! function are its nodes; the compiler knows which needs which, and a call runs those at the same time that do not
//! need each other:
//!
//! ```
//! # struct Score { ease: f64, repeated: String }
//! # fn tokenize(text: &str) -> Vec<&str> { text.split(' ').collect() }
//! # fn sentences(text: &str) -> usize { text.split(". ").count() }
//! # fn syllables(words: &[&str]) -> usize { words.len() }
//! # fn flesch(words: usize, sentences: usize, syllables: usize) -> f64 { (words * sentences * syllables) as f64 }
//! # fn longest_repeat(words: &[&str]) -> String { words[0].to_owned() }
//! #[delayed::graph]
//! fn score(text: &str) -> Score {
//!     let words = tokenize(text);
//!     let sentences = sentences(text); // beside `words`
//!     let syllables = syllables(&words);
//!     let repeated = longest_repeat(&words); // beside `syllables`
//!     let ease = flesch(words.len(), sentences, syllables);
//!     Score { ease, repeated }
//! }
//!
//! let scored = score("A text. A short text.");
//! assert_eq!(scored.ease, score::sequential("A text. A short text.").ease);
//! assert_eq!((score::NODES, score::SPAN), (6, 4));
//! println!("{}", score::DOT);
//! ```
//!
//! It is called like any function: it takes what it takes, may borrow it, and returns its value and no handle.
//! A call allocates nothing for the graph, and one that takes less than about 2 µs runs as it was written. What
//! it asks in return: several statements can only borrow the same binding, a `mut` one is changed inside a single
//! statement, and what has to happen in a certain order for other reasons than its value is written without
//! `let`. The attribute's docs say it all; the example `score` measures it.
//!
//! | | `#[delayed]` | `#[delayed::graph]` |
//! |---|---|---|
//! | nodes are | calls | statements of one function |
//! | their number | depends on data, up to millions | is known when the program is compiled |
//! | a call gives | a handle, to be combined, named, drawn, cancelled | the value |
//! | arguments | are owned by the graph | may be borrowed |
//! | a node costs | tens of nanoseconds | some nanoseconds, or nothing |
//! | errors | fail what needs the node, and name it | are returned, as by any function |
//!
//! # Looking at graphs
//!
//! [`visualize`] draws what handles reach. [`explain`] and [`Delayed::explain`] count it: how many nodes would
//! run, the longest chain, the widest layer, and how many could run at the same time. [`Delayed::graph`] gives
//! nodes and edges as plain data, which the feature `serde` saves and reads back, and the feature `petgraph`
//! converts for petgraph's algorithms: see [`Graph`].
//!
//! # Watching a run
//!
//! With the feature `progress`, `progress(&handles)` shows bars on a terminal, below the program's own if
//! `progress_on` is given them. [`Client::progress`] is a stream of numbers for other interfaces, and [`metrics`]
//! gives those of the process in Prometheus' format. All of them read [`Events`], as other tools can: what
//! happens to each node, when and on which thread. A reader never holds up what it reads; one that is
//! slow loses events and is told how many, and [`Events::counts`] stays exact. While nobody reads, a node
//! costs one branch more.
//!
//! # Why is it not faster
//!
//! [`Client::record`] (or [`record`] for all clients) keeps what happens to nodes, and
//! [`finish`](Recording::finish) makes a [`Report`] of it: work, span and the critical path with the place of
//! each function, times by function and thread, where the time of the threads went, and what would help.
//!
//! ```
//! # use delayed::{Client, Delayed, delayed};
//! # #[delayed]
//! # fn inc(x: i64) -> i64 { x + 1 }
//! # fn main() -> Result<(), delayed::Error> {
//! let client = Client::builder().threads_per_worker(2).build()?;
//! let _guard = client.enter();
//! let recording = client.record();
//! let sum: Delayed<i64> = (0..100).map(inc).sum();
//! sum.wait()?;
//! let report = recording.finish();
//! println!("{report}");
//! assert_eq!(report.functions.iter().find(|f| f.name == "inc").unwrap().calls, 100);
//! # Ok(())
//! # }
//! ```
//!
//! [`save`](Report::save) writes a page, JSON, or a trace for Perfetto. With no change to the program, the
//! environment variable `DELAYED_REPORT=report.html` (or another of these endings) records all clients from the
//! first one on and writes the report when the process returns from `main` or exits; `DELAYED_REPORT=-` prints it
//! to the error stream. A file that is there is overwritten, also by child processes, which inherit the variable.
//! A process that aborts or is killed by a signal writes none.
//!
//! | the time of the client's threads goes to | which is |
//! |---|---|
//! | functions | the own times of nodes: from start to end, without nodes that they ran while they waited |
//! | scheduling | from one node's end to the next one's start on a thread, up to 10 µs |
//! | recording | what each event costs, measured when the recording begins, and taken out of the two above |
//! | handing over | idle although a node was ready, which all its inputs had ended for |
//! | imbalance | idle, no node ready, while functions ran |
//! | waiting | idle, no node ready, while asynchronous or blocking functions had not ended |
//!
//! Only times in which something was wanted count. They are those of a clock on the wall: where other
//! programs have the cores, functions take longer. Asynchronous functions take time but no thread: they are
//! part of the span and not of the work.
//!
//! # Context
//!
//! A node runs on a thread of its client, long after it was made. Thread-locals and task-locals of the
//! place where it was made are not there; what a function needs is an argument, or a shared
//! [`value`]. Inside a function the client that runs it is the current one, so `compute` and `wait` use
//! it. Asynchronous functions are tasks of the client's runtime: `tokio::spawn`, timers and sockets
//! belong to that.
//!
//! With the feature `tracing`, a node that is made while a subscriber is interested has a span `node` of
//! level info and target `delayed`, whose parent is the span around the call that made it. Functions run
//! inside it. Its fields are
//!
//! - `name` and `key`;
//! - `outcome`: `"done"`, `"failed"`, `"panicked"`, `"cancelled"` or `"timed out"`;
//! - `duration`: the seconds from the call of the function to the end of the node, with its attempts and what
//!   it awaits. A node whose function was not called has none.
//!
//! An event in the span tells the end: of level warn with the `error` where a node fails, panics or takes too
//! long, of level debug for all others, also those that fail because of what they need. The example
//! `tracing` prints them.
//!
//! # Features
//!
//! None is on by default.
//!
//! | feature | gives |
//! |---|---|
//! | `progress` | bars on a terminal, by indicatif 0.18 |
//! | `png` | pictures as PNG |
//! | `tracing` | a span for each node |
//! | `serde` | a [`Graph`] is saved and read back |
//! | `petgraph` | a [`Graph`] converts into petgraph 0.8's `DiGraph` |
//!
//! # Restrictions
//!
//! - Values are `Send + Sync + 'static`, because threads share them.
//! - A delayed function cannot borrow mutably or return a borrow, and takes at most 16 parameters.
//! - An argument has no expected type: `inc(x.into())`, `inc(Default::default())`,
//!   `f(iter.collect())` and `f(vec![])` need an annotation such as `f(Vec::<i64>::new())`.
//! - Handles inside a struct, an option or a map make no edges: use [`gather`].
//! - A node that waits, by [`wait`](Delayed::wait), for something that itself needs this node waits
//!   for ever.
//! - The first poll of a future of [`compute`](Delayed::compute) may run functions that have been
//!   short so far. A function that waits for what its caller does next, such as a message, is
//!   `#[delayed(blocking)]`.

#[doc(inline)]
pub use delayed_runtime::{
    AsCompleted, Callable, Client, ClientBuilder, Collection, Colour, Compute, ComputeRef, Delayed, Edge,
    Enter, Error, Event, Events, Explanation, Gather, Graph, GraphNode, IntoAny, IntoAnyRef, IntoArg,
    IntoArgRef, IntoArgs, NodeInfo, Progress, Progressing, Recording, Ref, Report, Settle, Sole, Status,
    Style, Value, as_completed, call, call_async, compute, events, explain, gather, metrics, persist, record,
    settle, value, visualize, visualize_with, wait,
};

/// What [`Events`] tell.
pub mod event {
    #[doc(inline)]
    pub use delayed_runtime::{Counts, Runs, What};
}

/// What a [`Report`] consists of.
pub mod report {
    #[doc(inline)]
    pub use delayed_runtime::{FunctionTimes, Live, Spent, Step, ThreadTimes};
}

#[cfg(feature = "progress")]
#[doc(inline)]
pub use delayed_runtime::{ProgressBars, progress, progress_on};

pub use delayed_macros::{delayed, graph};

#[doc(hidden)]
pub use delayed_runtime::__private;
