//! A clock that costs some nanoseconds: the processor's own counter, read without order.
//!
//! It serves for one question, whether a function that was taken for short was long after all. So
//! neither its rate nor jumps between cores matter much, and where there is none the answer is no.

/// What counts as long: 20 to 80 µs on the machines of today, which is worth a wake.
pub(super) const LONG: u64 = if cfg!(target_arch = "x86_64") { 100_000 } else { 2_000 };

#[inline(always)]
pub(super) fn ticks() -> u64 {
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
