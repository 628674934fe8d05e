//! Records of the log: JSON in canonical form, each chained to the one before it by a hash.
//!
//! The hash covers the canonical text of a record and the hash of its predecessor, so the hash of
//! the last record is a digest of the whole file. Canonical means that the fields stand in
//! alphabetical order without blanks: a record that was read and written again by another program,
//! with its fields in another order, has the same hash.

use std::rc::Rc;

use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use crate::node::NodeId;

/// A form, with the field names of the assignment. The fields are declared in alphabetical order,
/// which is the canonical one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Form {
    /// Family names.
    pub apellidos: String,
    /// The serial number of the paper form; the clients make it unique, so that a history tells
    /// versions apart.
    pub folio: u64,
    /// `F`, `M` or `X`.
    pub genero: String,
    /// The key.
    pub id: String,
    /// Given names.
    pub nombres: String,
}

/// What a record does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// A new form.
    Insert,
    /// A new content of a form.
    Update,
    /// A form goes.
    Delete,
}

impl Operation {
    /// The word in the log.
    pub fn word(self) -> &'static str {
        match self {
            Operation::Insert => "insert",
            Operation::Update => "update",
            Operation::Delete => "delete",
        }
    }
}

/// What a record says, in canonical order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Content {
    /// Who asked.
    pub client: u32,
    /// Whether it takes effect. A refused request (an insert of an id that exists) is in the log
    /// too: its refusal is an answer, which must be the same however often the request arrives and
    /// whoever leads by then.
    pub done: bool,
    /// The epoch of the leader that made the record.
    pub epoch: u64,
    /// The id of the form.
    pub key: Rc<str>,
    /// What it does.
    pub operation: Operation,
    /// The client's number for its request.
    pub req: u64,
    /// Its place in the log, from 1.
    pub seq: u64,
    /// The form; `null` for a deletion.
    pub value: Option<Rc<Form>>,
}

/// A record of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What it says.
    pub content: Content,
    /// The canonical text of the content.
    pub text: Rc<str>,
    /// The hash of the record before it; 0 for the first.
    pub prev: u64,
    /// The hash of this one.
    pub hash: u64,
}

/// A record on its way: the text may have been damaged, the hash tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WireRecord {
    /// The canonical text, as sent.
    pub text: Rc<str>,
    /// The hash that the sender's log has for it.
    pub hash: u64,
}

/// The hash of a record: of its canonical text, seeded with the hash before it.
pub fn chained(prev: u64, text: &str) -> u64 {
    xxh3_64_with_seed(text.as_bytes(), prev)
}

impl Record {
    /// The record that follows one with this hash.
    pub fn new(content: Content, prev: u64) -> Record {
        let text: Rc<str> = serde_json::to_string(&content).expect("a record is JSON").into();
        let hash = chained(prev, &text);
        Record { content, text, prev, hash }
    }

    /// Who asked for it, and under which number.
    pub fn request(&self) -> (NodeId, u64) {
        (NodeId(self.content.client), self.content.req)
    }

    /// For the network.
    pub fn wire(&self) -> WireRecord {
        WireRecord { text: self.text.clone(), hash: self.hash }
    }

    /// Its line in the file `log`.
    pub fn line(&self) -> Vec<u8> {
        let body = self.text.strip_suffix('}').expect("an object ends with a brace");
        format!("{body},\"prev_hash\":\"{:016x}\",\"hash\":\"{:016x}\"}}\n", self.prev, self.hash)
            .into_bytes()
    }

    /// Read a line, without its end. `None` where it is no record; its hash is computed anew and
    /// may differ from the one that it claims.
    pub fn parse(line: &str, prev: u64) -> Option<(Record, u64)> {
        let (body, hashes) = line.rsplit_once(",\"prev_hash\":\"")?;
        let (claimed_prev, claimed) = hashes.strip_suffix("\"}")?.split_once("\",\"hash\":\"")?;
        let (claimed_prev, claimed) = (hash(claimed_prev)?, hash(claimed)?);
        if claimed_prev != prev {
            return None;
        }
        Some((Record::new(content(&format!("{body}}}"))?, prev), claimed))
    }
}

impl WireRecord {
    /// The record that follows one with the hash `prev`, computed from the text as it arrived;
    /// `None` where the text is none.
    pub fn read(&self, prev: u64) -> Option<Record> {
        Some(Record::new(content(&self.text)?, prev))
    }
}

/// A hash of 16 places, of which there is only one way to write it.
fn hash(text: &str) -> Option<u64> {
    let lower = text.len() == 16
        && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    if lower { u64::from_str_radix(text, 16).ok() } else { None }
}

/// The content of a JSON text, in whatever order its fields stand.
fn content(text: &str) -> Option<Content> {
    serde_json::from_str(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form() -> Form {
        let text = |word: &str| word.to_owned();
        Form {
            apellidos: text("Paz"),
            folio: 7,
            genero: text("F"),
            id: text("k1"),
            nombres: text("Ada"),
        }
    }

    fn record(seq: u64, prev: u64) -> Record {
        let value = Some(Rc::new(form()));
        Record::new(
            Content {
                client: 4,
                done: true,
                epoch: 1,
                key: "k1".into(),
                operation: Operation::Insert,
                req: 9,
                seq,
                value,
            },
            prev,
        )
    }

    /// The line is what the assignment asks for, and it can be read by anybody who reads JSON.
    #[test]
    fn a_line_is_json_with_its_hashes() {
        let line = String::from_utf8(record(1, 0).line()).expect("text");
        let value: serde_json::Value = serde_json::from_str(line.trim_end()).expect("JSON");
        assert_eq!(value["operation"], "insert");
        assert_eq!(value["value"]["nombres"], "Ada");
        assert_eq!(value["prev_hash"], "0000000000000000");
        let (read, claimed) = Record::parse(line.trim_end(), 0).expect("a record");
        assert_eq!((read.hash, &read), (claimed, &record(1, 0)));
    }

    /// The order of the fields carries no meaning in JSON, so it has no part in the hash.
    #[test]
    fn another_order_of_fields_has_the_same_hash() {
        let here = record(1, 0);
        let there = r#"{"seq":1,"value":{"nombres":"Ada","id":"k1","genero":"F","folio":7,"apellidos":"Paz"},
            "req":9,"operation":"insert","key":"k1","epoch":1,"done":true,"client":4}"#;
        let read = WireRecord { text: there.into(), hash: here.hash }.read(0).expect("a record");
        assert_eq!(read.hash, here.hash);
    }

    /// A record in another place of the log has another hash, though it says the same.
    #[test]
    fn the_hash_covers_all_that_came_before() {
        assert_ne!(record(2, 5).hash, record(2, 6).hash);
        assert!(Record::parse(&String::from_utf8(record(2, 5).line()).expect("text"), 6).is_none());
    }
}
