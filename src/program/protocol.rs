//! The lines of the conversation, as JSON objects. Times are in nanoseconds of the node's own
//! clocks.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The number of this protocol, in the first line.
pub const VERSION: u32 = 1;

/// The descriptor on which a program reads turns.
pub const TURNS_FD: i32 = 3;

/// The descriptor on which it answers.
pub const ANSWERS_FD: i32 = 4;

/// A line may have so many bytes, in either direction.
pub const LINE_BYTES_MAX: usize = 1 << 20;

/// An answer may ask for so many operations.
pub const OPS_MAX: usize = 10_000;

/// Names of timers, keys, events, metrics and message types have at most so many bytes.
pub const NAME_BYTES_MAX: usize = 64;

/// Of such a text a log line shows so many bytes.
pub const TEXT_BYTES_MAX: usize = 4_096;

/// Streams that were accepted have numbers from here; those that the program opens have smaller
/// ones.
pub const ACCEPTED_FIRST: u64 = 1 << 32;

/// A turn: what has happened, and when.
#[derive(Debug, Serialize)]
pub struct Turn<'a> {
    /// The node's monotonic clock, which drifts and never goes back.
    pub now: u64,
    /// The node's wall clock, since 1970; it can be wrong and step.
    pub wall: i64,
    /// What has happened, in order.
    pub ev: &'a [Event<'a>],
}

/// What a program is told.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event<'a> {
    /// The first turn of the first process of a node.
    Init(Start<'a>),
    /// The first turn of every later process of a node; what was saved and is durable is there.
    Restart {
        /// As in `init`.
        #[serde(flatten)]
        start: Start<'a>,
        /// What was saved, by key.
        saved: BTreeMap<String, Value>,
    },
    /// A message has come.
    Message {
        /// Who has sent it, by name: stamped by the testbed.
        src: &'a str,
        /// What was sent.
        body: &'a Value,
    },
    /// A timer has run out.
    Timer {
        /// Its name.
        name: &'a str,
    },
    /// The clock shows the `wait` of the last answer.
    Wake,
    /// Somebody asks for something outside the protocol.
    Command {
        /// As the scenario says it: `transfer_leadership n2`.
        command: &'a str,
    },
    /// The process is asked to end; what it asks for now still happens.
    Stop,
    /// A peer has connected to a port that this node listens on.
    Accepted {
        /// The number of the new stream.
        stream: u64,
        /// Who has connected.
        src: &'a str,
        /// The port.
        port: u16,
    },
    /// A connection that this node asked for stands.
    Connected {
        /// Its number.
        stream: u64,
    },
    /// Nobody listens there.
    Refused {
        /// Its number.
        stream: u64,
    },
    /// Bytes, in order; how they are cut into pieces means nothing.
    Data {
        /// On which stream.
        stream: u64,
        /// The bytes.
        base64: String,
    },
    /// The peer has closed its direction; this node may still write.
    PeerClosed {
        /// Of which stream.
        stream: u64,
    },
    /// There is room again in a send buffer that was full.
    Writable {
        /// Of which stream.
        stream: u64,
    },
    /// The connection was broken off by the peer, or the peer does not know it (any more).
    Reset {
        /// Its number.
        stream: u64,
    },
    /// The peer did not answer for as long as the retransmissions last.
    TimedOut {
        /// The number of the connection.
        stream: u64,
    },
}

/// What a process learns of its place.
#[derive(Debug, Serialize)]
pub struct Start<'a> {
    /// [`VERSION`].
    pub protocol: u32,
    /// The node's own name.
    pub node: &'a str,
    /// Its role.
    pub role: &'a str,
    /// All nodes of the same role without itself, in the scenario's order.
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
    /// What it asks for, in order.
    #[serde(default)]
    pub ops: Vec<Op>,
    /// Wake it when its monotonic clock shows this, if nothing comes sooner; in place of an earlier
    /// `wait`.
    #[serde(default)]
    pub wait: Option<u64>,
    /// The process ends, with this status.
    #[serde(default)]
    pub exit: Option<i32>,
    /// Why it ends: the traceback.
    #[serde(default)]
    pub error: Option<String>,
}

/// What a program can ask for.
#[derive(Debug, Deserialize, PartialEq)]
#[serde(tag = "op", rename_all = "snake_case", deny_unknown_fields)]
pub enum Op {
    /// Send a message, to itself too. It may be lost, doubled, late or out of order.
    Send {
        /// To whom, by name.
        dest: String,
        /// An object with a `type`.
        body: Map<String, Value>,
    },
    /// Have a timer run out, in place of an earlier setting of the same one.
    SetTimer {
        /// Its name.
        name: String,
        /// After so many ns of the node's monotonic clock.
        after: u64,
    },
    /// Forget a timer.
    CancelTimer {
        /// Its name.
        name: String,
    },
    /// Put a value on the disk. Messages and observations that follow wait until it is durable.
    Save {
        /// Its key.
        key: String,
        /// The value; `null` removes the key.
        value: Value,
    },
    /// Show what happened (`fields`), or what is (`value`).
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
        /// The number that the program gives to it: from 1, below [`ACCEPTED_FIRST`], and none that
        /// it has used before.
        stream: u64,
        /// The node to reach, by name.
        dest: String,
        /// The port to reach.
        port: u16,
    },
    /// Append bytes to the send buffer of a stream.
    Write {
        /// Its number.
        stream: u64,
        /// The bytes.
        base64: String,
    },
    /// No more bytes from this side.
    Close {
        /// The number of the stream.
        stream: u64,
    },
    /// Take no more bytes for now: once the receive window is full, the peer has to wait.
    PauseReading {
        /// The number of the stream.
        stream: u64,
    },
    /// Take bytes again, those first that have come meanwhile.
    ResumeReading {
        /// The number of the stream.
        stream: u64,
    },
    /// Break a connection off at once, and forget it.
    Reset {
        /// The number of the stream.
        stream: u64,
    },
}
