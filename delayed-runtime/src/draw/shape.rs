//! The shape of a block: how large it is, what stands where in it, and where edges meet it.

use super::label::label;
use super::layout::{Part, Size};
use super::picture::{Block, Kind, Picture};
use super::style::Style;

/// The advance of a character of the names, which are 13 px high, and of parameters, of 10 px.
const ADVANCE: f64 = 7.85;
const SMALL: f64 = 6.1;
/// The height of a block, of a call among values, and of a line of parameters.
const HEIGHT: f64 = 32.0;
const ROUND: f64 = 38.0;
const LINE: f64 = 14.0;
/// The distance of arrow heads on one block, and the least one. More edges than that share heads.
const PORTS: f64 = 14.0;
const CLOSE: f64 = 7.0;
/// The most room that the arrow heads of one parameter ask for.
const SPAN: f64 = 60.0;

pub(super) struct Shape<'p> {
    /// What the layout asks for.
    pub(super) size: Size,
    /// That of the corners.
    pub(super) radius: f64,
    /// The middle of the name, from where the block begins along the flow.
    pub(super) name: f64,
    params: Vec<Param<'p>>,
}

/// A parameter that is named in its block.
struct Param<'p> {
    name: &'p str,
    /// What it needs across the flow.
    span: f64,
}

/// Where edges end, as distances across the flow from a block's middle.
pub(super) struct Ports<'p> {
    pub(super) edges: Vec<f64>,
    /// Names of parameters.
    pub(super) names: Vec<(&'p str, f64)>,
}

/// The shapes of all blocks of a picture.
pub(super) fn shapes<'p>(picture: &'p Picture<'_>, style: &Style) -> Vec<Shape<'p>> {
    let mut edges = picture.edges.iter().peekable();
    let mut shapes = Vec::with_capacity(picture.blocks.len());
    for (index, block) in picture.blocks.iter().enumerate() {
        let mut params: Vec<(&str, usize)> = Vec::new();
        while let Some(edge) = edges.next_if(|edge| edge.to == index) {
            match params.iter_mut().find(|(param, _)| *param == edge.param) {
                Some((_, count)) => *count += 1,
                None => params.push((&edge.param, 1)),
            }
        }
        if !style.labels || params.iter().all(|(param, _)| param.is_empty()) {
            params.clear();
        }
        shapes.push(shape(block, &params, style.left_to_right));
    }
    shapes
}

fn shape<'p>(block: &Block<'_>, params: &[(&'p str, usize)], left_to_right: bool) -> Shape<'p> {
    if block.is_result() {
        let (breadth, depth) = if left_to_right { (20.0, 30.0) } else { (30.0, 20.0) };
        return Shape { size: Size { breadth, depth }, radius: 0.0, name: 0.0, params: Vec::new() };
    }
    let (height, radius) = match block.kind {
        Kind::Node => (HEIGHT, 7.0),
        Kind::Call => (ROUND, ROUND / 2.0),
        Kind::Value => (HEIGHT - 6.0, 0.0),
    };
    let name = text_width(&block.label);
    // Names reach into the round ends of a call, because the middle of those is wide.
    let width = (name + if block.kind == Kind::Call { 14.0 } else { 24.0 }).max(height);
    let texts: Vec<f64> = params.iter().map(|(param, _)| small_width(param)).collect();
    let params: Vec<Param<'_>> = params
        .iter()
        .zip(&texts)
        .map(|(&(name, count), text)| {
            let least = if left_to_right { LINE } else { text + 10.0 };
            Param { name, span: (count as f64 * CLOSE).min(SPAN).max(least) }
        })
        .collect();
    let across: f64 = params.iter().map(|param| param.span).sum::<f64>() + radius;
    let (size, name) = match (params.is_empty(), left_to_right) {
        (true, false) => (Size { breadth: width, depth: height }, height / 2.0),
        (true, true) => (Size { breadth: height, depth: width }, width / 2.0),
        (false, false) => {
            let depth = height + LINE - 2.0;
            (Size { breadth: width.max(across), depth }, depth - height / 2.0 + 1.0)
        }
        (false, true) => {
            let column = texts.iter().copied().fold(0.0, f64::max) + 6.0;
            let size = Size { breadth: height.max(across), depth: column + width };
            (size, column + width / 2.0)
        }
    };
    Shape { size, radius, name, params }
}

impl<'p> Shape<'p> {
    /// How far the side where edges arrive lies behind the block's begin, because its corners are
    /// round, at a distance from its middle.
    pub(super) fn inset(&self, across: f64) -> f64 {
        let radius = self.radius.min(self.size.breadth / 2.0).min(self.size.depth / 2.0);
        let beyond = (across.abs() - (self.size.breadth / 2.0 - radius)).clamp(0.0, radius);
        radius - (radius * radius - beyond * beyond).sqrt()
    }

    /// Where edges end that come from the given places; they are sorted by them.
    pub(super) fn ports(&self, parts: &[Part<'_>], place: impl Fn(&Part<'_>) -> f64) -> Ports<'p> {
        if self.params.is_empty() {
            let room = self.size.breadth * 0.7;
            let edges = (0..parts.len()).map(|at| port(at, parts.len(), room)).collect();
            return Ports { edges, names: Vec::new() };
        }
        let of = |param: &Param<'p>| {
            let name = param.name;
            (0..parts.len()).filter(move |&at| parts[at].param == name)
        };
        let mean = |param: &Param<'p>| {
            of(param).map(|at| place(&parts[at])).sum::<f64>() / of(param).count().max(1) as f64
        };
        let mut params: Vec<(&Param<'p>, f64)> =
            self.params.iter().map(|param| (param, mean(param))).collect();
        params.sort_by(|a, b| a.1.total_cmp(&b.1));
        let mut ports = Ports { edges: vec![0.0; parts.len()], names: Vec::new() };
        let mut begin = -self.params.iter().map(|param| param.span).sum::<f64>() / 2.0;
        for (param, _) in params {
            let middle = begin + param.span / 2.0;
            let count = of(param).count();
            for (nth, at) in of(param).enumerate() {
                ports.edges[at] = middle + port(nth, count, param.span);
            }
            if !param.name.is_empty() {
                ports.names.push((param.name, middle));
            }
            begin += param.span;
        }
        ports
    }
}

/// Where one of several edges ends, from the middle of the room for them.
fn port(at: usize, count: usize, room: f64) -> f64 {
    let ports = count.min((room / CLOSE) as usize).max(1);
    let port = at * ports / count;
    PORTS.min(room / ports as f64) * (port as f64 - (ports - 1) as f64 / 2.0)
}

/// The width of a name; Chinese, Japanese and Korean characters and emoji take two columns.
pub(super) fn text_width(text: &str) -> f64 {
    let wide = |c| matches!(c, '\u{1100}'..='\u{115F}' | '\u{2E80}'..='\u{A4CF}' | '\u{AC00}'..='\u{D7A3}' | '\u{F900}'..='\u{FAFF}' | '\u{FE30}'..='\u{FE6F}' | '\u{FF00}'..='\u{FF60}' | '\u{1F300}'..='\u{1FAFF}' | '\u{20000}'..='\u{3FFFF}');
    ADVANCE * text.chars().map(|c| if wide(c) { 2.0 } else { 1.0 }).sum::<f64>()
}

fn small_width(param: &str) -> f64 {
    text_width(&label(param)) * SMALL / ADVANCE
}
