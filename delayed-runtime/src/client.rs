//! Clients: who owns workers, and which client is current.

use crate::engine::{self, Engine, Resources};
use crate::error::Error;
use crate::event::Events;
use crate::record::{self, Recording};
use crate::task::Place;
use std::collections::BTreeMap;
use std::fmt;
use std::marker::PhantomData;
use std::panic::Location;
use std::sync::{Arc, OnceLock};
use tokio::runtime::{Builder, Handle, Runtime};

/// Threads of the blocking pool that are not for loops, as many as tokio has by default: for
/// `blocking` nodes, for what asynchronous functions do there, such as reading files, and for one
/// loop more each time that a node blocks in `wait`.
const OTHER_THREADS: usize = 512;
/// How far a client can be scaled up: the pool of its runtime cannot grow later.
const LARGEST_SCALE: usize = 16;
/// The largest number of threads that a client is built with.
const MOST_AT_START: usize = 1024;
/// The same for a runtime that is not the client's own, whose pool's size is not known.
const MOST_BORROWED: usize = 256;
/// The most units of a resource: what tokio's semaphores can count on every platform.
const MOST_UNITS: u32 = u32::MAX >> 3;

/// Owns workers: groups of threads that run nodes.
///
/// Most programs need none. Without a client, handles are computed by a global one with one worker
/// and a thread for each core, which starts at first use.
///
/// Dropping a client never blocks. Functions that are running end, and their values are kept.
/// Futures of `compute` and `settle` end with an error. Nodes that had not started, also persisted
/// ones, are lazy again, and another client can compute them.
pub struct Client {
    engine: Arc<Engine>,
    threads_per_worker: usize,
    most_threads: usize,
    /// Taken when the client is dropped; `None` if the runtime is the caller's.
    runtime: Option<Runtime>,
}

/// Makes a [`Client`].
#[derive(Clone, Debug, Default)]
#[must_use = "nothing happens until `build` or `build_global`"]
pub struct ClientBuilder {
    workers: Option<usize>,
    threads_per_worker: Option<usize>,
    resources: BTreeMap<String, u32>,
}

fn error(what: String, at: &'static Location<'static>) -> Error {
    Error::misuse("client", Place::from(at), what)
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, |n| n.get())
}

impl ClientBuilder {
    /// The number of workers; one if it is not set.
    pub fn workers(self, workers: usize) -> Self {
        ClientBuilder { workers: Some(workers), ..self }
    }

    /// The number of threads of each worker; one for each core if it is not set.
    pub fn threads_per_worker(self, threads: usize) -> Self {
        ClientBuilder { threads_per_worker: Some(threads), ..self }
    }

    /// Gives the client `units` of something that functions with `resource = "name"` or
    /// `resource("name", n)` need while they run. Those that find too little wait, without a thread, first
    /// come first served. With the same name again, the last number counts.
    ///
    /// ```
    /// # use delayed_runtime as delayed;
    /// let client = delayed::Client::builder().resource("gpu", 1).resource("db", 8).build()?;
    /// # Ok::<(), delayed::Error>(())
    /// ```
    pub fn resource(mut self, name: impl Into<String>, units: u32) -> Self {
        self.resources.insert(name.into(), units);
        self
    }

    /// Starts a client with a tokio runtime of its own.
    ///
    /// # Errors
    ///
    /// If there would be no thread at all, or the operating system refuses to start one; if a resource
    /// has no units.
    #[track_caller]
    pub fn build(self) -> Result<Client, Error> {
        self.build_at(Location::caller())
    }

    fn build_at(self, at: &'static Location<'static>) -> Result<Client, Error> {
        let (workers, threads) = self.sizes(at)?;
        self.check_resources(at)?;
        let most_threads = LARGEST_SCALE * workers * threads;
        let runtime = Builder::new_multi_thread()
            .worker_threads(threads)
            .max_blocking_threads(most_threads + OTHER_THREADS)
            .thread_name("delayed")
            .enable_all()
            .build()
            .map_err(|e| error(format!("the runtime does not start: {e}"), at))?;
        let resources = Resources::new(self.resources);
        let engine = open_engine(runtime.handle().clone(), workers * threads, resources);
        Ok(Client { engine, threads_per_worker: threads, most_threads, runtime: Some(runtime) })
    }

    /// Starts a client and makes it the one that is used where there is no other.
    ///
    /// # Errors
    ///
    /// As for [`build`](ClientBuilder::build), and if there is a global client already, also one
    /// that started by itself.
    #[track_caller]
    pub fn build_global(self) -> Result<(), Error> {
        let at = Location::caller();
        let client = self.build_at(at)?;
        GLOBAL.set(client).map_err(|_| {
            error(
                "there is a global client already; call `build_global` before the first handle is computed"
                    .into(),
                at,
            )
        })
    }

