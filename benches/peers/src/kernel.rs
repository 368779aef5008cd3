//! What a node does: Task Bench's compute-bound kernel, and a sum.

use std::hint::black_box;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Instant;

/// How often each node goes through the kernel: 128 floating point operations each time.
///
/// Static, because a delayed function has no other way to reach it without a parameter more.
/// It is written once, before any thread is started.
static GRAIN: AtomicU64 = AtomicU64::new(0);

pub fn set_grain(grain: u64) {
    GRAIN.store(grain, Relaxed);
}

/// The value of a node whose inputs sum up to `sum`.
#[inline(always)]
pub fn value(bias: u64, sum: u64) -> u64 {
    let grain = GRAIN.load(Relaxed);
    if grain > 0 {
        spin(grain);
    }
    bias.wrapping_add(sum)
}

/// Sums up the inputs of a node.
#[inline(always)]
pub fn sum(inputs: impl IntoIterator<Item = u64>) -> u64 {
    inputs.into_iter().fold(0, u64::wrapping_add)
}

#[inline(never)]
fn spin(grain: u64) {
    #[cfg(target_arch = "x86_64")]
    if std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma") {
        // SAFETY: the processor has what `fused` is compiled for.
        black_box(unsafe { fused(black_box(grain)) });
        return;
    }
    black_box(portable(black_box(grain)));
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn fused(grain: u64) -> f64 {
    use std::arch::x86_64::{_mm256_add_pd, _mm256_cvtsd_f64, _mm256_fmadd_pd, _mm256_set_pd};
    let mut lanes = [_mm256_set_pd(1.0, 2.0, 3.0, 4.0); 16];
    for _ in 0..grain {
        for x in &mut lanes {
            *x = _mm256_fmadd_pd(*x, *x, *x);
        }
    }
    _mm256_cvtsd_f64(lanes.into_iter().reduce(|x, y| _mm256_add_pd(x, y)).expect("16 lanes"))
}

/// The same operations where there are no fused ones.
fn portable(grain: u64) -> f64 {
    let mut lanes = [[4.0, 3.0, 2.0, 1.0]; 16];
    for _ in 0..grain {
        for x in lanes.as_flattened_mut() {
            *x = *x * *x + *x;
        }
    }
    lanes.iter().map(|lane| lane[0]).sum()
}

/// The shortest time, in nanoseconds, that the kernel takes for a grain of one while `threads`
/// threads run it at once: the peak speed that efficiency is measured against.
pub fn peak(threads: usize) -> f64 {
    const GRAIN: u64 = 50_000;
    let best = || {
        (0..40)
            .map(|_| {
                let begin = Instant::now();
                spin(GRAIN);
                begin.elapsed().as_nanos() as f64 / GRAIN as f64
            })
            .fold(f64::INFINITY, f64::min)
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(best)).collect();
        let count = threads.len() as f64;
        threads.into_iter().map(|thread| thread.join().expect("the kernel cannot panic")).sum::<f64>() / count
    })
}
