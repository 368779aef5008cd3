//! The verbs: compute, wait, persist, settle, as_completed.

use crate::client::{self, Client};
use crate::collection::{Collection, Gather, nodes};
use crate::engine::{self, Arrivals, Demand, Engine, Listener};
use crate::error::Error;
use crate::handle::{Delayed, Ref};
use crate::task::Place;
use std::fmt;
use std::future::{Future, IntoFuture};
use std::panic::{AssertUnwindSafe, Location, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use tokio::runtime::Handle;

/// A wish of a future: withdrawn when it is dropped.
enum Wish {
    /// Not polled yet; the client to use, if not the current one.
    New(Option<Arc<Engine>>),
    Made(Arc<Demand>),
}

impl Wish {
    fn poll(
        &mut self,
        handles: &impl Collection,
        tolerant: bool,
        cx: &mut Context<'_>,
    ) -> Poll<Result<(), Error>> {
        let demand = match self {
            Wish::Made(demand) => demand,
            Wish::New(engine) => {
                let engine = engine.take().unwrap_or_else(client::current);
                let (demand, sink) = Demand::new(engine, nodes(handles), tolerant, Listener::One);
                engine::start(&demand, sink);
                *self = Wish::Made(demand);
                let Wish::Made(demand) = self else { unreachable!("just set") };
                demand
            }
        };
        match demand.poll(cx.waker()) {
            Some(result) => Poll::Ready(result),
            None => Poll::Pending,
        }
    }
}

impl Drop for Wish {
    fn drop(&mut self) {
        if let Wish::Made(demand) = self {
            demand.withdraw();
        }
    }
}

/// Takes values out. A `Clone` that panics gives an error and not a panic of the caller.
fn take<C: Gather>(handles: C) -> Result<C::Output, Error> {
    let mut info = None;
    handles.__visit(&mut |handle| {
        info.get_or_insert_with(|| handle.info());
    });
    catch_unwind(AssertUnwindSafe(|| handles.__values())).map_err(|panic| match info {
        Some(info) => Error::panicked(info, panic),
        None => std::panic::resume_unwind(panic),
    })
}

/// The future of [`compute`](compute()). Dropping it withdraws the wish: what has not started and
/// nobody else wants does not start.
#[must_use = "futures do nothing unless polled or awaited"]
pub struct Compute<C: Gather> {
    handles: Option<C>,
    wish: Wish,
}

impl<C: Gather> Compute<C> {
    fn new(handles: C) -> Self {
        Compute { handles: Some(handles), wish: Wish::New(None) }
    }

    fn with(handles: C, engine: Arc<Engine>) -> Self {
        Compute { handles: Some(handles), wish: Wish::New(Some(engine)) }
    }
}

impl<C: Gather> fmt::Debug for Compute<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Compute")
    }
}

impl<C: Gather> Unpin for Compute<C> {}

const POLLED_AGAIN: &str = "the future was polled after it had ended";

impl<C: Gather> Future for Compute<C> {
    type Output = Result<C::Output, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let handles = this.handles.as_ref().expect(POLLED_AGAIN);
        this.wish.poll(handles, false, cx).map(|ended| {
            let handles = this.handles.take().expect(POLLED_AGAIN);
            ended.and_then(|()| take(handles))
        })
    }
}

/// The future of [`settle`].
#[must_use = "futures do nothing unless polled or awaited"]
pub struct Settle<C: Gather> {
    handles: Option<C>,
    wish: Wish,
}

impl<C: Gather> fmt::Debug for Settle<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Settle")
    }
}

impl<C: Gather> Unpin for Settle<C> {}

impl<C: Gather> Future for Settle<C> {
    type Output = C::Settled;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let handles = this.handles.as_ref().expect(POLLED_AGAIN);
        this.wish.poll(handles, true, cx).map(|ended| {
            let handles = this.handles.take().expect(POLLED_AGAIN);
            handles.__results(ended.err().as_ref())
        })
    }
}

/// The future of [`Delayed::compute_ref`].
#[must_use = "futures do nothing unless polled or awaited"]
pub struct ComputeRef<T: Send + Sync + 'static> {
    handle: Delayed<T>,
    wish: Wish,
}

impl<T: Send + Sync + 'static> fmt::Debug for ComputeRef<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ComputeRef").field(&self.handle).finish()
    }
}

impl<T: Send + Sync + 'static> Unpin for ComputeRef<T> {}

