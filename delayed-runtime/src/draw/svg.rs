//! SVG, with nothing that another page's styles, scripts or ids could meet.

use super::colour::{Colours, Paint};
use super::label::label;
use super::layout::{Layout, Point, layout};
use super::picture::{Block, Picture};
use super::shape::{Shape, shapes, text_width};
use super::style::Style;
use crate::handle::Status;
use std::fmt::{self, Write};

/// The white border around all.
const MARGIN: f64 = 20.0;
const HEAD: f64 = 7.0;
/// The height of a line below the graph.
const LINE: f64 = 24.0;
const SWATCH: f64 = 14.0;
const FONTS: &str = "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace";

/// Turns places across and along the flow into those of the picture.
struct Axes {
    left_to_right: bool,
    left: f64,
    top: f64,
}

impl Axes {
    fn at(&self, across: f64, along: f64) -> At {
        let (x, y) = if self.left_to_right { (along, across) } else { (across, along) };
        At { x: self.left + x, y: self.top + y }
    }
}

struct At {
    x: f64,
    y: f64,
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} {:.1}", self.x, self.y)
    }
}

pub(super) fn draw(picture: &Picture<'_>, style: &Style) -> String {
    let shapes = shapes(picture, style);
    let sizes: Vec<_> = shapes.iter().map(|shape| shape.size).collect();
    let layout = layout(picture, &sizes);
    let colours = Colours::of(&picture.blocks, style.colour);
    let graph = if style.left_to_right {
        At { x: layout.depth, y: layout.breadth }
    } else {
        At { x: layout.breadth, y: layout.depth }
    };
    let caption = picture.caption.as_deref().unwrap_or_default();
    let legend: f64 = colours.legend.iter().map(|(_, text)| entry_width(text)).sum();
    let lines = [!caption.is_empty(), legend > 0.0].into_iter().filter(|shown| *shown).count();
    let width = graph.x.max(text_width(caption)).max(legend) + 2.0 * MARGIN;
    let below = if lines == 0 { 0.0 } else { LINE * lines as f64 + 6.0 };
    let height = graph.y + 2.0 * MARGIN + below;
    let axes = Axes { left_to_right: style.left_to_right, left: (width - graph.x) / 2.0, top: MARGIN };

    let mut out = String::new();
    let _ = writeln!(
        out,
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0}" height="{height:.0}" viewBox="0 0 {width:.0} {height:.0}" font-family="{FONTS}" font-size="13" text-anchor="middle">
<rect width="100%" height="100%" fill="#fff"/>"##
    );
    let names = edges(&mut out, &layout, &shapes, &axes);
    let mut names = names.iter().peekable();
    out.push_str("<g>\n");
    for (index, block) in picture.blocks.iter().enumerate() {
        let begin = begin(&layout, &shapes, index);
        let _ = write!(out, "<g");
        if let Some(key) = &block.key {
            let _ = write!(out, r#" data-key="{}""#, escape(key));
        }
        let _ = write!(out, "><title>{}</title>", escape(&block.tip.join("\n")));
        let (shape, paint) = (&shapes[index], &colours.paints[index]);
        rectangle(&mut out, block, shape, paint, layout.points[index], begin, &axes);
        while let Some((_, name, across)) = names.next_if(|(of, ..)| *of == index) {
            let (along, anchor) =
                if style.left_to_right { (8.0, " text-anchor=\"start\"") } else { (11.0, "") };
            let At { x, y } = axes.at(*across, begin + along);
            let (y, ink, name) = (y + 3.5, paint.ink, escape(&label(name)));
            let _ = write!(
                out,
                r#"<text x="{x:.1}" y="{y:.1}" font-size="10" fill="{ink}" fill-opacity=".75"{anchor}>{name}</text>"#
            );
        }
        out.push_str("</g>\n");
    }
    out.push_str("</g>\n");
    let mut y = height - MARGIN - LINE * (lines as f64 - 1.0);
    if !caption.is_empty() {
        let _ = writeln!(
            out,
            r##"<text x="{:.1}" y="{y:.1}" fill="#66727f">{}</text>"##,
            width / 2.0,
            escape(caption)
        );
        y += LINE;
    }
    let mut x = (width - legend) / 2.0;
    for (paint, text) in &colours.legend {
        let _ = writeln!(
            out,
            r##"<rect x="{x:.1}" y="{:.1}" width="{SWATCH}" height="{SWATCH}" fill="{}" stroke="{}"/><text x="{:.1}" y="{y:.1}" fill="#66727f" text-anchor="start">{}</text>"##,
            y - SWATCH + 2.5,
            paint.fill,
            paint.line,
            x + SWATCH + 6.0,
            escape(text)
        );
        x += entry_width(text);
    }
    out.push_str("</svg>\n");
    out
}

