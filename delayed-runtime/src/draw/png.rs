//! PNG, painted from the SVG in a font of the crate's own, so that all machines paint the same.

use resvg::tiny_skia::{Pixmap, Transform};
use resvg::usvg::{Options, Tree, fontdb};
use std::sync::Arc;

static FONT: &[u8] = include_bytes!("../../font/DejaVuSansMono-subset.ttf");

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
    let tree = Tree::from_str(svg, &options).map_err(|error| error.to_string())?;
    let (width, height) = (tree.size().width(), tree.size().height());
    let scale = SCALE.min((AREA / (width * height)).sqrt()).min(SIDE / width.max(height));
    let [columns, rows] = [width, height].map(|side| (side * scale).ceil() as u32);
    let mut pixels = Pixmap::new(columns, rows).ok_or_else(|| format!("{columns} × {rows} pixels"))?;
    resvg::render(&tree, Transform::from_scale(scale, scale), &mut pixels.as_mut());
    pixels.encode_png().map_err(|error| error.to_string())
}