impl<T: Send + Sync + 'static> Future for ComputeRef<T> {
    type Output = Result<Ref<T>, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let handle = &this.handle;
        this.wish.poll(&handle, false, cx).map(|ended| ended.map(|()| done(handle)))
    }
}

fn done<T: Send + Sync + 'static>(handle: &Delayed<T>) -> Ref<T> {
    match handle.try_get() {
        Some(Ok(value)) => value,
        _ => unreachable!("a wish ends well when its handles are done"),
    }
}

/// Computes all handles in a collection as one graph; what they share runs once. The result has
/// the collection's shape with values in place of handles.
///
/// A handle passed by value whose node nobody else refers to gives its value away; otherwise the
/// value is cloned.
///
/// # Errors
///
/// The first failure that the wish meets: a node fails as soon as it is found that an input has failed,
/// and what nobody else wants is then not started; what has started goes on. Other inputs and handles that
/// have failed by then are the error's [`others`](Error::others). To run all that can run in spite of
/// failures, and so to find all of them, use [`settle`].
pub fn compute<C: Gather>(handles: C) -> Compute<C> {
    Compute::new(handles)
}

/// [`compute`](compute()) for callers outside asynchronous code: blocks this thread, which runs nodes
/// of this graph itself, beside the client's threads. It may also be called inside a node that is
/// not asynchronous.
///
/// # Errors
///
/// As [`compute`](compute()); also inside an asynchronous node, and where it would block the one
/// thread of a `current_thread` runtime that has to run the graph: use `.await` there.
#[track_caller]
pub fn wait<C: Gather>(handles: C) -> Result<C::Output, Error> {
    block_on(&handles, Location::caller())?;
    take(handles)
}

#[track_caller]
fn block_on(handles: &impl Collection, at: &'static Location<'static>) -> Result<(), Error> {
    let engine = client::current();
    let in_runtime = Handle::try_current().is_ok_and(|here| here.id() == engine.runtime().id());
    // Loops are on threads of their own.
    let in_place = in_runtime && !engine::current_loop(|own| own.is_some());
    let misuse = if engine::is_polling() {
        Some("it would block a thread that runs asynchronous nodes; inside one use `.await`")
    } else if in_place && engine.has_one_thread() {
        Some("it would block the only thread of the runtime that has to run the graph; use `.await`")
    } else {
        None
    };
    if let Some(what) = misuse {
        return Err(Error::misuse("wait", Place::from(at), what.to_owned()));
    }
    let (demand, sink) = Demand::new(engine, nodes(handles), false, Listener::One);
    engine::wait(&demand, sink, in_place)
}

/// Demands all handles in a collection, in the background: returns at once. The result has the
/// collection's shape, with handles.
///
/// The wish holds as long as a handle, or something that needs it, can reach the value. A failure ends
/// it, as for [`compute`](compute()).
#[must_use = "dropping the last handle withdraws the work"]
pub fn persist<C: Collection>(handles: C) -> C::Persisted {
    persist_with(handles, &client::current())
}

fn persist_with<C: Collection>(handles: C, engine: &Arc<Engine>) -> C::Persisted {
    for node in nodes(&handles) {
        if let Some((demand, sink)) = Demand::in_background(engine, node) {
            engine.submit(sink, &demand);
        }
    }
    handles.__persisted()
}

/// Computes all handles in a collection, and gives every result. A failure ends nothing: all that can run
/// does, also the other inputs of a node that is going to fail, whose error then lists all inputs that
/// failed, the first as [`node`](Error::node) and the rest as [`others`](Error::others). Only what has to
/// come [`after`](Delayed::after) something that failed does not run. (A node that a [`compute`](compute())
/// made fail meanwhile stays as it is.)
///
/// Dropping the future withdraws the wish, as for [`compute`](compute()).
pub fn settle<C: Gather>(handles: C) -> Settle<C> {
    Settle { handles: Some(handles), wish: Wish::New(None) }
}

/// Demands handles and yields each when its node has ended, first come first served. Its value or
/// error is then there: [`try_get`](Delayed::try_get), or `.await` it. (When the client is dropped, the
/// handles that are left come back as they are.) All that can run does, as for [`settle`].
pub fn as_completed<T, I>(handles: I) -> AsCompleted<T>
where
    T: Send + Sync + 'static,
    I: IntoIterator<Item = Delayed<T>>,
{
    let engine = client::current();
    let arrivals = Arc::new(Arrivals::default());
    let mut wishes = Vec::new();
    let mut sinks = Vec::new();
    for (number, handle) in handles.into_iter().enumerate() {
        let listener = Listener::Stream(arrivals.clone(), number);
        let (demand, sink) = Demand::new(engine.clone(), nodes(&handle), true, listener);
        sinks.push(sink);
        wishes.push(Some((handle, Wish::Made(demand))));
    }
    for (wish, sink) in wishes.iter().zip(sinks) {
        if let Some((_, Wish::Made(demand))) = wish {
            engine.submit(sink, demand);
        }
    }
    AsCompleted { left: wishes.len(), wishes, arrivals }
}

