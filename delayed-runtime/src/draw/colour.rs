//! What colour a block has, and what a picture's colours mean.

use super::label::{shown, status};
use super::picture::Block;
use super::style::Colour;
use crate::handle::Status;
use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

/// `0xRRGGBB`.
#[derive(Clone, Copy)]
pub(crate) struct Rgb(u32);

impl fmt::Display for Rgb {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:06x}", self.0)
    }
}

#[derive(Clone, Copy)]
pub(crate) struct Paint {
    pub(crate) fill: Rgb,
    pub(crate) line: Rgb,
    pub(super) ink: Rgb,
}

/// The colour of each block, and a legend that is empty where labels say enough.
pub(super) struct Colours {
    pub(super) paints: Vec<Paint>,
    pub(super) legend: Vec<(Paint, String)>,
}

const INK: Rgb = Rgb(0x1f_2933);
const WHITE: Paint = paint(0xff_ffff, 0xad_b5bd);
const GREY: Paint = paint(0xf1_f3f5, 0xad_b5bd);
const FUNCTIONS: [Paint; 12] = [
    paint(0xdb_e9f8, 0x7b_a3cc),
    paint(0xfd_e5d2, 0xdb_a06f),
    paint(0xdb_f1dc, 0x7f_b985),
    paint(0xeb_e1f6, 0xa7_8bc6),
    paint(0xfd_f2c8, 0xcd_b250),
    paint(0xd6_f1ee, 0x6c_b5ae),
    paint(0xfb_dfe1, 0xd5_8f96),
    paint(0xe9_efcf, 0xa5_b463),
    paint(0xe0_e5fb, 0x8d_98d8),
    paint(0xf8_e1f1, 0xc9_8ab7),
    paint(0xf1_e6da, 0xb9_9a77),
    paint(0xda_f0fb, 0x6d_b0d4),
];
const STATES: [(Status, Paint); 5] = [
    (Status::Lazy, paint(0xe6_e9ed, 0x9a_a5b1)),
    (Status::Waiting, paint(0xfc_e9a6, 0xc4_a12e)),
    (Status::Running, paint(0xb5_d8f7, 0x3f_86c6)),
    (Status::Done, paint(0xc8_ebcb, 0x5a_a564)),
    (Status::Failed, paint(0xf7_c1c1, 0xc0_392b)),
];
/// Viridis, of which equal steps look equal, from light to dark: more is more ink.
const RAMP: [u32; 10] = [
    0xfd_e725, 0xb5_de2b, 0x6e_ce58, 0x35_b779, 0x1f_9e89, 0x26_828e, 0x31_688e, 0x3e_4989, 0x48_2878,
    0x44_0154,
];
/// The steps of a ramp that a legend shows.
const STEPS: u32 = 4;

const fn paint(fill: u32, line: u32) -> Paint {
    Paint { fill: Rgb(fill), line: Rgb(line), ink: INK }
}

