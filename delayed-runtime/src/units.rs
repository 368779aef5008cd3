//! Times, sizes, counts and shares as people read them.

use crate::visible;
use std::time::Duration;

/// Three digits and a unit: `40 ns`, `1.23 µs`, `456 ms`, `12.3 s`.
pub(crate) fn time(time: Duration) -> String {
    let nanos = time.as_nanos() as f64;
    let units = [("ns", 1.0), ("µs", 1e3), ("ms", 1e6), ("s", 1e9)];
    scaled(nanos, &units, 999.5)
}

/// `640 B`, `1.25 KiB`, `3.00 GiB`.
pub(crate) fn bytes(bytes: u64) -> String {
    let units = [("B", 1.0), ("KiB", 1024.0), ("MiB", 1048576.0), ("GiB", 1073741824.0)];
    scaled(bytes as f64, &units, 1023.5)
}

fn scaled(number: f64, units: &[(&str, f64)], most: f64) -> String {
    let fits = |(_, size): &&(&str, f64)| number / size < most;
    let last = units.len() - 1;
    let (unit, size) = units.iter().find(fits).unwrap_or(&units[last]);
    let number = number / size;
    let digits = match number {
        _ if *size == 1.0 => 0,
        number if number < 9.995 => 2,
        number if number < 99.95 => 1,
        _ => 0,
    };
    format!("{number:.digits$} {unit}")
}

/// `1,234,567`.
pub(crate) fn count(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() * 4 / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `src/main.rs:41`; of long paths, the end.
pub(crate) fn place(file: &str, line: u32) -> String {
    const LONGEST: usize = 46;
    let file = visible::line(file);
    match file.char_indices().rev().nth(LONGEST) {
        Some((at, _)) => format!("…{}:{line}", &file[at..]),
        None => format!("{file}:{line}"),
    }
}

/// `71 %`, `0.4 %`.
pub(crate) fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if (0.05..0.95).contains(&percent) { format!("{percent:.1} %") } else { format!("{percent:.0} %") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_digits() {
        let times = [0, 40, 999, 1_000, 1_234, 56_780, 999_499, 999_500, 12_345_678_901, 7_200_000_000_000];
        let shown = times.map(|nanos| time(Duration::from_nanos(nanos)));
        assert_eq!(
            shown,
            [
                "0 ns", "40 ns", "999 ns", "1.00 µs", "1.23 µs", "56.8 µs", "999 µs", "1.00 ms", "12.3 s",
                "7200 s"
            ]
        );
        assert_eq!([0, 1023, 1024, 1 << 40].map(bytes), ["0 B", "1023 B", "1.00 KiB", "1024 GiB"]);
        assert_eq!([0, 999, 1_000, 1_234_567].map(count), ["0", "999", "1,000", "1,234,567"]);
        assert_eq!([0.0, 0.0004, 0.004, 0.71, 1.0].map(percent), ["0 %", "0 %", "0.4 %", "71 %", "100 %"]);
    }
}
