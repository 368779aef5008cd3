//! PNG, painted from the SVG in a font of the crate's own, so that all machines paint the same.

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};
use std::ops::RangeInclusive;
use std::sync::Arc;

static FONT: &[u8] = include_bytes!("../../font/DejaVuSansMono-subset.ttf");

/// What the font has, and the ends of lines.
const CHARS: [RangeInclusive<char>; 19] = [
    '\n'..='\n',
    ' '..='~',
    '\u{A0}'..='\u{17F}',
    '\u{300}'..='\u{33F}',
    '\u{384}'..='\u{38A}',
    '\u{38E}'..='\u{3A1}',
    '\u{3A3}'..='\u{3CE}',
    '\u{400}'..='\u{45F}',
    '\u{2010}'..='\u{2023}',
    '…'..='…',
    '\u{2074}'..='\u{208E}',
    '€'..='€',
    '\u{2190}'..='\u{2213}',
    '\u{2217}'..='\u{2220}',
    '\u{2227}'..='\u{222D}',
    '\u{2234}'..='\u{223D}',
    '\u{2241}'..='\u{2269}',
    '◌'..='◌',
    '\u{FFFD}'..='\u{FFFD}',
];
/// Pixels for each unit of the SVG, as screens with small pixels want them.
const SCALE: f32 = 2.0;
/// The most pixels of a picture, and of a side. What is larger gets fewer for each unit.
const AREA: f32 = 32e6;
const SIDE: f32 = 16_000.0;

pub(super) fn draw(svg: &str) -> Result<Vec<u8>, String> {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(FONT.to_vec());
    fonts.set_monospace_family("DejaVu Sans Mono");
    let options = Options { fontdb: Arc::new(fonts), ..Options::default() };
    let known = |c| if CHARS.iter().any(|chars| chars.contains(&c)) { c } else { '\u{FFFD}' };
    let svg: String = svg.chars().map(known).collect();
    let tree = Tree::from_str(&svg, &options).map_err(|error| error.to_string())?;
    let (width, height) = (tree.size().width(), tree.size().height());
    let scale = SCALE.min((AREA / (width * height)).sqrt()).min(SIDE / width.max(height));
    let [columns, rows] = [width, height].map(|side| (side * scale).ceil() as u32);
    let mut pixels = Pixmap::new(columns, rows).ok_or_else(|| format!("{columns} × {rows} pixels"))?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| error.to_string())
}
