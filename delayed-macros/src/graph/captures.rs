//! What the walk knows of names: which macros format, which names a format captures, and which methods take no
//! time.

/// Macros whose literals are formats, which borrow their arguments: of the standard library, and of crates for errors
/// and logs.
pub(super) const FORMATS: [&str; 27] = [
    "anyhow",
    "assert",
    "assert_eq",
    "assert_ne",
    "bail",
    "debug",
    "debug_assert",
    "debug_assert_eq",
    "debug_assert_ne",
    "ensure",
    "eprint",
    "eprintln",
    "error",
    "eyre",
    "format",
    "format_args",
    "info",
    "panic",
    "print",
    "println",
    "todo",
    "trace",
    "unimplemented",
    "unreachable",
    "warn",
    "write",
    "writeln",
];

/// Methods that take no time, on all types that have them.
pub(super) const LIGHT: [&str; 12] = [
    "abs", "as_bytes", "as_deref", "as_ref", "as_slice", "as_str", "is_empty", "is_err", "is_none", "is_ok",
    "is_some", "len",
];

/// The names that a format captures: `{name}`, `{name:?}`, `{:width$}`.
pub(super) fn names(format: &str) -> Vec<String> {
    let is_name = |name: &&str| {
        let mut chars = name.chars();
        chars.next().is_some_and(|first| first.is_alphabetic() || first == '_')
            && chars.all(|c| c.is_alphanumeric() || c == '_')
    };
    let text = format.replace("{{", "").replace("}}", "");
    let mut names = Vec::new();
    for part in text.split('{').skip(1) {
        let inside = part.split('}').next().unwrap_or_default();
        let (name, how) = inside.split_once(':').unwrap_or((inside, ""));
        let sizes = how.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '$'));
        let sizes = sizes.filter_map(|size| size.strip_suffix('$'));
        names.extend(std::iter::once(name.trim()).chain(sizes).filter(is_name).map(str::to_owned));
    }
    names.sort();
    names.dedup();
    names
}

/// Methods that borrow, on all types of std's that have them: what they give may go further than the node.
pub(super) const BORROWS: [&str; 21] = [
    "as_bytes",
    "as_deref",
    "as_ref",
    "as_slice",
    "as_str",
    "borrow",
    "char_indices",
    "chars",
    "chunks",
    "first",
    "get",
    "is_empty",
    "iter",
    "keys",
    "len",
    "split_whitespace",
    "trim",
    "trim_end",
    "trim_start",
    "values",
    "windows",
];

/// Macros that return from the function around them.
pub(super) const RETURNS: [&str; 4] = ["bail", "ensure", "ensure_eq", "throw"];
