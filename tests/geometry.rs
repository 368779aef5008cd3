//! Where things stand in pictures: no edge runs through a block, each ends at one, no block lies on
//! another, names are inside theirs, and all are inside the picture.

use delayed::{Colour, Delayed, Graph, Style, call, gather, value};
use roxmltree::{Document, Node};
use std::collections::HashMap;

fn step(name: &str, inputs: &[Delayed<i64>]) -> Delayed<i64> {
    match inputs {
        [] => call(|| 1, ()).named(name),
        [a] => call(|a: i64| a, (a,)).named(name),
        [a, b] => (a + b).named(name),
        more => gather(more.to_vec()).map(|all| all.len() as i64).named(name),
    }
}

/// Numbers that look random.
struct Random(u64);

impl Random {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 33) as usize % most
    }
}

/// Each node has up to `inputs` of the `window` before it.
fn random(nodes: usize, window: usize, inputs: usize) -> Graph {
    let mut random = Random(0x2545_F491_4F6C_DD1D);
    let names = ["a", "load", "a function with a rather long name", "価格 😀"];
    let mut all: Vec<Delayed<i64>> = Vec::new();
    while all.len() < nodes {
        let count = if all.is_empty() { 0 } else { random.below(inputs + 1) };
        let near = all.len().min(window);
        let inputs: Vec<_> = (0..count).map(|_| all[all.len() - 1 - random.below(near)].clone()).collect();
        all.push(step(names[random.below(names.len())], &inputs));
    }
    step("all", &all).graph()
}

fn tree(leaves: usize) -> Graph {
    let mut layer: Vec<_> = (0..leaves).map(|_| value(1)).collect();
    while layer.len() > 1 {
        layer = layer.chunks(2).map(|pair| step("add", pair)).collect();
    }
    layer[0].graph()
}

fn wavefront(side: usize) -> Graph {
    let mut above: Vec<Delayed<i64>> = Vec::new();
    for _ in 0..side {
        let mut row: Vec<Delayed<i64>> = Vec::new();
        for column in 0..side {
            let inputs: Vec<_> = above.get(column).into_iter().chain(row.last()).cloned().collect();
            row.push(step("step", &inputs));
        }
        above = row;
    }
    above[side - 1].graph()
}

/// Layers of which each node needs several of the layer before.
fn dense(width: usize, depth: usize) -> Graph {
    let mut random = Random(99);
    let mut layer: Vec<_> = (0..width).map(|_| step("load", &[])).collect();
    for _ in 1..depth {
        let pick = |_| step("mix", &[(); 3].map(|()| layer[random.below(width)].clone()));
        layer = (0..width).map(pick).collect();
    }
    step("all", &layer).graph()
}

fn graphs() -> Vec<(&'static str, Graph)> {
    let calls = (0..2_500).map(|i| step("inc", &[value(i)])).collect::<Vec<_>>();
    vec![
        ("one", tree(1)),
        ("three", tree(2)),
        ("tree", tree(128)),
        ("wavefront", wavefront(12)),
        ("random", random(120, 15, 2)),
        ("sparse", random(150, 60, 3)),
        ("dense", dense(20, 8)),
        ("fan-in", step("all", &(0..300).map(value).collect::<Vec<_>>()).graph()),
        ("groups", step("all", &calls).graph()),
    ]
}

#[derive(Clone, Copy, Debug)]
struct Rect {
    left: f64,
    top: f64,
    right: f64,
    bottom: f64,
    /// Of its corners.
    radius: f64,
}

impl Rect {
    fn of(node: Node<'_, '_>) -> Rect {
        let [x, y, width, height] = ["x", "y", "width", "height"].map(|name| number(node, name));
        let radius = node.attribute("rx").map_or(0.0, |radius| radius.parse().unwrap());
        let radius = f64::min(radius, width.min(height) / 2.0);
        Rect { left: x, top: y, right: x + width, bottom: y + height, radius }
    }

    /// How far outside a point lies; less than zero inside.
    fn distance(self, (x, y): (f64, f64)) -> f64 {
        let beyond = |at: f64, first: f64, last: f64| {
            (at - (first + last) / 2.0).abs() - (last - first) / 2.0 + self.radius
        };
        let (x, y) = (beyond(x, self.left, self.right), beyond(y, self.top, self.bottom));
        x.max(0.0).hypot(y.max(0.0)) + x.max(y).min(0.0) - self.radius
    }

    fn holds(self, point: (f64, f64), depth: f64) -> bool {
        self.distance(point) < -depth
    }
}

fn number(node: Node<'_, '_>, name: &str) -> f64 {
    node.attribute(name).unwrap_or_else(|| panic!("{node:?} has no {name}")).parse().unwrap()
}

/// Points of a path, close enough to each other that nothing as large as a block lies between.
fn points(path: &str) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> = Vec::new();
    let mut at = 0;
    while at < path.len() {
        let end = path[at + 1..].find(['M', 'L', 'C']).map_or(path.len(), |next| at + 1 + next);
        let numbers: Vec<f64> = path[at + 1..end].split_whitespace().map(|n| n.parse().unwrap()).collect();
        match (&path[at..=at], &numbers[..]) {
            ("M", &[x, y]) => points.push((x, y)),
            ("L", &[x, y]) => {
                let (a, b) = points[points.len() - 1];
                points
                    .extend((1..=8).map(|i| f64::from(i) / 8.0).map(|t| (a + (x - a) * t, b + (y - b) * t)));
            }
            ("C", &[x1, y1, x2, y2, x, y]) => {
                let (a, b) = points[points.len() - 1];
                points.extend((1..=64).map(|i| f64::from(i) / 64.0).map(|t| {
                    let s = 1.0 - t;
                    let mix = |a, b, c, d| {
                        s * s * s * a + 3.0 * s * s * t * b + 3.0 * s * t * t * c + t * t * t * d
                    };
                    (mix(a, x1, x2, x), mix(b, y1, y2, y))
                }));
            }
            other => panic!("{other:?} in {path}"),
        }
        at = end;
    }
    points
}

