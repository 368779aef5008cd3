//! Pictures as another program reads and paints them: all formats of names that hold anything, and
//! names that stay inside their blocks in the very font that is painted.

use delayed_runtime::{Colour, Delayed, Style, call, gather, value};
use resvg::tiny_skia::Pixmap;
use resvg::usvg::{Group, Node, Options, Rect, Tree, fontdb};
use std::sync::{Arc, LazyLock};

static FONT: LazyLock<Arc<fontdb::Database>> = LazyLock::new(|| {
    let mut fonts = fontdb::Database::new();
    fonts.load_font_data(include_bytes!("../font/DejaVuSansMono-subset.ttf").to_vec());
    fonts.set_monospace_family("DejaVu Sans Mono");
    Arc::new(fonts)
});

const NAMES: [&str; 12] = [
    "inc",
    "",
    "</text></svg><script>alert(1)</script>",
    "\"quotes\" 'and' & &amp; entities &#0;",
    "nul\0bell\u{7}\u{1B}[2J",
    "\u{202E}reversed",
    "z\u{300}\u{301}\u{302}\u{303}\u{304}\u{305}",
    "\u{301}",
    "価格 😀 ×2",
    "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW",
    "résumé Ωμέγα Привет ∑→∞",
    "a name of more characters than a picture shows of any name, however important it may be",
];

fn graph(names: &[&str]) -> Delayed<i64> {
    let named = |name: &&str| call(|x: i64| x, (value(1).named(name),)).named(name);
    gather(names.iter().map(named).collect::<Vec<_>>()).map(|all| all.len() as i64)
}

fn styles() -> [Style; 4] {
    let style = Style::new;
    [
        style(),
        style().left_to_right().labels(),
        style().values().labels().colour(Colour::State),
        style().left_to_right().values().colour(Colour::Time),
    ]
}

fn read(svg: &str) -> Tree {
    Tree::from_str(svg, &Options { fontdb: FONT.clone(), ..Options::default() }).unwrap()
}

/// The rectangles and texts of each block, which is a group without groups.
fn blocks(group: &Group, blocks: &mut Vec<(Vec<Rect>, Vec<Rect>)>) {
    let (mut rects, mut texts) = (Vec::new(), Vec::new());
    for node in group.children() {
        match node {
            Node::Group(group) => self::blocks(group, blocks),
            Node::Path(path) => rects.push(path.abs_bounding_box()),
            Node::Text(text) => texts.push(text.abs_bounding_box()),
            Node::Image(_) => panic!("there are no images"),
        }
    }
    blocks.push((rects, texts));
}

#[test]
fn names_are_inside_their_blocks() {
    for style in styles() {
        let tree = read(&graph(&NAMES).graph().svg(&style));
        let mut found = Vec::new();
        blocks(tree.root(), &mut found);
        let mut names = 0;
        for (rects, texts) in &found {
            // Groups of edges and the legend hold no blocks.
            let [rect] = &rects[..] else { continue };
            for text in texts {
                names += 1;
                let is_inside = text.left() > rect.left() + 1.0
                    && text.right() < rect.right() - 1.0
                    && text.top() > rect.top()
                    && text.bottom() < rect.bottom();
                assert!(is_inside, "{text:?} in {rect:?}");
            }
        }
        assert!(names >= NAMES.len(), "{names}");
    }
}

#[test]
fn files_are_painted() {
    let file = std::env::temp_dir().join(format!("delayed-painted-{}.PNG", std::process::id()));
    for style in styles() {
        let graph = graph(&NAMES[4..6]);
        graph.visualize_with(style.clone(), &file).unwrap();
        let picture = Pixmap::load_png(&file).unwrap();
        let size = read(&graph.graph().svg(&style)).size();
        assert!((picture.width() as f32 - 2.0 * size.width()).abs() < 1.5);
        assert!((picture.height() as f32 - 2.0 * size.height()).abs() < 1.5);
        // White around, and something inside.
        let white = |x, y| {
            let pixel = picture.pixel(x, y).unwrap();
            [pixel.red(), pixel.green(), pixel.blue(), pixel.alpha()] == [255; 4]
        };
        assert!(white(0, 0) && white(picture.width() - 1, picture.height() - 1));
        let dark = picture.pixels().iter().filter(|pixel| pixel.red() < 100).count();
        assert!(dark > 1_000, "{dark} dark pixels");
    }
    std::fs::remove_file(&file).unwrap();
}

#[test]
fn wide_graphs_get_fewer_pixels() {
    let file = std::env::temp_dir().join(format!("delayed-wide-{}.png", std::process::id()));
    let wide = gather((0..250).map(value::<i64>).collect::<Vec<_>>());
    wide.visualize(&file).unwrap();
    let picture = Pixmap::load_png(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(picture.width(), 16_000);
}

#[test]
fn a_file_that_cannot_be_painted_is_named() {
    let error = value(1).visualize("/no such folder/graph.png").unwrap_err().to_string();
    assert!(error.starts_with("`visualize`: cannot write `/no such folder/graph.png`: "), "{error}");
}
