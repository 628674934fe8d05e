//! Values of any kind as text, in such a way that the kind can be told again:
//!
//! | text | kind |
//! |---|---|
//! | `3`, `-12` | a number |
//! | `@n1` | a node |
//! | `#00ab34…` | a digest, 16 hexadecimal places |
//! | `leader`, `n1+n2`, `-` | a word: begins with none of the above and has no blank, quote or backslash |
//! | `'index out of range'` | any other text; `\'`, `\\`, `\n`, `\r` and `\t` stand for what they do in Rust |
//!
//! The fields of an event are `name=value`, with one blank between them.

use std::collections::BTreeMap;
use std::io::Write;

use crate::trace::{Fields, NodeId, Trace, Value};

/// An event with more fields is refused: nothing writes as many, and memory must not follow a
/// damaged file.
const FIELDS_MAX: usize = 64;

/// The ids of nodes by name, for reading.
pub(super) type NodeNames<'a> = BTreeMap<&'a str, NodeId>;

/// Append a value.
pub(super) fn push_value(out: &mut Vec<u8>, trace: &Trace, value: &Value) {
    match value {
        Value::Int(number) => push_int(out, *number),
        Value::Node(node) => {
            out.push(b'@');
            push_word(out, trace.name(*node));
        }
        Value::Hash(hash) => write!(out, "#{hash:016x}").expect("a Vec takes every byte"),
        Value::Text(text) if reads_as_another_kind(text) => push_quoted(out, text),
        Value::Text(text) => push_word(out, text),
    }
}

/// Append the fields of an event.
pub(super) fn push_fields(out: &mut Vec<u8>, trace: &Trace, fields: &Fields) {
    for (i, (name, value)) in fields.iter().enumerate() {
        if i > 0 {
            out.push(b' ');
        }
        if name.contains('=') {
            push_quoted(out, name)
        } else {
            push_word(out, name)
        }
        out.push(b'=');
        push_value(out, trace, value);
    }
}

/// Append a number in decimal.
pub(super) fn push_int(out: &mut Vec<u8>, number: impl std::fmt::Display) {
    write!(out, "{number}").expect("a Vec takes every byte");
}

fn reads_as_another_kind(text: &str) -> bool {
    match text.as_bytes() {
        [b'@' | b'#' | b'0'..=b'9', ..] => true,
        [b'-', next, ..] => next.is_ascii_digit(),
        _ => false,
    }
}

fn push_word(out: &mut Vec<u8>, text: &str) {
    if is_word(text) { out.extend_from_slice(text.as_bytes()) } else { push_quoted(out, text) }
}

/// Whether a text can stand without quotes.
fn is_word(text: &str) -> bool {
    let plain = |byte: u8| byte > b' ' && byte != b'\'' && byte != b'\\' && byte != 0x7f;
    !text.is_empty() && text.bytes().all(plain)
}

fn push_quoted(out: &mut Vec<u8>, text: &str) {
    out.push(b'\'');
    for byte in text.bytes() {
        match byte {
            b'\'' => out.extend_from_slice(b"\\'"),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => out.push(byte),
        }
    }
    out.push(b'\'');
}

/// Read a value that is all of `text`.
pub(super) fn parse_value(text: &str, nodes: &NodeNames<'_>) -> Result<Value, String> {
    let mut cursor = Cursor { rest: text };
    let value = cursor.value(nodes)?;
    if cursor.rest.is_empty() {
        Ok(value)
    } else {
        Err(format!("`{}` after a value", shorten(cursor.rest)))
    }
}

/// Read the fields of an event: names and values.
pub(super) fn parse_fields(
    text: &str,
    nodes: &NodeNames<'_>,
) -> Result<(Vec<String>, Vec<Value>), String> {
    let (mut names, mut values) = (Vec::new(), Vec::new());
    let mut cursor = Cursor { rest: text };
    while !cursor.rest.is_empty() {
        if names.len() == FIELDS_MAX {
            return Err(format!("more than {FIELDS_MAX} fields in one event"));
        }
        if !names.is_empty() {
            cursor.expect(' ', "a blank between two fields")?;
        }
        names.push(cursor.word('=')?);
        cursor.expect('=', "`=` after the name of a field")?;
        values.push(cursor.value(nodes)?);
    }
    Ok((names, values))
}

