//! How far things are: as numbers for any user interface, and with the feature `progress` as bars.

#[cfg(feature = "progress")]
mod bars;

#[cfg(feature = "progress")]
pub use bars::{ProgressBars, progress, progress_on};

use crate::client::Client;
use crate::event::{Events, Step};
use futures_core::Stream;
use std::collections::{HashMap, HashSet};
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::sync::mpsc;

/// How often numbers are looked at.
const EACH: Duration = Duration::from_millis(100);

/// How many nodes of a client have come how far: see [`Client::progress`].
///
/// There is no total, because graphs are wished for at any time: [`explain`](crate::explain()) says before a wish
/// how many nodes would run. Nodes that fail because of an input never start, and are in no number.
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
    /// Events that came too fast. With some, the other numbers are wrong.
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
    /// Nodes of whose start nobody has told yet, since it stands in another thread's ring, and whether they
    /// failed: those of the last look and of this one.
    early: [HashMap<u64, bool>; 2],
    /// Nodes that were released at the last look.
    released: Vec<u64>,
}

impl Client {
    /// Numbers for a user interface: how many nodes have started, are running, have finished and failed since
    /// this call. The stream gives them at once, then up to ten times in a second when they have changed, and
    /// ends when the client is dropped. On a borrowed runtime without a clock it ends after the first.
    pub fn progress(&self) -> Progressing {
        let (tick, ticks) = mpsc::channel(1);
        // The runtime's task and not a timer of the stream, which would panic once the runtime is gone.
        let engine = self.engine().clone();
        self.engine().runtime().spawn(async move {
            while !engine.is_closed() && tick.send(()).await.is_ok() {
                tokio::time::sleep(EACH).await;
            }
        });
        let (now, told, running) = (Progress::default(), None, HashSet::new());
        let early = [HashMap::new(), HashMap::new()];
        Progressing { events: self.events(), ticks, now, told, running, early, released: Vec::new() }
    }
}

impl Progressing {
    /// Takes what has happened into account.
    fn look(&mut self) {
        let (now, running) = (&mut self.now, &mut self.running);
        self.early.swap(0, 1);
        self.early[1].clear();
        let released = std::mem::take(&mut self.released);
        let mut ends = |failed| if failed { now.failed += 1 } else { now.finished += 1 };
        for (node, step) in self.events.take().iter().flat_map(|batch| batch.steps()) {
            match step {
                Step::Started => match self.early.iter_mut().find_map(|early| early.remove(&node)) {
                    Some(failed) => {
                        now.started += 1;
                        ends(failed);
                    }
                    // A node that asks for one more input starts twice.
                    None => now.started += u64::from(running.insert(node)),
                },
                Step::Finished | Step::Failed if running.remove(&node) => ends(step == Step::Failed),
                Step::Finished | Step::Failed => {
                    self.early[1].insert(node, step == Step::Failed);
                }
                Step::Released => self.released.push(node),
            }
        }
        // What was released at the last look and has not ended was given up.
        released.iter().for_each(|node| {
            running.remove(node);
        });
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
