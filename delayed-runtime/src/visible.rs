//! Text of others as it is shown to people: names and messages that may hold anything.
//!
//! A terminal obeys control characters, and characters that reorder text make it say something else. So
//! neither is shown, and what stands in for them can be seen.

/// The longest name in an error, in characters.
const NAME: usize = 200;

/// Leaves a character as it is, or says what is shown in its place on one line.
pub(crate) fn visible(c: char) -> char {
    match c {
        '\t' | '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => ' ',
        // Invisible, or they reorder what stands beside them.
        '\u{AD}' | '\u{61C}' | '\u{180E}' | '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' => '\u{FFFD}',
        '\u{2060}'..='\u{206F}' | '\u{FEFF}' | '\u{FFF9}'..='\u{FFFB}' | '\u{E0000}'..='\u{E007F}' => {
            '\u{FFFD}'
        }
        // Controls, and what is no character in XML.
        c if c.is_control() || u32::from(c) & 0xFFFE == 0xFFFE => '\u{FFFD}',
        c => c,
    }
}

/// A text on one line.
pub(crate) fn line(text: &str) -> String {
    text.chars().map(visible).collect()
}

/// A text of several lines.
pub(crate) fn lines(text: &str) -> String {
    text.lines().map(line).collect::<Vec<_>>().join("\n")
}

/// The first characters of a text on one line, with a sign if there are more.
pub(crate) fn cut(text: &str, most: usize) -> String {
    let mut cut: String = text.chars().take(most).map(visible).collect();
    if text.chars().nth(most).is_some() {
        cut.pop();
        cut.push('…');
    }
    cut
}

/// A node's name as errors show it.
pub(crate) fn name(name: &str) -> String {
    cut(name, NAME)
}