    fn check_resources(&self, at: &'static Location<'static>) -> Result<(), Error> {
        match self.resources.iter().find(|(_, units)| **units == 0 || **units > MOST_UNITS) {
            None => Ok(()),
            Some((name, 0)) => {
                Err(error(format!("the resource `{name}` has no units: give it at least one"), at))
            }
            Some((name, units)) => {
                Err(error(format!("the resource `{name}` has {units} units: the limit is {MOST_UNITS}"), at))
            }
        }
    }

    fn sizes(&self, at: &'static Location<'static>) -> Result<(usize, usize), Error> {
        let workers = self.workers.unwrap_or(1);
        let threads = self.threads_per_worker.unwrap_or_else(cores);
        check_size(workers, threads, MOST_AT_START, at)?;
        Ok((workers, threads))
    }
}

/// The engine of a new client, which takes it off the list when it is dropped.
fn open_engine(runtime: Handle, loops: usize, resources: Resources) -> Arc<Engine> {
    record::begin();
    let engine = Engine::new(runtime, loops, resources);
    engine.list();
    engine
}

fn check_size(
    workers: usize,
    threads: usize,
    most: usize,
    at: &'static Location<'static>,
) -> Result<(), Error> {
    let what = match workers.checked_mul(threads) {
        Some(0) => format!("{workers} workers with {threads} threads each run nothing; ask for at least one"),
        Some(all) if all <= most => return Ok(()),
        _ => {
            format!("{workers} workers with {threads} threads each are too many: the limit is {most} threads")
        }
    };
    Err(error(what, at))
}

impl Client {
    /// A builder: `Client::builder().workers(1).threads_per_worker(4).build()?`.
    pub fn builder() -> ClientBuilder {
        ClientBuilder::default()
    }

    /// A client on the tokio runtime that this is called in, with one worker and a thread for
    /// each core. Nodes run on the runtime's blocking pool, asynchronous ones as its tasks.
    ///
    /// # Errors
    ///
    /// Outside a tokio runtime.
    #[track_caller]
    pub fn current_runtime() -> Result<Client, Error> {
        let at = Location::caller();
        let handle = Handle::try_current()
            .map_err(|_| error("`current_runtime` needs a tokio runtime around it".into(), at))?;
        let threads = cores();
        let engine = open_engine(handle, threads, Resources::default());
        Ok(Client {
            engine,
            threads_per_worker: threads,
            most_threads: MOST_BORROWED.max(threads),
            runtime: None,
        })
    }

    /// Changes the number of workers, up or down, also while nodes run. Workers that are taken
    /// away end after the nodes that they are running.
    ///
    /// # Errors
    ///
    /// With zero workers, which would run nothing, or with too many: a client can grow to 16 times
    /// the threads it was built with, on a borrowed runtime to 256.
    #[track_caller]
    pub fn scale(&self, workers: usize) -> Result<(), Error> {
        check_size(workers, self.threads_per_worker, self.most_threads, Location::caller())?;
        self.engine.set_loops(workers * self.threads_per_worker);
        Ok(())
    }

    /// Makes this client the current one, on this thread, until the guard is dropped. Guards may be
    /// dropped in any order. Nodes compute with the client that runs them; threads that they start
    /// themselves do not know it.
    pub fn enter(&self) -> Enter<'_> {
        Enter { number: engine::enter(&self.engine), client: PhantomData, not_send: PhantomData }
    }

    /// Records what happens to the nodes that this client runs, from now on.
    ///
    /// # Panics
    ///
    /// If the operating system gives it no thread.
    pub fn record(&self) -> Recording {
        Recording::start(Some(self.engine.clone()))
    }

    /// Reads what happens to the nodes that this client runs, from now on. What happens without a client, that
    /// nodes are made, released, and fail before they start, is told of all.
    pub fn events(&self) -> Events {
        Events::new(self.engine.number)
    }

    pub(crate) fn engine(&self) -> &Arc<Engine> {
        &self.engine
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("threads_per_worker", &self.threads_per_worker).finish_non_exhaustive()
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.engine.close();
        self.engine.unlist();
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Keeps a client current on its thread: see [`Client::enter`].
#[must_use = "the client is current only while the guard lives"]
pub struct Enter<'a> {
    number: u64,
    client: PhantomData<&'a Client>,
    not_send: PhantomData<*const ()>,
}

impl fmt::Debug for Enter<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Enter")
    }
}

impl Drop for Enter<'_> {
    fn drop(&mut self) {
        engine::leave(self.number);
    }
}

static GLOBAL: OnceLock<Client> = OnceLock::new();

/// The engine that handles are computed by on this thread.
///
/// # Panics
///
/// If the global client is needed and the operating system gives it no threads.
pub(crate) fn current() -> Arc<Engine> {
    if let Some(engine) = engine::current() {
        return engine;
    }
    let global = GLOBAL.get_or_init(|| match Client::builder().build() {
        Ok(client) => client,
        Err(error) => panic!("the global client cannot start: {error}"),
    });
    global.engine.clone()
}