/// Looks at all that a picture shows.
fn check(svg: &str, edges: Option<usize>) {
    let document = Document::parse(svg).unwrap();
    let elements =
        |name: &'static str| document.descendants().filter(move |node| node.tag_name().name() == name);
    let root = document.root_element();
    let (right, bottom) = (number(root, "width"), number(root, "height"));
    let page = Rect { left: 0.0, top: 0.0, right, bottom, radius: 0.0 };
    let is_block = |node: &Node<'_, '_>| {
        node.first_element_child().is_some_and(|child| child.tag_name().name() == "title")
    };
    let mut blocks = Vec::new();
    for group in document.descendants().filter(is_block) {
        let rect = Rect::of(group.children().find(|child| child.tag_name().name() == "rect").unwrap());
        assert!(page.holds((rect.left, rect.top), 10.0) && page.holds((rect.right, rect.bottom), 10.0));
        for text in group.children().filter(|child| child.tag_name().name() == "text") {
            let size = text.attribute("font-size").map_or(13.0, |size| size.parse().unwrap());
            let columns =
                text.text().unwrap_or_default().chars().map(|c| if c < '\u{2000}' { 1.0 } else { 2.0 });
            let width = columns.sum::<f64>() * size * 0.602;
            let (x, y) = (number(text, "x"), number(text, "y"));
            let left = if text.attribute("text-anchor") == Some("start") { x } else { x - width / 2.0 };
            let [first, last] = [(left, y - size * 0.75), (left + width, y + size * 0.25)];
            assert!(rect.holds(first, 2.0) && rect.holds(last, 2.0), "{:?} in {rect:?}", text.text());
        }
        blocks.push(rect);
    }
    // By cells, so that each point is compared with few blocks.
    let cell = |(x, y): (f64, f64)| ((x / 50.0) as usize, (y / 50.0) as usize);
    let mut cells: HashMap<_, Vec<Rect>> = HashMap::new();
    for block in blocks {
        let (first, last) = (cell((block.left, block.top)), cell((block.right, block.bottom)));
        for at in (first.0..=last.0).flat_map(|x| (first.1..=last.1).map(move |y| (x, y))) {
            cells.entry(at).or_default().push(block);
        }
    }
    for blocks in cells.values() {
        for (at, a) in blocks.iter().enumerate() {
            for b in &blocks[..at] {
                let apart = a.left > b.right || b.left > a.right || a.top > b.bottom || b.top > a.bottom;
                assert!(apart, "{a:?} lies on {b:?}");
            }
        }
    }
    // The block that holds a point more than so deep.
    let block_at = |point, depth| {
        cells.get(&cell(point)).and_then(|blocks| blocks.iter().find(|block| block.holds(point, depth)))
    };
    let mut heads = 0;
    for path in elements("path") {
        let path = path.attribute("d").unwrap();
        if path.contains('z') {
            for head in path.split_terminator('z') {
                heads += 1;
                let tip = points(head)[0];
                assert!(block_at(tip, -0.3).is_some() && block_at(tip, 0.3).is_none(), "{tip:?}");
            }
            continue;
        }
        for point in points(path) {
            assert!(page.holds(point, 0.0), "{point:?} is outside");
            let through = block_at(point, 0.3);
            assert!(through.is_none(), "{path} runs through {through:?}");
        }
    }
    if let Some(edges) = edges {
        assert_eq!(heads, edges);
    }
}

#[test]
fn nothing_lies_on_anything_else() {
    let directions = [Style::new(), Style::new().left_to_right()];
    for (name, graph) in graphs() {
        let values = graph.nodes.iter().filter(|node| node.name == "value").count();
        let is_grouped = name == "groups";
        for style in &directions {
            let edges = (!is_grouped).then_some(graph.edges.len());
            check(&graph.svg(style), edges);
            check(&graph.svg(&style.clone().labels().colour(Colour::State)), edges);
            let more = edges.map(|edges| edges + graph.nodes.len() - values);
            check(&graph.svg(&style.clone().values()), more);
            check(&graph.svg(&style.clone().values().labels().colour(Colour::Time)), more);
        }
    }
}

#[test]
fn arguments_stand_in_their_order_where_that_crosses_nothing() {
    for style in [Style::new(), Style::new().left_to_right()] {
        let names = ["d", "b", "c", "a", "e", "f"];
        let inputs = names.map(|name| step(name, &[step("load", &[])]));
        let pairs = [&inputs[..2], &inputs[2..4], &inputs[4..]].map(|pair| step("pair", pair));
        let svg = step("all", &pairs).graph().svg(&style);
        let document = Document::parse(&svg).unwrap();
        let across = if style == Style::new() { "x" } else { "y" };
        let mut places: Vec<(f64, &str)> = document
            .descendants()
            .filter(|node| node.tag_name().name() == "text")
            .map(|text| (number(text, across), text.text().unwrap()))
            .filter(|(_, name)| names.contains(name))
            .collect();
        places.sort_by(|a, b| a.0.total_cmp(&b.0));
        assert_eq!(places.iter().map(|place| place.1).collect::<Vec<_>>(), names);
    }
}
