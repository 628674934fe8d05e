//! What a program printed before it exited without an answer: usually the reason.
//!
//! An interpreter that cannot even read a program reports it on stderr, which only the testbed
//! sees. The output may be anything and may differ between runs: it is shown next to what the trace
//! says, but never used for a verdict or a digest.

/// Characters shown of a line.
const SHOWN_MAX: usize = 200;

/// The reason in the words of the interpreter or runtime: the last line, and for a traceback the
/// place in the program's own files. Empty if nothing was printed; otherwise it continues the
/// sentence `it exited with status 1`.
pub(super) fn last_words(printed: &str) -> String {
    // Rust's last line says how to get a backtrace.
    let lines = || {
        printed
            .lines()
            .map(str::trim)
            .filter(|line| !line.is_empty() && !line.starts_with("note: "))
    };
    let Some(last) = lines().next_back() else { return String::new() };
    let last = without_addresses(&shortened(last));
    if !lines().any(|line| frame(line).is_some()) {
        return format!("; the last line it printed: {last}");
    }
    // The innermost frames may be in the library; the program's own files have no folder.
    let own = lines().filter_map(frame).rfind(|(file, _)| !file.starts_with(['/', '<']));
    let place = own.map(|(file, line)| format!(" ({}, line {line})", shortened(file)));
    format!(": {last}{}", place.unwrap_or_default())
}

/// File and line from a line of a Python traceback: `File "node.py", line 3, in main`.
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

/// A text without object addresses, as in `<Node object at 0x7f3a52c1e4d0>`: they differ in each
/// process.
pub(super) fn without_addresses(text: &str) -> String {
    const BEGINS: &str = " at 0x";
    let mut shown = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(found) = rest.find(BEGINS) {
        let (before, after) = rest.split_at(found + BEGINS.len());
        let digits = after.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(after.len());
        shown.push_str(before);
        // A shorter number is not an address.
        shown.push_str(if digits >= 6 { "..." } else { &after[..digits] });
        rest = &after[digits..];
    }
    shown + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With the output of Python, Rust and C; anything but a traceback is not presented as the
    /// reason.
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
            "; the last line it printed: node: node.c:7: main: Assertion `0' failed."
        );
        let panic = "thread 'main' panicked at src/main.rs:2:5:\nboom\nnote: run with \
            `RUST_BACKTRACE=1` …\n";
        assert_eq!(last_words(panic), "; the last line it printed: boom");
        assert_eq!(last_words(" \n\n"), "");
        assert!(last_words(&"é".repeat(9_000)).chars().count() < SHOWN_MAX + 40);
    }

    /// Two runs of a program that prints an object show the same text.
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
