//! Calls of the same length beside each other, and their sum, as graphs in the binary. `benches/peers` has them, too.

use std::hint::black_box;

/// Works for some steps.
#[inline(never)]
pub(crate) fn spin(steps: u64, x: u64) -> u64 {
    (0..steps).fold(x, |sum, step| black_box(sum ^ step))
}

macro_rules! wide {
    ($name:ident: $($node:ident)*) => {
        #[delayed::graph]
        pub(crate) fn $name(steps: u64, x: u64) -> u64 {
            $(let $node = spin(steps, x);)*
            0 $(^ $node)*
        }
    };
}
wide!(two: a b);
wide!(eight: a b c d e f g h);
wide!(sixty_four:
    a0 a1 a2 a3 a4 a5 a6 a7 b0 b1 b2 b3 b4 b5 b6 b7 c0 c1 c2 c3 c4 c5 c6 c7 d0 d1 d2 d3 d4 d5 d6 d7
    e0 e1 e2 e3 e4 e5 e6 e7 f0 f1 f2 f3 f4 f5 f6 f7 g0 g1 g2 g3 g4 g5 g6 g7 h0 h1 h2 h3 h4 h5 h6 h7);

pub(crate) fn median(mut of: Vec<f64>) -> f64 {
    of.sort_by(f64::total_cmp);
    of[of.len() / 2]
}
