//! How far things are: as numbers for any user interface, and with the feature `progress` as bars.

#[cfg(feature = "progress")]
mod bars;

#[cfg(feature = "progress")]
pub use bars::{ProgressBars, progress, progress_on};

use crate::client::Client;
use crate::event::{Events, Step};
use futures_core::Stream;
use std::collections::HashSet;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::mpsc;

/// How often numbers are looked at.
const EACH: Duration = Duration::from_millis(100);

/// How many nodes of a client have come how far: see [`Client::progress`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Progress {
    /// Nodes whose function was called.
    pub started: u64,
    /// Of these, nodes that have not ended.
    pub running: u64,
    /// Of these, nodes that have their value.
    pub finished: u64,
    /// Of these, nodes that have failed. Those that never started are not counted.
    pub failed: u64,
    /// Events that came too fast. With some, the other numbers are too small.
    pub lost: u64,
}

/// The numbers of a client's nodes, as they change: made by [`Client::progress`].
#[must_use = "streams do nothing unless polled"]
pub struct Progressing {
    events: Events,
    ticks: mpsc::Receiver<()>,
    now: Progress,
    /// What was given last.
    told: Option<Progress>,
    running: HashSet<u64>,
}

impl Client {
    /// Numbers for a user interface: how many nodes have started, are running, have finished and failed since
    /// this call. The stream gives them at once, then up to ten times in a second when they have changed, and
    /// ends when the client is dropped. On a borrowed runtime without a clock it ends after the first.
    pub fn progress(&self) -> Progressing {
        let (tick, ticks) = mpsc::channel(1);
        // The runtime's task and not a timer of the stream, which would panic once the runtime is gone.
        self.engine().runtime().spawn(async move {
            while tick.send(()).await.is_ok() {
                tokio::time::sleep(EACH).await;
            }
        });
        let (now, told, running) = (Progress::default(), None, HashSet::new());
        Progressing { events: self.events(), ticks, now, told, running }
    }
}

impl Progressing {
    /// Takes what has happened into account.
    fn look(&mut self) {
        let (now, running) = (&mut self.now, &mut self.running);
        for (node, step) in self.events.take().iter().flat_map(|batch| batch.steps()) {
            match step {
                // A node that asks for one more input starts twice.
                Step::Started => now.started += u64::from(running.insert(node)),
                Step::Finished => now.finished += u64::from(running.remove(&node)),
                Step::Failed => now.failed += u64::from(running.remove(&node)),
            }
        }
        now.running = running.len() as u64;
        now.lost = self.events.lost();
    }
}

impl Stream for Progressing {
    type Item = Progress;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Progress>> {
        let this = &mut *self;
        loop {
            let goes_on = ready!(this.ticks.poll_recv(cx)).is_some();
            this.look();
            if this.told != Some(this.now) {
                this.told = Some(this.now);
                return Poll::Ready(this.told);
            }
            if !goes_on {
                return Poll::Ready(None);
            }
        }
    }
}

impl fmt::Debug for Progressing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Progressing").field(&self.now).finish()
    }
}
