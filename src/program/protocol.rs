//! The lines of the protocol, as JSON objects. Times are in nanoseconds of the node's own clocks.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The version of this protocol, sent in the first line.
pub const VERSION: u32 = 1;

/// The descriptor from which a program reads turns.
pub const TURNS_FD: i32 = 3;

/// The descriptor to which it writes answers.
pub const ANSWERS_FD: i32 = 4;

/// Maximum bytes of a line, in either direction.
pub const LINE_BYTES_MAX: usize = 1 << 20;

/// Maximum number of operations in an answer.
pub const OPS_MAX: usize = 10_000;

/// Maximum bytes of the names of timers, keys, events, metrics and message types.
pub const NAME_BYTES_MAX: usize = 64;

/// Maximum bytes of a text shown in a log line.
pub const TEXT_BYTES_MAX: usize = 4_096;

/// Accepted streams have numbers from here on; those that the program opens have smaller ones.
pub const ACCEPTED_FIRST: u64 = 1 << 32;

/// A turn: what has happened, and when.
#[derive(Debug, Serialize)]
pub struct Turn<'a> {
    /// The node's monotonic clock, which drifts but never goes back.
    pub now: u64,
    /// The node's wall clock, since 1970, which can be wrong and step.
    pub wall: i64,
    /// The events, in order.
    pub ev: &'a [Event<'a>],
}

/// An event that a program is told.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event<'a> {
    /// The first turn of the first process of a node.
    Init(Start<'a>),
    /// The first turn of every later process of a node, with everything saved that is durable.
    Restart {
        /// As in `init`.
        #[serde(flatten)]
        start: Start<'a>,
        /// The saved values, by key.
        saved: BTreeMap<String, Value>,
    },
    /// A message has arrived.
    Message {
        /// The sender's name, stamped by the testbed.
        src: &'a str,
        /// The message.
        body: &'a Value,
    },
    /// A timer has expired.
    Timer {
        /// Its name.
        name: &'a str,
    },
    /// The clock has reached the `wait` of the last answer.
    Wake,
    /// The scenario sends a command to the node.
    Command {
        /// As written in the scenario: `transfer_leadership n2`.
        command: &'a str,
    },
    /// The process is asked to exit; the effects of its answer still happen.
    Stop,
    /// A peer has connected to a port that this node listens on.
    Accepted {
        /// The number of the new stream.
        stream: u64,
        /// The peer.
        src: &'a str,
        /// The port.
        port: u16,
    },
    /// A connection that this node opened is established.
    Connected {
        /// Its number.
        stream: u64,
    },
    /// The peer does not listen on that port.
    Refused {
        /// Its number.
        stream: u64,
    },
    /// Bytes, in order; the boundaries between pieces mean nothing.
    Data {
        /// The number of the stream.
        stream: u64,
        /// The bytes.
        base64: String,
    },
    /// The peer has closed its direction; this node may still write.
    PeerClosed {
        /// The number of the stream.
        stream: u64,
    },
    /// A full send buffer has room again.
    Writable {
        /// The number of the stream.
        stream: u64,
    },
    /// The peer reset the connection, or does not know it (any more).
    Reset {
        /// Its number.
        stream: u64,
    },
    /// The peer did not answer any of the retransmissions.
    TimedOut {
        /// The number of the connection.
        stream: u64,
    },
}

/// What a process learns about its node.
#[derive(Debug, Serialize)]
pub struct Start<'a> {
    /// [`VERSION`].
    pub protocol: u32,
    /// The node's own name.
    pub node: &'a str,
    /// Its role.
    pub role: &'a str,
    /// All other nodes of the same role, in the scenario's order.
    pub peers: Vec<&'a str>,
    /// All nodes and clients, in the scenario's order.
    pub nodes: Vec<&'a str>,
    /// The seed for all randomness of this process, 64 bits in hexadecimal.
    pub seed: String,
}

/// A program's answer to a turn.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// The operations it asks for, in order.
    #[serde(default)]
    pub ops: Vec<Op>,
    /// Wake it when its monotonic clock shows this, if nothing comes sooner; replaces an earlier
    /// `wait`.
    #[serde(default)]
    pub wait: Option<u64>,
    /// The process exits with this status.
    #[serde(default)]
    pub exit: Option<i32>,
    /// Why it exits: the traceback.
    #[serde(default)]
    pub error: Option<String>,
}

/// An operation that a program can ask for.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Op {
    /// Send a message, possibly to itself. It may be lost, duplicated, delayed or reordered.
    Send {
        /// The receiver's name.
        dest: String,
        /// An object with a `type`.
        body: Map<String, Value>,
    },
    /// Set a timer, replacing an earlier setting of the same timer.
    SetTimer {
        /// Its name.
        name: String,
        /// Nanoseconds of the node's monotonic clock until it expires.
        after: u64,
    },
    /// Cancel a timer.
    CancelTimer {
        /// Its name.
        name: String,
    },
    /// Save a value to disk. Messages and observations that follow wait until it is durable.
    Save {
        /// Its key.
        key: String,
        /// The value; `null` removes the key.
        value: Value,
    },
    /// Record an event (`fields`), or the value of a metric (`value`).
    Observe {
        /// The event or the metric.
        name: String,
        /// The fields of an event.
        #[serde(default)]
        fields: Option<Map<String, Value>>,
        /// The new value of a metric.
        #[serde(default)]
        value: Option<Value>,
    },
    /// A line for `--log`.
    Log {
        /// The line.
        text: String,
    },
    /// Accept connections on a port from now on.
    Listen {
        /// The port.
        port: u16,
    },
    /// Open a connection.
    Connect {
        /// The number that the program assigns to it: at least 1, below [`ACCEPTED_FIRST`], and not
        /// used before.
        stream: u64,
        /// The node to reach, by name.
        dest: String,
        /// The port to reach.
        port: u16,
    },
    /// Append bytes to a stream's send buffer.
    Write {
        /// Its number.
        stream: u64,
        /// The bytes.
        base64: String,
    },
    /// Close this side's direction.
    Close {
        /// The number of the stream.
        stream: u64,
    },
    /// Stop receiving for now: once the receive window is full, the peer has to wait.
    PauseReading {
        /// The number of the stream.
        stream: u64,
    },
    /// Receive again, starting with the bytes that arrived meanwhile.
    ResumeReading {
        /// The number of the stream.
        stream: u64,
    },
    /// Reset a connection immediately, and forget it.
    Reset {
        /// The number of the stream.
        stream: u64,
    },
}
