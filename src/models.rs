//! Sequential models: what clients may observe of a correct service that serves one operation after
//! another.
//!
//! The key-value store: each key has a text, or `nil` before the first write. `write` replaces it,
//! `append` adds `,N` (or sets `N` if it is `nil`), `cas` replaces it if it is as expected, `read`
//! returns it.

/// An operation of the key-value store on one key, in the notation of the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KvOp<'a> {
    /// `k1` when invoked, `k1=7,9` or `k1=nil` when `ok`. The text read; the outer option is `None`
    /// before it is known.
    Read(Option<Option<&'a str>>),
    /// `k1=7`.
    Write(&'a str),
    /// `k1+=9`.
    Append(&'a str),
    /// `k1:7->9`; the expected text may be `nil`.
    Cas {
        /// The expected text; `None` is `nil`.
        from: Option<&'a str>,
        /// The text that replaces it.
        to: &'a str,
    },
}

/// The notation for the text of a key that was never written.
pub const NIL: &str = "nil";

/// Parse the key and the operation from a line of the history; `None` if the value is damaged or
/// the operation is not one of the store's.
pub fn parse_kv<'a>(f: &str, value: &'a str) -> Option<(&'a str, KvOp<'a>)> {
    let text = |text: &'a str| if text == NIL { None } else { Some(text) };
    match f {
        "read" => match value.split_once('=') {
            Some((key, read)) => Some((key, KvOp::Read(Some(text(read))))),
            None => Some((value, KvOp::Read(None))),
        },
        "write" => value.split_once('=').map(|(key, written)| (key, KvOp::Write(written))),
        "append" => value.split_once("+=").map(|(key, part)| (key, KvOp::Append(part))),
        "cas" => {
            let (key, change) = value.split_once(':')?;
            let (from, to) = change.split_once("->")?;
            Some((key, KvOp::Cas { from: text(from), to }))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The notation is that of the history; `nil` is not a text, and an unfinished read has none.
    #[test]
    fn values_of_the_history_are_read() {
        assert_eq!(parse_kv("read", "k1"), Some(("k1", KvOp::Read(None))));
        assert_eq!(parse_kv("read", "k1=nil"), Some(("k1", KvOp::Read(Some(None)))));
        assert_eq!(parse_kv("read", "k1=7,9"), Some(("k1", KvOp::Read(Some(Some("7,9"))))));
        assert_eq!(parse_kv("write", "k1=7"), Some(("k1", KvOp::Write("7"))));
        assert_eq!(parse_kv("append", "k1+=9"), Some(("k1", KvOp::Append("9"))));
        assert_eq!(parse_kv("cas", "k1:nil->9"), Some(("k1", KvOp::Cas { from: None, to: "9" })));
        assert_eq!(
            parse_kv("cas", "k1:7,8->9"),
            Some(("k1", KvOp::Cas { from: Some("7,8"), to: "9" }))
        );
    }

    /// A damaged value is refused, never taken for another operation.
    #[test]
    fn damaged_values_are_refused() {
        for (f, value) in [
            ("write", "k1"),
            ("append", "k1=3"),
            ("cas", "k1:7"),
            ("cas", "7->9"),
            ("leap", "k1=7"),
        ] {
            assert_eq!(parse_kv(f, value), None, "{f} {value}");
        }
    }
}
