//! The attributes `#[delayed]` and `#[delayed::graph]` of the `delayed` crate.
//!
//! The first goes through three stages with a type each, so that the last one cannot fail:
//!
//! 1. *parse*: the tokens become an `Item` and its `Options`;
//! 2. *check*: a function's signature becomes a `Constructor`, valid by construction. Mistakes are
//!    collected on the way, each at its own token; what rustc reports by itself is left to rustc;
//! 3. *expand*: the constructor becomes tokens. If there were mistakes, its body only has the right
//!    type, so that three mistakes give three errors and calls of the function give none.
//!
//! The generated code holds no logic: a signature, the constant description of the function and one
//! call into `delayed::__private`. What the second generates is said in `graph/mod.rs`.

mod block;
mod expand;
mod function;
mod graph;
mod item;
mod lifetimes;
mod mistakes;
mod options;
mod output;
mod signature;
#[cfg(test)]
mod tests;

use item::Item;
use mistakes::Mistakes;
use options::{Options, Target};
use proc_macro2::TokenStream;
use quote::quote;

/// Makes a function lazy: a call makes a node and returns a `Delayed` handle of its result.
///
/// ```ignore
/// #[delayed]
/// fn add(x: i64, y: i64) -> i64 {
///     x + y
/// }
///
/// let sum: Delayed<i64> = add(1, add(2, 3));
/// assert_eq!(sum.compute().await?, 6);
/// assert_eq!(add::eager(1, 2), 3);
/// ```
///
/// The function keeps its name, visibility, generics, where-clause and docs. It may be `async`. The
/// original stays callable as `add::eager`, a function of a hidden type with the function's name.
///
/// # Parameters
///
/// A parameter `x: T` takes a `T`, a `Delayed<T>` or a reference to one (see `IntoArg` for what
/// else a `Vec`, an array, a pair, a `String` or a `PathBuf` takes). A parameter `x: &T` takes the
/// same and never clones (see `IntoArgRef`). A pattern and `impl Trait` are allowed; `impl Trait`
/// becomes a type parameter after the function's own. Where two borrowed parameters share a
/// lifetime, the constructor has none: a node outlives every borrow.
///
/// Not supported: more than 16 parameters, `&mut`, and `cfg` on a parameter.
///
/// # Return type
///
/// A function whose return type is named `Result` makes a node that can fail: `-> Result<T, E>`
/// gives a `Delayed<T>`, and so does an alias of that name, if its first argument is the value or
/// it has none. A borrow cannot be returned. `impl Trait` needs to be `Send`, `Sync` and `'static`.
///
/// # Options
///
/// | option | on | meaning |
/// |---|---|---|
/// | `name = "…"` | function, method | what drawings, keys and errors call the nodes |
/// | `blocking` | function, method | runs on tokio's blocking pool |
/// | `pure` | function, method | calls with equal arguments are one node, as long as it lives: see below |
/// | `retries = 3` | function, method that returns a `Result` | an `Err` is not final before so many more attempts |
/// | `backoff = "100ms"` | with `retries` | the delay before the second attempt; each one is twice the one before, up to a minute, and by chance up to as much again is added |
/// | `retry_if = is_transient` | with `retries` | a function or closure of a reference to the error: whether it is worth another attempt |
/// | `timeout = "30s"` | function, method | a node that runs for longer fails: see `Delayed::timeout` |
/// | `resource = "gpu"`, `resource("db", 2)` | function, method | runs while it has that much of what the client was built with: see `ClientBuilder::resource` |
/// | `priority = 5` | function, method | of what is ready, goes before nodes with less; 0 is what others have, and below zero it goes last |
/// | `eager = "…"` | function | the name of the hidden type, where it clashes with a module, a crate or a primitive |
/// | `trait = "…"` | `impl` block | the name of the generated trait |
/// | `skip` | method | leaves the method out |
/// | `crate = "…"` | function, `impl` block | the path of the crate `delayed`, if it is not `::delayed` |
///
/// Times are a number with `ns`, `us`, `ms`, `s`, `min` or `h`.
///
/// **Retries.** The arguments have to survive an attempt: what the function takes by value is cloned for
/// each, so it has to be `Clone`; what it borrows is not. A panic is not tried again. Without `backoff`
/// the attempts follow each other at once; the delays of a `backoff` hold no thread.
///
/// **Pure functions.** Parameters have to be `Hash + Eq`, and `Clone` if they are taken by value. Plain
/// arguments are compared by value, handles by their node. The node of an equal call is found as long as
/// something refers to it; nothing is kept for later calls. A node that has failed is not found any
/// more, so that calling again tries again.
///
/// **Time limits and resources.** A function with one of them runs apart from the client's threads: on
/// tokio's blocking pool, or as a task if it is asynchronous.
///
/// # Attributes
///
/// Docs, `deprecated`, `cfg` and lint levels apply to the constructor. Lint levels and all other
/// attributes, such as `inline`, `must_use`, `track_caller` or `tracing::instrument`, apply to the
/// function as written.
///
/// # `impl` blocks
///
/// On an inherent `impl M` block the attribute leaves the block as it is and adds a trait
/// `MDelayed` that lifts the block's methods to `Delayed<M>`. Import the trait to call them.
///
/// ```ignore
/// #[delayed]
/// impl Matrix {
///     pub fn scale(&self, k: f64) -> Matrix {
///         Matrix(self.0.iter().map(|x| x * k).collect())
///     }
///     pub fn norm(&self) -> f64 {
///         self.0.iter().map(|x| x * x).sum::<f64>().sqrt()
///     }
/// }
///
/// let norm: Delayed<f64> = delayed::value(matrix).scale(2.0).norm();
/// ```
///
/// Methods that take `self` or `&self` are lifted; a `self` method can be called where `M` is
/// `Clone`. These are left out silently:
///
/// - functions without `self`, and methods that take `&mut self`, `self: Arc<Self>` or another
///   typed `self`;
/// - methods that are `unsafe`, take a `&mut` parameter, return a borrow or `impl Trait`;
/// - methods that are less visible than the most visible of the lifted ones, which gives the trait
///   its visibility;
/// - methods with `#[delayed(skip)]`.
///
/// A method with the name of one of the handle's own (`map`, `name`, `wait`, …) or of a method that
/// the prelude gives every handle (`clone`, `into`, `into_future`, …) is an error, because a call
/// could never reach it. Operator names such as `add` are allowed: their traits have to be imported
/// to get in the way. A second delayed block for a type needs `trait = "…"`.
#[proc_macro_attribute]
pub fn delayed(options: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    attribute(options.into(), item.into()).into()
}