impl Colours {
    pub(super) fn of(blocks: &[Block<'_>], colour: Colour) -> Colours {
        match colour {
            Colour::Function => Colours { paints: functions(blocks), legend: Vec::new() },
            Colour::State => states(blocks),
            Colour::Order => {
                let orders = blocks.iter().map(|block| block.order.map(|order| order as f64));
                ramp(blocks, orders.collect(), |at| format!("{at:.0}"))
            }
            Colour::Time => {
                let times = blocks.iter().map(|block| block.time.map(|time| time.as_secs_f64()));
                ramp(blocks, times.collect(), |at| shown(Duration::from_secs_f64(at)))
            }
        }
    }
}

fn functions(blocks: &[Block<'_>]) -> Vec<Paint> {
    let paints = of_functions(blocks.iter().filter(|block| !block.is_result()).map(|block| block.function));
    blocks.iter().map(|block| if block.is_result() { WHITE } else { paints[block.function] }).collect()
}

/// A colour for each function: the same one in all pictures, unless another function of this picture
/// took it first. Values are no calls, and grey.
pub(crate) fn of_functions<'n>(names: impl IntoIterator<Item = &'n str>) -> HashMap<&'n str, Paint> {
    let mut paints = HashMap::from([("", GREY)]);
    let mut taken = [false; FUNCTIONS.len()];
    for name in names {
        paints.entry(name).or_insert_with(|| {
            let hash = name
                .bytes()
                .fold(0x811C_9DC5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
            let wanted = hash as usize % FUNCTIONS.len();
            let mut places = (wanted..wanted + FUNCTIONS.len()).map(|at| at % FUNCTIONS.len());
            let at = places.find(|&at| !taken[at]).unwrap_or(wanted);
            taken[at] = true;
            FUNCTIONS[at]
        });
    }
    paints
}

fn states(blocks: &[Block<'_>]) -> Colours {
    let paint = |of: Status| STATES.iter().find(|(state, _)| *state == of).map_or(WHITE, |state| state.1);
    let paints = blocks.iter().map(|block| block.status.map_or(WHITE, paint)).collect();
    let shown = |state: Status| blocks.iter().any(|block| block.status == Some(state));
    let mut legend: Vec<_> = STATES
        .iter()
        .filter(|(state, _)| shown(*state))
        .map(|(state, paint)| (*paint, status(*state).to_owned()))
        .collect();
    if blocks.iter().any(|block| block.status.is_none() && !block.is_result()) {
        legend.push((WHITE, "several".to_owned()));
    }
    Colours { paints, legend }
}

/// Colours from zero to the highest number.
fn ramp(blocks: &[Block<'_>], numbers: Vec<Option<f64>>, text: impl Fn(f64) -> String) -> Colours {
    let highest = numbers.iter().flatten().copied().fold(0.0, f64::max);
    let paint = |at: f64| shade(if highest > 0.0 { at / highest } else { 0.0 });
    let paints = blocks.iter().zip(&numbers).map(|(block, number)| match number {
        Some(number) if !block.is_result() => paint(*number),
        _ if block.is_result() => WHITE,
        _ => GREY,
    });
    let paints = paints.collect();
    let mut legend = Vec::new();
    if numbers.iter().any(Option::is_some) {
        let at = |step: u32| highest * f64::from(step) / f64::from(STEPS);
        legend.extend((0..=STEPS).map(at).map(|at| (paint(at), text(at))));
        legend.dedup_by(|a, b| a.1 == b.1);
    }
    // Values that were given do not run, and are grey like everywhere.
    let is_call = |block: &Block<'_>| !block.function.is_empty() && !block.is_result();
    if blocks.iter().zip(&numbers).any(|(block, number)| number.is_none() && is_call(block)) {
        legend.push((GREY, "unknown".to_owned()));
    }
    Colours { paints, legend }
}

/// The colour at a place of the ramp from 0 to 1, and ink that can be read on it.
fn shade(at: f64) -> Paint {
    let at = at.clamp(0.0, 1.0) * (RAMP.len() - 1) as f64;
    let first = (at as usize).min(RAMP.len() - 2);
    let mix = |shift: u32| {
        let [a, b] = [RAMP[first], RAMP[first + 1]].map(|rgb| f64::from(rgb >> shift & 0xff));
        a + (b - a) * (at - first as f64)
    };
    let [red, green, blue] = [16, 8, 0].map(mix);
    let light = |part: f64| (part / 255.0).powf(2.2);
    // Where dark ink and white have the same contrast.
    let is_light = 0.2126 * light(red) + 0.7152 * light(green) + 0.0722 * light(blue) > 0.22;
    let rgb = |scale: f64| {
        let [red, green, blue] = [red, green, blue].map(|part| (part * scale).round() as u32);
        Rgb(red << 16 | green << 8 | blue)
    };
    Paint { fill: rgb(1.0), line: rgb(0.75), ink: if is_light { INK } else { Rgb(0xff_ffff) } }
}