/// The stream of [`as_completed`]. Dropping it withdraws the wishes that are left.
#[must_use = "streams do nothing unless polled"]
pub struct AsCompleted<T: Send + Sync + 'static> {
    wishes: Vec<Option<(Delayed<T>, Wish)>>,
    arrivals: Arc<Arrivals>,
    left: usize,
}

impl<T: Send + Sync + 'static> fmt::Debug for AsCompleted<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsCompleted").field("left", &self.left).finish_non_exhaustive()
    }
}

impl<T: Send + Sync + 'static> Unpin for AsCompleted<T> {}

impl<T: Send + Sync + 'static> futures_core::Stream for AsCompleted<T> {
    type Item = Delayed<T>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Delayed<T>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        let Some(number) = self.arrivals.pop(cx.waker()) else { return Poll::Pending };
        self.left -= 1;
        let (handle, _) = self.wishes[number].take().expect("each wish ends once");
        Poll::Ready(Some(handle))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

impl Client {
    /// Computes handles with this client: see [`compute`](crate::compute()).
    pub fn compute<C: Gather>(&self, handles: C) -> Compute<C> {
        Compute::with(handles, self.engine().clone())
    }

    /// Persists handles with this client: see [`persist`](crate::persist()).
    #[must_use = "dropping the last handle withdraws the work"]
    pub fn persist<C: Collection>(&self, handles: C) -> C::Persisted {
        persist_with(handles, self.engine())
    }
}

impl<T: Clone + Send + Sync + 'static> Delayed<T> {
    /// Computes the value, in parallel, on the current client. The value is moved out if this is
    /// the last handle, and cloned if not.
    ///
    /// # Errors
    ///
    /// The error of the node that failed, wherever in the graph it is.
    pub fn compute(self) -> Compute<Delayed<T>> {
        Compute::new(self)
    }

    /// [`compute`](Delayed::compute) for callers outside asynchronous code: see [`wait`](wait()).
    ///
    /// # Errors
    ///
    /// As [`wait`](wait()).
    #[track_caller]
    pub fn wait(self) -> Result<T, Error> {
        wait(self)
    }
}

impl<T: Send + Sync + 'static> Delayed<T> {
    /// Computes the value and gives a reference to it, which needs no `Clone`.
    ///
    /// # Errors
    ///
    /// As [`compute`](Delayed::compute).
    pub fn compute_ref(&self) -> ComputeRef<T> {
        ComputeRef { handle: self.clone(), wish: Wish::New(None) }
    }

    /// [`compute_ref`](Delayed::compute_ref) for callers outside asynchronous code.
    ///
    /// # Errors
    ///
    /// As [`wait`](wait()).
    #[track_caller]
    pub fn wait_ref(&self) -> Result<Ref<T>, Error> {
        block_on(&self, Location::caller())?;
        Ok(done(self))
    }

    /// Demands the value now, in the background: see [`persist`](persist()).
    #[must_use = "dropping the last handle withdraws the work"]
    pub fn persist(self) -> Delayed<T> {
        persist(self)
    }

    /// Makes the node, and everything that needs it, fail with a cancelled error, unless it has
    /// ended already. A future is dropped at its `await`; a function that is running is not
    /// stopped, but its value is thrown away.
    pub fn cancel(&self) {
        engine::cancel(self.node());
    }
}

impl<T: Clone + Send + Sync + 'static> IntoFuture for Delayed<T> {
    type Output = Result<T, Error>;
    type IntoFuture = Compute<Delayed<T>>;

    fn into_future(self) -> Self::IntoFuture {
        self.compute()
    }
}

impl<'a, T: Clone + Send + Sync + 'static> IntoFuture for &'a Delayed<T> {
    type Output = Result<T, Error>;
    type IntoFuture = Compute<&'a Delayed<T>>;

    fn into_future(self) -> Self::IntoFuture {
        Compute::new(self)
    }
}