/// Runs the statements of a function in parallel: each `let` is a node of a graph that is known when the
/// program is compiled.
///
/// ```ignore
/// #[delayed::graph]
/// fn describe(samples: &[f64]) -> Description {
///     let mean = mean(samples);
///     let sorted = sort(samples);               // beside `mean`
///     let deviation = deviation(samples, mean); // after `mean`
///     let median = sorted[sorted.len() / 2];    // after `sorted`
///     Description { mean, deviation, median }
/// }
///
/// let description = describe(&samples); // an ordinary call
/// ```
///
/// The function keeps its signature, is called like any function, and returns what it would without the
/// attribute, which stays callable as `describe::sequential`. It may borrow its arguments, be generic, `async` or
/// a method. A call blocks until the value is there; it makes no handles and allocates nothing for the graph. Its
/// nodes run on the calling thread and on those of the current `Client`.
///
/// # Nodes
///
/// A statement runs after those whose bindings it uses, and **only** these: what does not need each other runs in
/// any order, or at the same time. A statement without `let` (`assert!(…);`, `log(x);`, `for … { … }`,
/// `if … { return … }`) is a fence: all before it has ended when it begins, and all behind it begins when it has
/// ended. The last expression runs when all nodes have ended. Inside a statement nothing changes.
///
/// So what has an effect, or has to happen at some moment, is written without `let`. With it,
/// `let took = begin.elapsed();` does not wait for the work between, and `let _ = file.write_all(b"…");` may run
/// before what stands above it; `file.write_all(b"…")?;` does not.
///
/// Statements that would only wait for each other are one node: a chain in which each is used by the next alone,
/// and what calls nothing (`a + b`, `v.len()`) with its only user. `#[node]` before a `let` keeps it a node of its
/// own, `#[fuse]` joins it to its only user. A statement is not split: for `f` beside `g` write
/// `let a = f(x); let b = g(x); let c = h(a, b);` and not `let c = h(f(x), g(x));`.
///
/// # Ownership
///
/// - A binding or argument that **one** node uses is moved into it, so nothing that borrows from it can leave that
///   node: the compiler says that it "does not live long enough". One that is borrowed explicitly, where it is
///   made or where it is used, or by a method of a name like `iter`, `chars`, `as_str`, `trim`, `keys` or `len`, stays
///   to the end of the function:
///
///   ```ignore
///   let text = &read_to_string(path)?; // with its `&`, because `lines` borrows from it
///   let lines: Vec<&str> = text.lines().collect();
///   ```
///
/// - One that **several** use is shared: they borrow or copy it. Taking it by value is an error, except in the last
///   expression.
/// - A `mut` binding has one user, and so has a `&mut` argument. Changes are part of the `let`, as a block:
///
///   ```ignore
///   let hits = {
///       let mut hits = search(&terms);
///       hits.sort();
///       hits.truncate(10);
///       hits
///   };
///   ```
///
/// - What goes from node to node is `Send`, and also `Sync` if several use it. The guard of a `Mutex`
///   and an `Rc` are not `Send`, so they stay inside a block.
///
/// Values are dropped when the function ends, or by the node that they were moved into.
///
/// # Leaving early
///
/// `?` (on `Result`, `Option` and `ControlFlow`), `return` and `let … else` leave the function. Of several that
/// do, the first in the order of the function decides what is returned. Nodes behind it that have not begun do not
/// begin; some may have run, so an effect that an error has to prevent is behind a fence. A panic goes on in the
/// caller after all nodes that have begun have ended; of several, the first.
///
/// A function that returns `impl Trait` can only be left by its last expression. Macros that return, such as
/// `anyhow::bail!`, stand in the last expression only: write `return Err(anyhow!(…));` elsewhere.
///
/// # When it pays
///
/// How long calls took decides how the next one runs.
///
/// | recent calls took | the next one |
/// |---|---|
/// | less than about 2 µs | is the function as written; deciding costs some 30 ns |
/// | more | offers its nodes to threads of the client that are awake |
/// | more than about 20 µs | also wakes one |
///
/// The calling thread takes nodes in the order of the function and others from its end, so long ones stand first.
/// A value that is given away to its only user is dropped there, beside other nodes; a borrowed one is dropped at
/// the end of the call, after all of them. A call ends when the slowest of its threads does: on cores that others
/// keep busy it may take longer than the function as written.
///
/// With a client of one thread the function runs as written. Known to be weak: there is one estimate for calls
/// from outside and one for calls inside other graph functions, so a function that is usually short and suddenly
/// long runs that long call alone. `NODES` by `SPAN` says how much could run at the same time only if all
/// statements take about as long; one that takes nearly all the time leaves nothing to gain.
///
/// # Asynchronous functions
///
/// All nodes of an `async fn` are polled by the task that polls its future. They wait at the same time, as with
/// `join!`, and do not run in parallel. What they do between awaits is for a `Client`'s nodes or `spawn_blocking`.
///
/// # What comes with a function
///
/// | of a function `f` | in an `impl` block | |
/// |---|---|---|
/// | `f::sequential` | `f_sequential` | the function as it was written |
/// | `f::NODES`, `f::SPAN` | `f_NODES`, `f_SPAN` | how many nodes the graph has, and its longest chain |
/// | `f::DOT`, `f::MERMAID` | `f_DOT`, `f_MERMAID` | the graph, to be drawn |
///
/// The section "Graph" of the function's docs shows it as text. With [`#[delayed]`](macro@delayed) beside it, in
/// either order, the function also makes nodes of dynamic graphs, and its own nodes appear in events and reports
/// as `f: name`.
///
/// # Options
///
/// | option | meaning |
/// |---|---|
/// | `associated` | the function stands in an `impl` block and has no `self`. Without it the compiler says "enum is not supported in `trait`s or `impl`s" |
/// | `crate = "…"` | the path of the crate `delayed`, if it is not `::delayed` |
///
/// # Restrictions
///
/// - `const`, `unsafe`, `extern` and variadic functions are refused.
/// - A method of a trait cannot be a graph, because its block has no place for the constants: let it call a method
///   of the type's own.
/// - The name of a function outside of `impl` blocks is that of a type, too, so no module or type beside it can
///   have the same.
/// - A binding has its value where it is declared: no `let x;`.
/// - No `static` in the body, because it is compiled twice, and no `cfg` on a statement: use `if cfg!(…)`.
/// - Macros whose arguments are not expressions cannot name bindings, unless these are bound in the same
///   statement.
/// - `dbg!` prints other words for bindings than were written.
#[proc_macro_attribute]
pub fn graph(options: proc_macro::TokenStream, item: proc_macro::TokenStream) -> proc_macro::TokenStream {
    graph::attribute(options.into(), item.into()).into()
}

/// The attribute on tokens that also exist without a compiler.
fn attribute(options: TokenStream, item: TokenStream) -> TokenStream {
    let mut mistakes = Mistakes::default();
    let expanded = match mistakes.keep(syn::parse2(item.clone())) {
        Some(Item::Function(function)) => {
            let options = Options::parse(options, Target::Function, &mut mistakes);
            function::delay(&function, &options, &mut mistakes)
        }
        Some(Item::Block(block)) => {
            let options = Options::parse(options, Target::Block, &mut mistakes);
            block::delay(block, &options, &mut mistakes)
        }
        None => item,
    };
    quote!(#expanded #mistakes)
}
