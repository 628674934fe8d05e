//! The context through which a node sees and affects the world.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Display;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::random::Random;

/// Maximum bytes of a message, as JSON.
const MESSAGE_BYTES_MAX: usize = 1 << 19;
/// Maximum number of operations in a step.
const OPS_MAX: usize = 10_000;

/// A node's identity in the run.
#[derive(Clone, Debug, Default)]
pub struct Start {
    /// The node's own name, `n1`.
    pub node: String,
    /// Its role in the system.
    pub role: String,
    /// The names of the other nodes of the same role, in the scenario's order.
    pub peers: Vec<String>,
    /// The names of all nodes and clients.
    pub nodes: Vec<String>,
    /// The seed of this process; [`Ctx::random`] comes from it.
    pub seed: u64,
}

/// One end of a connection; unique in the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StreamId(pub u64);

/// Why no more bytes will arrive on a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closed {
    /// The peer has closed its side; this side may still write.
    ByPeer,
    /// The peer does not listen on that port.
    Refused,
    /// The connection was reset, or the peer no longer knows it.
    Reset,
    /// The peer did not answer any retransmission.
    TimedOut,
}

/// What a handler can see and do. Its effects happen when the handler has returned.
#[derive(Debug)]
pub struct Ctx {
    pub(crate) start: Start,
    pub(crate) now: u64,
    pub(crate) wall: i64,
    pub(crate) random: Random,
    pub(crate) saved: BTreeMap<String, Value>,
    pub(crate) ops: Vec<String>,
    pub(crate) logs: Vec<String>,
    known: BTreeSet<String>,
    stream_next: u64,
}

impl Ctx {
    pub(crate) fn new(start: Start, saved: BTreeMap<String, Value>) -> Ctx {
        let random = Random::new(start.seed);
        let known = start.nodes.iter().cloned().collect();
        Ctx {
            start,
            now: 0,
            wall: 0,
            random,
            saved,
            ops: vec![],
            logs: vec![],
            known,
            stream_next: 1,
        }
    }

    /// This node's name.
    pub fn name(&self) -> &str {
        &self.start.node
    }

    /// The names of the other nodes of the same role.
    pub fn peers(&self) -> &[String] {
        &self.start.peers
    }

    /// The node's identity in the run.
    pub fn start(&self) -> &Start {
        &self.start
    }

    /// The node's monotonic clock in seconds. It drifts, but never goes back.
    pub fn now(&self) -> f64 {
        self.now as f64 / 1e9
    }

    /// The same clock in ns.
    pub fn now_ns(&self) -> u64 {
        self.now
    }

    /// The node's wall clock in ns since 1970. It can be wrong and step.
    pub fn wall_ns(&self) -> i64 {
        self.wall
    }

    /// Randomness for this process, from the run's seed.
    pub fn random(&mut self) -> &mut Random {
        &mut self.random
    }

    /// Send a message, which as JSON is an object with a `type`. It may be lost, duplicated,
    /// delayed or reordered.
    ///
    /// Panics if there is no such node or the message cannot be sent, which is a bug in the
    /// program.
    #[track_caller]
    pub fn send(&mut self, dest: &str, message: &impl Serialize) {
        let body = body(message);
        self.send_body(dest, &body);
    }

    /// Send a message to every peer.
    #[track_caller]
    pub fn broadcast(&mut self, message: &impl Serialize) {
        let body = body(message);
        for peer in self.start.peers.clone() {
            self.send_body(&peer, &body);
        }
    }