fn entry_width(text: &str) -> f64 {
    SWATCH + text_width(text) + 22.0
}

/// Where a block begins along the flow. Blocks stand in the middle of their layer.
fn begin(layout: &Layout<'_>, shapes: &[Shape<'_>], block: usize) -> f64 {
    let (begin, end) = layout.layers[layout.points[block].layer];
    (begin + end - shapes[block].size.depth) / 2.0
}

/// Draws the edges, and returns the names of parameters that belong to a block, with their places
/// across the flow.
fn edges<'p>(
    out: &mut String,
    layout: &Layout<'p>,
    shapes: &[Shape<'p>],
    axes: &Axes,
) -> Vec<(usize, &'p str, f64)> {
    let place = |point: usize| layout.points[point].across;
    let (mut heads, mut names) = (String::new(), Vec::new());
    out.push_str("<g fill=\"none\" stroke=\"#98a4b3\" stroke-width=\"1.3\" stroke-linecap=\"round\">\n");
    for parts in layout.parts.chunk_by(|a, b| a.to == b.to) {
        let to = parts[0].to;
        let (layer_begin, layer_end) = layout.layers[layout.points[to].layer];
        let ports = shapes.get(to).map(|shape| shape.ports(parts, |part| place(part.from)));
        for (at, part) in parts.iter().enumerate() {
            let from = place(part.from);
            let last = layout.layers[layout.points[part.from].layer].1;
            let end = place(to) + ports.as_ref().map_or(0.0, |ports| ports.edges[at]);
            let tip = shapes
                .get(to)
                .map_or(layer_begin, |shape| begin(layout, shapes, to) + shape.inset(end - place(to)));
            let to_curve = if to < shapes.len() { layer_begin.min(tip - HEAD) } else { layer_begin };
            out.push_str("<path d=\"");
            // Past larger blocks of its layer an edge runs straight.
            if let Some(shape) = shapes.get(part.from) {
                let leave = begin(layout, shapes, part.from) + shape.size.depth;
                let _ = write!(out, "M{}", axes.at(from, leave));
                if leave + 0.05 < last {
                    let _ = write!(out, "L{}", axes.at(from, last));
                }
            } else {
                let _ = write!(out, "M{}", axes.at(from, last));
            }
            let bend = (last + to_curve) / 2.0;
            let _ = write!(out, "C{} {} {}", axes.at(from, bend), axes.at(end, bend), axes.at(end, to_curve));
            if to >= shapes.len() {
                let _ = write!(out, "L{}", axes.at(end, layer_end));
            } else {
                if to_curve + 0.05 < tip - HEAD {
                    let _ = write!(out, "L{}", axes.at(end, tip - HEAD));
                }
                let [left, right] = [-3.5, 3.5].map(|side| axes.at(end + side, tip - HEAD));
                let _ = write!(heads, "M{}L{left}L{right}z", axes.at(end, tip));
            }
            out.push_str("\"/>\n");
        }
        let named = ports.into_iter().flat_map(|ports| ports.names);
        names.extend(named.map(|(name, across)| (to, name, place(to) + across)));
    }
    let _ = writeln!(out, "</g>\n<path fill=\"#7b8794\" d=\"{heads}\"/>");
    names
}

fn rectangle(
    out: &mut String,
    block: &Block<'_>,
    shape: &Shape<'_>,
    paint: &Paint,
    point: Point,
    begin: f64,
    axes: &Axes,
) {
    let half = shape.size.breadth / 2.0;
    let first = axes.at(point.across - half, begin);
    let last = axes.at(point.across + half, begin + shape.size.depth);
    let stroke = match block.status {
        Some(Status::Failed) => r##"#c0392b" stroke-width="2"##.to_owned(),
        Some(Status::Running) => format!(r#"{}" stroke-width="2.5"#, paint.line),
        Some(Status::Waiting) => format!(r#"{}" stroke-dasharray="4 3"#, paint.line),
        _ => paint.line.to_string(),
    };
    let _ = write!(
        out,
        r#"<rect x="{:.1}" y="{:.1}" width="{:.1}" height="{:.1}" rx="{}" fill="{}" stroke="{stroke}"/>"#,
        first.x,
        first.y,
        last.x - first.x,
        last.y - first.y,
        shape.radius,
        paint.fill
    );
    if !block.label.is_empty() {
        let At { x, y } = axes.at(point.across, begin + shape.name);
        let (y, ink, label) = (y + 4.5, paint.ink, escape(&block.label));
        let _ = write!(out, r#"<text x="{x:.1}" y="{y:.1}" fill="{ink}">{label}</text>"#);
    }
}

pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
