//! What a program printed before it ended without an answer: most often why it did.
//!
//! An interpreter that cannot even read a program says so where nobody listens to it but the
//! testbed. What is printed may be anything, and may differ from run to run where a program wants
//! it to: it is shown beside what the trace says, never looked at for a verdict, and never in a
//! digest.

/// Characters of a line that are shown.
const SHOWN_MAX: usize = 200;

/// What ended it, in the words of an interpreter or of a runtime: the last line, and of a traceback
/// the place in the program's own files. Empty where nothing was printed; else what follows on `it
/// ended with status 1`.
pub(super) fn last_words(printed: &str) -> String {
    // Rust says at last how one would get more lines.
    let lines = || {
        printed
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with("note: "))
    };
    let Some(last) = lines().next_back() else { return String::new() };
    let last = without_addresses(&shortened(last));
    if !lines().any(|line| frame(line).is_some()) {
        return format!("; the last that it printed: {last}");
    }
    // The innermost frames may be the interpreter's own; those of the program have no folder.
    let own = lines().filter_map(frame).rfind(|(file, _)| !file.starts_with(['/', '<']));
    let place = own.map(|(file, line)| format!(" ({}, line {line})", shortened(file)));
    format!(": {last}{}", place.unwrap_or_default())
}

/// The file and the line of a line of Python's tracebacks: `File "node.py", line 3, in main`.
fn frame(line: &str) -> Option<(&str, u32)> {
    let (file, rest) = line.strip_prefix("File \"")?.split_once("\", line ")?;
    let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    Some((file, rest[..digits].parse().ok()?))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// A text without the places of objects in memory, as in `<Node object at 0x7f3a52c1e4d0>`: they
/// are others in each process.
pub(super) fn without_addresses(text: &str) -> String {
    const BEGINS: &str = " at 0x";
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(found) = rest.find(BEGINS) {
        let (before, after) = rest.split_at(found + BEGINS.len());
        let digits = after.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(after.len());
        shown.push_str(before);
        // A shorter number is no address.
        shown.push_str(if digits >= 6 { "..." } else { &after[..digits] });
        rest = &after[digits..];
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As Python, Rust and C have it; what is not a traceback is not taken for a reason.
    #[test]
    fn the_last_line_and_the_place_are_kept() {
        let syntax = "  File \"node.py\", line 3\n    def on_init(self:\n               \
            ^\nSyntaxError: '(' was never closed";
        assert_eq!(last_words(syntax), ": SyntaxError: '(' was never closed (node.py, line 3)");
        let library = "Traceback (most recent call last):\n  File \"node.py\", line 2, in \
            <module>\n    json.loads('')\n  \
                       File \"/usr/lib/python3.11/json/__init__.py\", line 346, in \
                       loads\njson.decoder.JSONDecodeError: Expecting value";
        assert_eq!(
            last_words(library),
            ": json.decoder.JSONDecodeError: Expecting value (node.py, line 2)"
        );
        assert_eq!(
            last_words("node: node.c:7: main: Assertion `0' failed.\n"),
            "; the last that it printed: node: node.c:7: main: Assertion `0' failed."
        );
        let panic = "thread 'main' panicked at src/main.rs:2:5:\nboom\nnote: run with \
            `RUST_BACKTRACE=1` …\n";
        assert_eq!(last_words(panic), "; the last that it printed: boom");
        assert_eq!(last_words(" \n\n"), "");
        assert!(last_words(&"é".repeat(9_000)).chars().count() < SHOWN_MAX + 40);
    }

    /// Two runs of a program that prints an object print the same.
    #[test]
    fn addresses_are_left_out() {
        assert_eq!(
            without_addresses("<N object at 0x7f3a52c1e4d0> at 0x12, <M at 0x7f3a52c1e4d0>"),
            "<N object at 0x...> at 0x12, <M at 0x...>"
        );
        assert_eq!(
            without_addresses("the hash 0x7f3a52c1e4d0, at 0x"),
            "the hash 0x7f3a52c1e4d0, at 0x"
        );
    }
}