    #[track_caller]
    fn send_body(&mut self, dest: &str, body: &str) {
        self.known(dest);
        self.put(format!(r#"{{"op":"send","dest":{},"body":{body}}}"#, quoted(dest)));
    }

    /// Call `on_timer(name)` once after this many seconds of the node's clock, replacing an earlier
    /// setting of this timer.
    #[track_caller]
    pub fn set_timer(&mut self, name: &str, after_s: f64) {
        check_name("timer", name);
        assert!(after_s.is_finite() && after_s < 9e9, "{after_s} is not a number of seconds");
        // At least 1 ns: otherwise code that waits for the remainder of a wait could loop without
        // time passing.
        let least = u64::from(after_s > 0.0);
        let after = ((after_s.max(0.0) * 1e9).round() as u64).max(least);
        self.put(format!(r#"{{"op":"set_timer","name":"{name}","after":{after}}}"#));
    }

    /// Cancel a timer; no effect if it is not running.
    #[track_caller]
    pub fn cancel_timer(&mut self, name: &str) {
        check_name("timer", name);
        self.put(format!(r#"{{"op":"cancel_timer","name":"{name}"}}"#));
    }

    /// Save a value to disk, as it is now. Messages that follow leave when it is durable.
    #[track_caller]
    pub fn save(&mut self, key: &str, value: &impl Serialize) {
        check_name("key", key);
        let value = serde_json::to_value(value)
            .unwrap_or_else(|error| panic!("cannot save `{key}`: {error}"));
        self.put(format!(r#"{{"op":"save","key":"{key}","value":{value}}}"#));
        if value.is_null() {
            self.saved.remove(key);
        } else {
            self.saved.insert(key.to_owned(), value);
        }
    }

    /// Remove a value from the disk.
    #[track_caller]
    pub fn forget(&mut self, key: &str) {
        self.save(key, &Value::Null);
    }

    /// A saved value: after a restart as it was on the disk. `None` if nothing was saved, or if a
    /// disk fault has damaged it.
    ///
    /// Panics if it was saved with another type, which is a bug in the program.
    #[track_caller]
    pub fn saved<T: DeserializeOwned>(&self, key: &str) -> Option<T> {
        let value = self.saved.get(key).filter(|value| !value.is_null())?;
        Some(T::deserialize(value).unwrap_or_else(|error| {
            panic!("the value saved as `{key}` has another type: {error}: {value}")
        }))
    }

    /// Whether a disk fault has damaged the saved value.
    pub fn is_damaged(&self, key: &str) -> bool {
        self.saved.get(key).is_some_and(Value::is_null)
    }

    /// Record an event, as the assignment requires: `ctx.observe("leader", json!({"term": 3}))`.
    #[track_caller]
    pub fn observe(&mut self, event: &str, fields: Value) {
        check_name("event", event);
        let Value::Object(map) = &fields else {
            panic!(
                "the fields of `{event}` must be an object, as in json!({{\"term\": 3}}), not \
                {fields}"
            )
        };
        for (name, value) in map {
            check_name("field", name);
            check_shown(name, value);
        }
        self.put(format!(r#"{{"op":"observe","name":"{event}","fields":{fields}}}"#));
    }

    /// Set a metric, valid until it changes: `ctx.show("role", "leader")`.
    #[track_caller]
    pub fn show(&mut self, metric: &str, value: impl Into<Value>) {
        check_name("metric", metric);
        let value = match value.into() {
            Value::Null => json!("none"),
            value => value,
        };
        check_shown(metric, &value);
        self.put(format!(r#"{{"op":"observe","name":"{metric}","value":{value}}}"#));
    }

    /// Write a line to the log, with virtual time.
    pub fn log(&mut self, line: impl Display) {
        self.logs.push(line.to_string());
    }

    /// Accept connections on a port from now on.
    pub fn listen(&mut self, port: u16) {
        self.put(format!(r#"{{"op":"listen","port":{port}}}"#));
    }

    /// Open a connection; `on_connect` or `on_close` follows. Bytes written before that are sent as
    /// soon as possible.
    #[track_caller]
    pub fn connect(&mut self, dest: &str, port: u16) -> StreamId {
        self.known(dest);
        let stream = StreamId(self.stream_next);
        self.stream_next += 1;
        self.put(format!(
            r#"{{"op":"connect","stream":{},"dest":{},"port":{port}}}"#,
            stream.0,
            quoted(dest)
        ));
        stream
    }

    /// Append bytes to the send buffer. Nothing is refused, and arrival is not reported.
    #[track_caller]
    pub fn write(&mut self, stream: StreamId, data: &[u8]) {
        for piece in data.chunks(1 << 18) {
            self.put(format!(
                r#"{{"op":"write","stream":{},"base64":"{}"}}"#,
                stream.0,
                base64(piece)
            ));
        }
    }

    /// Close this side; written bytes are still sent.
    #[track_caller]
    pub fn close(&mut self, stream: StreamId) {
        self.put(format!(r#"{{"op":"close","stream":{}}}"#, stream.0));
    }

    /// Stop receiving for now. Once the receive window is full, the peer has to wait.
    #[track_caller]
    pub fn pause_reading(&mut self, stream: StreamId) {
        self.put(format!(r#"{{"op":"pause_reading","stream":{}}}"#, stream.0));
    }

    /// Receive again, starting with the bytes that arrived meanwhile.
    #[track_caller]
    pub fn resume_reading(&mut self, stream: StreamId) {
        self.put(format!(r#"{{"op":"resume_reading","stream":{}}}"#, stream.0));
    }

    /// Reset a connection immediately, and forget it.
    #[track_caller]
    pub fn reset(&mut self, stream: StreamId) {
        self.put(format!(r#"{{"op":"reset","stream":{}}}"#, stream.0));
    }

    #[track_caller]
    fn known(&self, dest: &str) {
        assert!(
            self.known.contains(dest),
            "there is no node `{dest}`; the nodes are {}",
            self.start.nodes.join(", ")
        );
    }

    #[track_caller]
    fn put(&mut self, op: String) {
        assert!(
            self.ops.len() < OPS_MAX,
            "one step asks for more than {OPS_MAX} operations: is there an endless loop?"
        );
        self.ops.push(op);
    }
}

#[track_caller]
fn body(message: &impl Serialize) -> String {
    let value = serde_json::to_value(message)
        .unwrap_or_else(|error| panic!("a message that cannot be written as JSON: {error}"));
    match value.get("type") {
        Some(Value::String(kind)) => check_name("message type", kind),
        _ => panic!(
            "a message is an object with a text `type`, like an enum with #[serde(tag = \
            \"type\")], not {value}"
        ),
    }
    let body = value.to_string();
    assert!(
        body.len() <= MESSAGE_BYTES_MAX,
        "a message of {} bytes; the maximum is {MESSAGE_BYTES_MAX}",
        body.len()
    );
    body
}

#[track_caller]
fn check_name(what: &str, name: &str) {
    let good = |c: char| c.is_ascii_alphanumeric() || "_-.:/".contains(c);
    let fits = (1..=64).contains(&name.len()) && name.chars().all(good);
    assert!(fits, "`{name}` is not a valid name for a {what}: 1 to 64 letters, digits and _ - . : \
        /");
}

#[track_caller]
fn check_shown(name: &str, value: &Value) {
    let fits = match value {
        Value::Number(number) => number.is_i64(),
        Value::Array(_) | Value::Object(_) => false,
        _ => true,
    };
    assert!(
        fits,
        "`{name}` is {value}: an observed value is a 64-bit integer, a text, true, false or null"
    );
}

/// A text as JSON.
pub(crate) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// RFC 4648, section 4, with padding.
fn base64(data: &[u8]) -> String {
    let mut text = String::with_capacity(data.len().div_ceil(3) * 4);
    for group in data.chunks(3) {
        let bits = (0..3)
            .fold(0_u32, |bits, at| bits << 8 | u32::from(group.get(at).copied().unwrap_or(0)));
        for at in 0..4 {
            let digit = ALPHABET[(bits >> (18 - 6 * at) & 63) as usize];
            text.push(if at <= group.len() { char::from(digit) } else { '=' });
        }
    }
    text
}

/// Decode base64; `None` if it is invalid.
pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=').as_bytes();
    let mut data = Vec::with_capacity(digits.len() * 3 / 4);
    for group in digits.chunks(4) {
        let mut bits = 0_u32;
        for digit in group {
            bits = bits << 6 | ALPHABET.iter().position(|known| known == digit)? as u32;
        }
        bits <<= 6 * (4 - group.len());
        data.extend_from_slice(bits.to_be_bytes().get(1..group.len())?);
    }
    Some(data)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Even the shortest remainder of a wait takes a nanosecond.
    #[test]
    fn a_wait_is_no_shorter_than_a_nanosecond() {
        let start = Start { node: "n1".into(), ..Start::default() };
        let mut ctx = Ctx::new(start, BTreeMap::new());
        for (after_s, nanoseconds) in
            [(0.0, 0), (-1.0, 0), (1e-12, 1), (1.4e-9, 1), (0.25, 250_000_000)]
        {
            ctx.set_timer("rest", after_s);
            let op = ctx.ops.pop().unwrap_or_default();
            assert!(op.ends_with(&format!("\"after\":{nanoseconds}}}")), "{op}");
        }
    }

    /// RFC 4648, section 10.
    #[test]
    fn base64_is_that_of_the_rfc() {
        for (data, text) in
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")]
        {
            assert_eq!(base64(data.as_bytes()), text);
            assert_eq!(from_base64(text).as_deref(), Some(data.as_bytes()));
        }
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(from_base64(&base64(&all)), Some(all));
        assert_eq!(from_base64("a*=="), None);
    }
}