/// What of a text is still to be read.
struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    fn expect(&mut self, wanted: char, what: &str) -> Result<(), String> {
        match self.rest.strip_prefix(wanted) {
            Some(rest) => {
                self.rest = rest;
                Ok(())
            }
            None => Err(format!("expected {what}, found {}", found(self.rest))),
        }
    }

    fn value(&mut self, nodes: &NodeNames<'_>) -> Result<Value, String> {
        if let Some(rest) = self.rest.strip_prefix('@') {
            self.rest = rest;
            let name = self.word(' ')?;
            return nodes
                .get(name.as_str())
                .map(|node| Value::Node(*node))
                .ok_or_else(|| unknown_node(&name, nodes));
        }
        if let Some(rest) = self.rest.strip_prefix('#') {
            self.rest = rest;
            let digits = self.until(' ');
            let hexadecimal =
                digits.len() == 16 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
            let hash = if hexadecimal { u64::from_str_radix(digits, 16).ok() } else { None };
            return hash.map(Value::Hash).ok_or_else(|| {
                format!("`#{}` is not a digest, which has 16 hexadecimal places", shorten(digits))
            });
        }
        if reads_as_another_kind(self.rest) {
            let digits = self.until(' ');
            return digits
                .parse()
                .map(Value::Int)
                .map_err(|_| format!("`{}` is not a number of 64 bits", shorten(digits)));
        }
        Ok(Value::Text(self.word(' ')?.into()))
    }

    /// A word up to `end`, or a quoted text.
    fn word(&mut self, end: char) -> Result<String, String> {
        if let Some(rest) = self.rest.strip_prefix('\'') {
            return self.quoted(rest);
        }
        match self.until(end) {
            "" => Err(format!("expected a word, found {}", found(self.rest))),
            word if is_word(word) => Ok(word.to_owned()),
            other => Err(format!(
                "expected a word, found `{}`; a text with blanks or quotes stands in quotes: \
                    'it\\'s so'",
                shorten(other)
            )),
        }
    }

    fn quoted(&mut self, inside: &'a str) -> Result<String, String> {
        let mut text = String::new();
        let mut chars = inside.char_indices();
        while let Some((at, char)) = chars.next() {
            match char {
                '\'' => {
                    self.rest = &inside[at + 1..];
                    return Ok(text);
                }
                '\\' => text.push(match chars.next() {
                    Some((_, 'n')) => '\n',
                    Some((_, 'r')) => '\r',
                    Some((_, 't')) => '\t',
                    Some((_, same @ ('\'' | '\\'))) => same,
                    _ => {
                        return Err(
                            "a backslash that begins none of \\' \\\\ \\n \\r \\t".to_owned()
                        );
                    }
                }),
                _ => text.push(char),
            }
        }
        Err(format!("a quoted text without its end: `'{}`", shorten(inside)))
    }

    fn until(&mut self, end: char) -> &'a str {
        let (head, rest) = self.rest.split_at(self.rest.find(end).unwrap_or(self.rest.len()));
        self.rest = rest;
        head
    }
}

/// "No node is named so", with the names that there are.
pub(super) fn unknown_node(name: &str, nodes: &NodeNames<'_>) -> String {
    let known: Vec<&str> = nodes.keys().copied().take(10).collect();
    format!(
        "no node is named `{}`; results.json has {}",
        shorten(name),
        if known.is_empty() { "none".into() } else { known.join(", ") }
    )
}

fn found(rest: &str) -> String {
    if rest.is_empty() { "the end".to_owned() } else { format!("`{}`", shorten(rest)) }
}

/// The beginning of a text that may be long or hold control characters, for a message.
pub(super) fn shorten(text: &str) -> String {
    let mut short: String = text.chars().take(40).flat_map(char::escape_debug).collect();
    if text.chars().nth(40).is_some() {
        short.push('…');
    }
    short
}
