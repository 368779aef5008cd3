//! Scores a text beside a corpus: how easy it reads, how rare its words are, what it repeats. One attribute makes
//! the statements of `score` run in parallel; `score::sequential` is the same function without it.
//!
//! ```sh
//! cargo run --release --example score                   # two documents of this repository
//! cargo run --release --example score -- TEXT CORPUS    # two files
//! ```

use std::collections::BTreeMap;
use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

#[derive(Debug, PartialEq)]
struct Score {
    /// Flesch's index: 100 is very easy, below 30 very hard.
    reading_ease: f64,
    /// The standard deviation of the lengths of sentences, in words.
    rhythm: f64,
    /// Different words by words.
    variety: f64,
    /// How many bits a word of the text tells somebody who knows the corpus.
    rarity: f64,
    /// Good words less bad words, by thousand words.
    tone: f64,
    /// 1 if the two texts have the same triples of letters, as often.
    similarity: f64,
    /// The longest phrase that occurs twice.
    repeated: String,
}

/// Scores a text; `None` if it or the corpus has no words.
///
/// Each statement is called when those before it whose values it uses have ended.
#[delayed::graph]
fn score(text: &str, corpus: &str) -> Option<Score> {
    let words = tokenize(text)?;
    let letters = triples(text);
    let corpus_letters = triples(corpus);
    let similarity = cosine(letters, corpus_letters);
    let corpus_words = tokenize(corpus)?;
    let corpus_counts = count(&corpus_words);
    let counts = count(&words);
    let rarity = rarity(&counts, &corpus_counts);
    let variety = counts.len() as f64 / words.len() as f64;
    let sentences = sentence_lengths(text);
    let syllables: usize = words.iter().map(|word| syllables(word)).sum();
    let reading_ease = flesch(words.len(), sentences.len(), syllables);
    let rhythm = deviation(&sentences);
    let tone = tone(&words);
    let repeated = longest_repeat(&words);
    Some(Score { reading_ease, rhythm, variety, rarity, tone, similarity, repeated })
}

fn tokenize(text: &str) -> Option<Vec<String>> {
    let words = text.split(|c: char| !c.is_alphabetic()).filter(|word| !word.is_empty());
    let words: Vec<String> = words.map(str::to_lowercase).collect();
    (!words.is_empty()).then_some(words)
}

/// In words, of all sentences that have some; no sentence goes on in the next line.
fn sentence_lengths(text: &str) -> Vec<usize> {
    let sentences = text.lines().flat_map(|line| line.split(". "));
    let lengths = sentences.map(|sentence| sentence.split_whitespace().count());
    lengths.filter(|length| *length > 0).collect()
}

// The maps are sorted, because a sum of floats depends on its order.
fn count(words: &[String]) -> BTreeMap<&str, u32> {
    let mut counts = BTreeMap::new();
    for word in words {
        *counts.entry(word.as_str()).or_default() += 1;
    }
    counts
}

fn triples(text: &str) -> BTreeMap<[char; 3], u32> {
    let letters: Vec<char> = text.chars().filter(|c| c.is_alphabetic()).collect();
    let mut counts = BTreeMap::new();
    for triple in letters.windows(3) {
        *counts.entry([triple[0], triple[1], triple[2]]).or_default() += 1;
    }
    counts
}

/// As many as there are groups of vowels, without a silent `e` at the end.
fn syllables(word: &str) -> usize {
    let is_vowel = |c: char| "aeiouyäöüéè".contains(c);
    let mut groups = 0;
    let mut before = false;
    for c in word.chars() {
        groups += usize::from(is_vowel(c) && !before);
        before = is_vowel(c);
    }
    groups.saturating_sub(usize::from(word.ends_with('e') && !word.ends_with("le"))).max(1)
}

fn flesch(words: usize, sentences: usize, syllables: usize) -> f64 {
    206.835 - 1.015 * words as f64 / sentences as f64 - 84.6 * syllables as f64 / words as f64
}

fn deviation(lengths: &[usize]) -> f64 {
    let mean = lengths.iter().sum::<usize>() as f64 / lengths.len() as f64;
    let squares = lengths.iter().map(|length| (*length as f64 - mean).powi(2));
    (squares.sum::<f64>() / lengths.len() as f64).sqrt()
}

