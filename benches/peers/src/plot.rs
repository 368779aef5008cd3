//! One picture: efficiency against a task's time, as SVG.

#[derive(Debug)]
pub struct Curve {
    pub name: &'static str,
    /// An index into the palette, so that a peer keeps its colour.
    pub colour: usize,
    /// A task's time in nanoseconds and the efficiency, from short to long.
    pub points: Vec<(f64, f64)>,
}

const WIDTH: f64 = 920.0;
const HEIGHT: f64 = 520.0;
/// The edges of the plotting area; the legend stands to the right of it.
const LEFT: f64 = 64.0;
const RIGHT: f64 = 740.0;
const TOP: f64 = 52.0;
const BOTTOM: f64 = 456.0;

const PALETTE: [&str; 13] = [
    "#000000", "#7f7f7f", "#d62728", "#1f77b4", "#2ca02c", "#bcbd22", "#e377c2", "#c49c94", "#9467bd",
    "#8c564b", "#ff7f0e", "#17becf", "#393b79",
];

pub fn draw(title: &str, threshold: f64, curves: &[Curve]) -> String {
    let times = || curves.iter().flat_map(|curve| &curve.points).map(|&(time, _)| time.log10());
    let first = times().fold(f64::INFINITY, f64::min).floor();
    let last = times().fold(f64::NEG_INFINITY, f64::max).ceil();
    let x = |time: f64| LEFT + (time.log10() - first) / (last - first) * (RIGHT - LEFT);
    let y = |efficiency: f64| BOTTOM - efficiency.clamp(0.0, 1.05) / 1.05 * (BOTTOM - TOP);

    let mut svg = String::new();
    let mut put = |text: String| svg += &(text + "\n");
    put(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
         viewBox=\"0 0 {WIDTH} {HEIGHT}\" font-family=\"sans-serif\" font-size=\"14\">"
    ));
    put(format!("<rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>"));
    let middle = (LEFT + RIGHT) / 2.0;
    put(format!("<g font-size=\"16\" font-weight=\"bold\">{}</g>", text(middle, 28.0, "middle", title)));
    put(text(middle, HEIGHT - 16.0, "middle", "time of a task, kernel and overhead"));

    let mut decade = first;
    while decade <= last {
        let time = 10f64.powf(decade);
        put(line((x(time), TOP), (x(time), BOTTOM), "stroke=\"#dddddd\""));
        put(text(x(time), BOTTOM + 20.0, "middle", &label(time)));
        decade += 1.0;
    }
    for percent in [0, 25, 50, 75, 100] {
        let height = y(percent as f64 / 100.0);
        put(line((LEFT, height), (RIGHT, height), "stroke=\"#dddddd\""));
        put(text(LEFT - 8.0, height + 5.0, "end", &format!("{percent} %")));
    }
    let height = y(threshold);
    put(line((LEFT, height), (RIGHT, height), "stroke=\"#000000\" stroke-dasharray=\"5 4\""));

    for (i, curve) in curves.iter().enumerate() {
        let colour = PALETTE[curve.colour % PALETTE.len()];
        let width = if curve.name == "delayed" { 4.0 } else { 2.0 };
        let stroke = format!("stroke=\"{colour}\" stroke-width=\"{width}\"");
        let points: String =
            curve.points.iter().map(|&(time, e)| format!("{:.1},{:.1} ", x(time), y(e))).collect();
        put(format!("<polyline points=\"{}\" fill=\"none\" {stroke}/>", points.trim_end()));
        let height = TOP + 12.0 + 24.0 * i as f64;
        put(line((RIGHT + 20.0, height), (RIGHT + 52.0, height), &stroke));
        put(text(RIGHT + 62.0, height + 5.0, "start", curve.name));
    }
    put("</svg>".to_owned());
    svg
}

fn line(from: (f64, f64), to: (f64, f64), style: &str) -> String {
    format!("<line x1=\"{:.1}\" y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\" {style}/>", from.0, from.1, to.0, to.1)
}

fn text(x: f64, y: f64, anchor: &str, text: &str) -> String {
    format!("<text x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{text}</text>")
}

fn label(nanoseconds: f64) -> String {
    match nanoseconds {
        _ if nanoseconds < 1e3 => format!("{nanoseconds:.0} ns"),
        _ if nanoseconds < 1e6 => format!("{:.0} µs", nanoseconds / 1e3),
        _ => format!("{:.0} ms", nanoseconds / 1e6),
    }
}
