//! A clock that costs some nanoseconds: the processor's own counter, read without order.
//!
//! Walks ask it whether a function that was taken for short was long after all: neither its rate nor jumps
//! between cores matter much then, and where there is none the answer is no. Events need a rate, and a
//! counter that all cores share: [`Clock`].

use std::time::{Duration, Instant};

/// What counts as long: 20 to 80 µs on the machines of today, which is worth a wake.
pub(crate) const LONG: u64 = if cfg!(target_arch = "x86_64") { 100_000 } else { 2_000 };

/// Whether [`ticks`] counts.
pub(crate) const TICKS: bool =
    cfg!(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(any(miri, all(test, loom)))));

#[inline(always)]
pub(crate) fn ticks() -> u64 {
    #[cfg(all(target_arch = "x86_64", not(any(miri, all(test, loom)))))]
    // SAFETY: reading the time stamp counter touches nothing.
    return unsafe { std::arch::x86_64::_rdtsc() };

    #[cfg(all(target_arch = "aarch64", not(any(miri, all(test, loom)))))]
    {
        let ticks: u64;
        // SAFETY: reading the virtual counter, which user code may, touches nothing.
        unsafe {
            std::arch::asm!("mrs {}, cntvct_el0", out(reg) ticks, options(nomem, nostack, preserves_flags))
        };
        return ticks;
    }

    #[cfg(any(miri, all(test, loom), not(any(target_arch = "x86_64", target_arch = "aarch64"))))]
    0
}

/// Whether [`ticks`] counts at one rate, the same on all cores.
fn is_steady() -> bool {
    #[cfg(all(target_arch = "x86_64", not(any(miri, all(test, loom)))))]
    {
        use std::arch::x86_64::__cpuid;
        // "Invariant TSC": AMD64 Architecture Programmer's Manual, volume 3, function 8000_0007.
        const LAST: u32 = 0x8000_0007;
        return __cpuid(0x8000_0000).eax >= LAST && __cpuid(LAST).edx & 1 << 8 != 0;
    }
    #[allow(unreachable_code, reason = "the other architectures")]
    {
        cfg!(all(target_arch = "aarch64", not(any(miri, all(test, loom)))))
    }
}

/// The time and the counter at one moment: the closest of some, because the thread may be interrupted between.
fn pair() -> (Instant, u64) {
    let read = || {
        let (begin, ticks) = (Instant::now(), self::ticks());
        (begin.elapsed(), begin, ticks)
    };
    let (_, begin, ticks) = (0..16).map(|_| read()).min_by_key(|(took, ..)| *took).expect("some were read");
    (begin, ticks)
}

/// A clock for the process: the counter where it is steady, else the operating system's.
#[derive(Debug)]
pub(crate) struct Clock {
    begin: Instant,
    /// At `begin`.
    ticks: u64,
    /// Nanoseconds of a tick; `None` if there is no steady counter.
    rate: Option<f64>,
}

impl Clock {
    /// Begins, and takes some milliseconds to find out how fast the counter is.
    pub(crate) fn begin() -> Clock {
        const MEASURED: Duration = Duration::from_millis(5);
        let (begin, ticks) = pair();
        let rate = is_steady().then(|| {
            std::thread::sleep(MEASURED);
            let (end, later) = pair();
            end.duration_since(begin).as_nanos() as f64 / later.wrapping_sub(ticks).max(1) as f64
        });
        Clock { begin, ticks, rate }
    }

    /// Whether it is the processor's counter.
    pub(crate) fn counts(&self) -> bool {
        self.rate.is_some()
    }

    #[inline(always)]
    pub(crate) fn now(&self) -> u64 {
        if self.rate.is_some() { ticks() } else { self.begin.elapsed().as_nanos() as u64 }
    }

    /// How long after the clock's begin it said `now`.
    pub(crate) fn time(&self, now: u64) -> Duration {
        match self.rate {
            Some(rate) => Duration::from_nanos((now.saturating_sub(self.ticks) as f64 * rate) as u64),
            None => Duration::from_nanos(now),
        }
    }
}