fn rarity(counts: &BTreeMap<&str, u32>, corpus: &BTreeMap<&str, u32>) -> f64 {
    let all: u32 = corpus.values().sum();
    let words: u32 = counts.values().sum();
    let bits = counts.iter().map(|(word, count)| {
        // Each word counts once more, so that one that the corpus does not have is rare and not impossible.
        let expected = corpus.get(word).copied().unwrap_or(0) + 1;
        f64::from(*count) * (f64::from(all + 1) / f64::from(expected)).log2()
    });
    bits.sum::<f64>() / f64::from(words)
}

fn tone(words: &[String]) -> f64 {
    let is_in =
        |list: &'static [&str]| words.iter().filter(|word| list.contains(&word.as_str())).count() as f64;
    let good = is_in(&["best", "better", "easy", "exact", "fast", "free", "good", "known", "right", "short"]);
    let bad = is_in(&[
        "bad", "damaged", "error", "fails", "failure", "late", "lost", "slow", "weak", "worse", "wrong",
    ]);
    1000.0 * (good - bad) / words.len() as f64
}

/// The cosine of the angle between two texts, as vectors of how often each triple occurs. It takes the maps, which
/// nobody else needs, so that they are dropped here, beside other nodes, and not by `score` when all have ended.
fn cosine(a: BTreeMap<[char; 3], u32>, b: BTreeMap<[char; 3], u32>) -> f64 {
    let product = a.iter().map(|(triple, n)| f64::from(*n) * f64::from(b.get(triple).copied().unwrap_or(0)));
    let length = |counts: &BTreeMap<[char; 3], u32>| {
        counts.values().map(|n| f64::from(*n).powi(2)).sum::<f64>().sqrt()
    };
    product.sum::<f64>() / (length(&a) * length(&b))
}

/// Sorts what begins at each word; the two that share most are neighbours then.
fn longest_repeat(words: &[String]) -> String {
    let mut ends: Vec<&[String]> = (0..words.len()).map(|at| &words[at..]).collect();
    ends.sort_unstable();
    let shared = ends.windows(2).map(|pair| {
        let length = pair[0].iter().zip(pair[1]).take_while(|(a, b)| a == b).count();
        &pair[0][..length]
    });
    shared.max_by_key(|phrase| phrase.len()).unwrap_or_default().join(" ")
}

fn main() -> std::io::Result<()> {
    let [text, corpus] = match std::env::args_os().skip(1).map(PathBuf::from).collect::<Vec<_>>().as_slice() {
        [text, corpus] => [text.clone(), corpus.clone()],
        _ => ["ARCHITECTURE.md", "benches/README.md"]
            .map(|file| Path::new(env!("CARGO_MANIFEST_DIR")).join(file)),
    };
    let (text, corpus) = (std::fs::read_to_string(text)?, std::fs::read_to_string(corpus)?);

    let scored = score(&text, &corpus);
    assert_eq!(scored, score::sequential(&text, &corpus));
    println!("{scored:#?}\n");

    println!("{:>8} {:>11} {:>11} {:>7}", "bytes", "sequential", "graph", "faster");
    for part in [64, 16, 4, 1] {
        let (text, corpus) = (first(&text, part), first(&corpus, part));
        let [sequential, graph, ratio] = compare(|| score::sequential(text, corpus), || score(text, corpus));
        println!("{:8} {sequential:8.1} µs {graph:8.1} µs {ratio:6.2}x", text.len() + corpus.len());
    }

    println!("\n{} nodes, the longest chain has {}:\n{}", score::NODES, score::SPAN, score::DOT);
    Ok(())
}

/// The first of so many parts of a text, up to the end of a line.
fn first(text: &str, parts: usize) -> &str {
    let end = text.len() / parts;
    let end = text.as_bytes()[..end].iter().rposition(|byte| *byte == b'\n').unwrap_or(text.len());
    &text[..end]
}

/// Runs two functions in turns for a second. The medians of their times, in microseconds, and of the ratios of a
/// turn.
fn compare<T>(a: impl Fn() -> T, b: impl Fn() -> T) -> [f64; 3] {
    fn time<T>(f: impl Fn() -> T) -> f64 {
        let begin = Instant::now();
        black_box(f());
        begin.elapsed().as_secs_f64() * 1e6
    }
    let begin = Instant::now();
    let mut turns = Vec::new();
    while begin.elapsed() < Duration::from_secs(1) {
        let (a, b) = (time(&a), time(&b));
        turns.push([a, b, a / b]);
    }
    [0, 1, 2].map(|figure| {
        let mut figures: Vec<f64> = turns.iter().map(|turn| turn[figure]).collect();
        figures.sort_unstable_by(f64::total_cmp);
        figures[figures.len() / 2]
    })
}
