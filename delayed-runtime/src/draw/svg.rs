//! SVG, with nothing that another page's styles, scripts or ids could meet.

use super::layout::{HEIGHT, layout};
use super::picture::Picture;
use crate::handle::Status;
use std::collections::HashMap;
use std::fmt::Write;

/// The white border around all.
const MARGIN: f64 = 20.0;
/// The advance of a character of the fonts below at 13 px.
const ADVANCE: f64 = 7.85;
/// The distance of arrow heads on one box.
const PORTS: f64 = 14.0;
const HEAD: f64 = 7.0;
const FONTS: &str = "ui-monospace, 'SF Mono', Menlo, Consolas, 'DejaVu Sans Mono', monospace";

/// Fill and stroke.
const GREY: (&str, &str) = ("#f1f3f5", "#adb5bd");
const COLOURS: [(&str, &str); 12] = [
    ("#dbe9f8", "#7ba3cc"),
    ("#fde5d2", "#dba06f"),
    ("#dbf1dc", "#7fb985"),
    ("#ebe1f6", "#a78bc6"),
    ("#fdf2c8", "#cdb250"),
    ("#d6f1ee", "#6cb5ae"),
    ("#fbdfe1", "#d58f96"),
    ("#e9efcf", "#a5b463"),
    ("#e0e5fb", "#8d98d8"),
    ("#f8e1f1", "#c98ab7"),
    ("#f1e6da", "#b99a77"),
    ("#daf0fb", "#6db0d4"),
];

pub(super) fn draw(picture: &Picture<'_>) -> String {
    let widths: Vec<f64> = picture.blocks.iter().map(|block| text_width(&block.label) + 24.0).collect();
    let layout = layout(picture, &widths);
    let caption = picture.caption.as_deref().unwrap_or_default();
    let width = layout.width.max(text_width(caption)) + 2.0 * MARGIN;
    let height = layout.height + 2.0 * MARGIN + if caption.is_empty() { 0.0 } else { 24.0 };
    let left = (width - layout.width) / 2.0;
    let x = |point: usize| left + layout.points[point].x;
    let top = |point: usize| MARGIN + layout.tops[layout.points[point].layer];

    let mut out = String::new();
    let _ = writeln!(
        out,
        r##"<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0}" height="{height:.0}" viewBox="0 0 {width:.0} {height:.0}" font-family="{FONTS}" font-size="13" text-anchor="middle">
<rect width="100%" height="100%" fill="#fff"/>"##
    );
    let mut heads = String::new();
    out.push_str("<g fill=\"none\" stroke=\"#98a4b3\" stroke-width=\"1.3\" stroke-linecap=\"round\">\n");
    for parts in layout.parts.chunk_by(|a, b| a.1 == b.1) {
        let to = parts[0].1;
        let width = layout.points[to].width;
        let step = PORTS.min(width * 0.7 / parts.len() as f64);
        for (port, &(from, _)) in parts.iter().enumerate() {
            let end = x(to) + step * (port as f64 - (parts.len() - 1) as f64 / 2.0);
            let (above, below) = (top(from) + HEIGHT, top(to));
            let tip = if width == 0.0 { below } else { below - HEAD };
            let bend = (above + tip) / 2.0;
            let _ = write!(
                out,
                r#"<path d="M{:.1} {above:.1}C{:.1} {bend:.1} {end:.1} {bend:.1} {end:.1} {tip:.1}"#,
                x(from),
                x(from)
            );
            if width == 0.0 {
                let _ = write!(out, "v{HEIGHT}");
            } else {
                let _ = write!(heads, "M{end:.1} {below:.1}l-3.5 -{HEAD}h7z");
            }
            out.push_str("\"/>\n");
        }
    }
    let _ = writeln!(out, "</g>\n<path fill=\"#7b8794\" d=\"{heads}\"/>\n<g fill=\"#1f2933\">");
    let colours = colours(picture.blocks.iter().map(|block| block.name));
    for (index, block) in picture.blocks.iter().enumerate() {
        let (fill, stroke) = colours[block.name];
        let stroke = match block.status {
            Some(Status::Failed) => r##" stroke="#c0392b" stroke-width="2""##.to_owned(),
            Some(Status::Running) => format!(r#" stroke="{stroke}" stroke-width="2.5""#),
            Some(Status::Waiting) => format!(r#" stroke="{stroke}" stroke-dasharray="4 3""#),
            _ => format!(r#" stroke="{stroke}""#),
        };
        let _ = writeln!(
            out,
            r#"<g><title>{}</title><rect x="{:.1}" y="{:.1}" width="{:.1}" height="{HEIGHT}" rx="7" fill="{fill}"{stroke}/><text x="{:.1}" y="{:.1}">{}</text></g>"#,
            escape(&block.tip.join("\n")),
            x(index) - widths[index] / 2.0,
            top(index),
            widths[index],
            x(index),
            top(index) + HEIGHT / 2.0 + 4.5,
            escape(&block.label)
        );
    }
    out.push_str("</g>\n");
    if !caption.is_empty() {
        let (x, y) = (width / 2.0, height - MARGIN);
        let _ = writeln!(out, r##"<text x="{x:.1}" y="{y:.1}" fill="#66727f">{}</text>"##, escape(caption));
    }
    out.push_str("</svg>\n");
    out
}

/// The width of a text; Chinese, Japanese and Korean characters and emoji take two columns.
fn text_width(text: &str) -> f64 {
    let wide = |c| matches!(c, '\u{1100}'..='\u{115F}' | '\u{2E80}'..='\u{A4CF}' | '\u{AC00}'..='\u{D7A3}' | '\u{F900}'..='\u{FAFF}' | '\u{FE30}'..='\u{FE6F}' | '\u{FF00}'..='\u{FF60}' | '\u{1F300}'..='\u{1FAFF}' | '\u{20000}'..='\u{3FFFF}');
    ADVANCE * text.chars().map(|c| if wide(c) { 2.0 } else { 1.0 }).sum::<f64>()
}

/// A colour for each name: the same one in all pictures, unless another name of this picture took
/// it first. Values are no calls, and grey.
pub(crate) fn colours<'g>(
    names: impl Iterator<Item = &'g str>,
) -> HashMap<&'g str, (&'static str, &'static str)> {
    let mut colours = HashMap::from([("value", GREY)]);
    let mut taken = [false; COLOURS.len()];
    for name in names {
        colours.entry(name).or_insert_with(|| {
            let hash = name
                .bytes()
                .fold(0x811C_9DC5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
            let wanted = hash as usize % COLOURS.len();
            let free = (wanted..wanted + COLOURS.len()).map(|at| at % COLOURS.len()).find(|&at| !taken[at]);
            let at = free.unwrap_or(wanted);
            taken[at] = true;
            COLOURS[at]
        });
    }
    colours
}

pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
