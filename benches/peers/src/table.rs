//! Markdown tables of numbers.

/// A table: the names of its columns, and rows of as many cells.
#[derive(Debug)]
pub struct Table {
    text: String,
}

impl Table {
    pub fn new<'a>(columns: impl IntoIterator<Item = &'a str>) -> Table {
        let (mut text, mut rule) = (String::from("|"), String::from("|"));
        for (i, column) in columns.into_iter().enumerate() {
            text += &format!(" {column} |");
            rule += if i == 0 { "---|" } else { "--:|" };
        }
        Table { text: format!("{text}\n{rule}\n") }
    }

    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.text += "|";
        for cell in cells {
            self.text += &format!(" {cell} |");
        }
        self.text += "\n";
    }

    pub fn finish(self) -> String {
        self.text
    }
}

/// A number with two or three digits that mean something.
pub fn number(x: f64) -> String {
    match x {
        _ if x < 9.95 => format!("{x:.1}"),
        _ if x < 9_995.0 => format!("{x:.0}"),
        _ => format!("{:.0}k", x / 1000.0),
    }
}

/// As [`number`], for ratios.
pub fn ratio(x: f64) -> String {
    if x < 9.95 { format!("{x:.2}") } else { number(x) }
}

/// The middle of some numbers, or `None` of none.
pub fn median(mut numbers: Vec<f64>) -> Option<f64> {
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied()
}

/// The figures for one and for two threads in one cell.
pub fn pair(figures: [Option<String>; 2]) -> String {
    match figures {
        [None, None] => "-".to_owned(),
        some => some.map(|figure| figure.unwrap_or("-".to_owned())).join(" / "),
    }
}
