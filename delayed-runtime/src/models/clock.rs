//! Time in models: every look at the clock takes 60 µs, so that what depends on time is the same each
//! time that loom replays a prefix.

use std::cell::Cell;
use std::time::Duration;

const LOOK: Duration = Duration::from_micros(60);

thread_local! {
    // A model's threads are all on one thread of the system.
    static NOW: Cell<Duration> = const { Cell::new(Duration::ZERO) };
}

pub(crate) fn begin() {
    NOW.set(Duration::ZERO);
}

#[derive(Clone, Copy)]
pub(crate) struct Instant(Duration);

impl Instant {
    pub(crate) fn now() -> Self {
        NOW.set(NOW.get() + LOOK);
        Instant(NOW.get())
    }

    pub(crate) fn elapsed(&self) -> Duration {
        Instant::now().duration_since(*self)
    }

    pub(crate) fn duration_since(&self, earlier: Instant) -> Duration {
        self.0 - earlier.0
    }
}

pub(crate) struct Backoff;

impl Backoff {
    pub(crate) fn new() -> Self {
        Backoff
    }

    pub(crate) fn reset(&self) {}

    pub(crate) fn snooze(&self) {
        loom::thread::yield_now();
    }
}
