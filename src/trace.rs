//! What a run leaves behind, and all that checkers and plots ever see.
//!
//! Four lists, one for each CSV file: the operations of the clients (`history`), what nodes and the
//! testbed observed (`events`), the messages, and the metrics. Every time in a trace is true
//! virtual time in whole microseconds, so that a trace read back from its CSV files is equal,
//! record by record, to the one in memory, and gets the same verdicts.
//!
//! Architecture invariant: recording never influences the simulation.

mod csv_files;
mod digest;

pub use csv_files::{CSV_FILES, CsvError, Record, read_csv, write_csv};
pub(crate) use digest::MessageFolder;
pub use digest::{Digest, MessageSum};

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// The version of the format of the CSV files, which `results.json` beside them names. Another
/// column, or another meaning of one, makes it greater.
pub const FORMAT: u32 = 1;

/// A node or client of a run, as an index into [`Trace::nodes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(pub u32);

impl NodeId {
    /// The participant of this name, if the names are those of all participants in order.
    pub fn named(names: &[String], name: &str) -> Option<NodeId> {
        let position = names.iter().position(|each| each == name)?;
        Some(NodeId(u32::try_from(position).expect("fewer than 2^32 nodes")))
    }

    /// The position in [`Trace::nodes`].
    #[inline]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A word that is a literal of the program while a run is recorded and owned text after it was read
/// back.
pub type Word = Cow<'static, str>;

/// A value of a metric or of a field of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// A number: a term, an index, microseconds, bytes.
    Int(i64),
    /// A node, written by its name.
    Node(NodeId),
    /// A digest, written in hexadecimal with 16 places after `#`.
    Hash(u64),
    /// A word without blanks (a role, a state), or free text where the field is the last one.
    Text(Word),
}

impl Value {
    /// A count, an index or a size.
    pub fn number(number: impl Into<u64>) -> Value {
        Value::Int(number.into() as i64)
    }

    /// A word of the program.
    pub fn word(word: &'static str) -> Value {
        Value::Text(word.into())
    }

    /// A text that was made or received.
    pub fn text(text: &str) -> Value {
        Value::Text(text.to_owned().into())
    }

    /// A node, or the word `none`.
    pub fn node_or_none(node: Option<NodeId>) -> Value {
        node.map_or(Value::word("none"), Value::Node)
    }

    /// The number, if it is one.
    pub fn int(&self) -> Option<i64> {
        match self {
            Value::Int(value) => Some(*value),
            _ => None,
        }
    }
}

/// What the trace knows of a participant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NodeInfo {
    /// The name in the scenario: `n1`, `c1`.
    pub name: String,
    /// The role in the system: `peer`, `client`, …
    pub role: Word,
}

/// The four moments of an operation, and the nemesis' own entries, in Jepsen's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OpType {
    /// The client has sent the operation, or a fault begins.
    Invoke,
    /// It took effect, and `value` is the answer.
    Ok,
    /// It certainly did not take effect.
    Fail,
    /// It may have taken effect, or may do so later. A timeout is `info`; so is every entry of the
    /// nemesis.
    Info,
}

/// One line of `history.csv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Op {
    /// Position in the order that `history` and `events` share: of two records of the same
    /// microsecond the smaller came first.
    pub index: u64,
    /// True virtual time, µs.
    pub time_us: u64,
    /// The client's process: its name, or `nemesis`.
    pub process: Word,
    /// Which moment of the operation.
    pub op_type: OpType,
    /// The operation: `read`, `write`, `cas`, `append`; for the nemesis the fault.
    pub f: Word,
    /// Arguments and, once `ok`, the result, as the system's model writes them: `x=3`, `x 3->4`,
    /// `x=nil`.
    pub value: Word,
    /// Why it is `fail` or `info`; empty otherwise.
    pub error: Word,
}

/// One line of `events.csv`: what a node did at one step, or what the testbed did to a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Position in the order that `history` and `events` share.
    pub index: u64,
    /// True virtual time, µs. For a step that saved something: when the save was durable.
    pub time_us: u64,
    /// The node concerned.
    pub node: NodeId,
    /// How often the node had started, from 1.
    pub incarnation: u32,
    /// What happened: `vote`, `append`, `commit`, …, or `start`, `crash`, `pause`, `resume` from
    /// the testbed.
    pub name: Word,
    /// The fields, in the order of the schema.
    pub fields: Fields,
}

/// Named values in a fixed order. While recording, the names are one static list and the values
/// stand side by side.
#[derive(Clone, Debug, Default)]
pub struct Fields {
    names: FieldNames,
    values: Vec<Value>,
}

#[derive(Clone, Debug)]
enum FieldNames {
    Static(&'static [&'static str]),
    /// Read from a file; all events with the same names share one list.
    Shared(Arc<[String]>),
}

impl Default for FieldNames {
    fn default() -> Self {
        FieldNames::Static(&[])
    }
}

impl Fields {
    /// Fields under static names. Panics when the two lists differ in length: a mistake of the
    /// caller.
    pub fn new(names: &'static [&'static str], values: &[Value]) -> Self {
        Fields::from_parts(names, values.to_vec())
    }

    pub(crate) fn from_parts(names: &'static [&'static str], values: Vec<Value>) -> Self {
        assert_eq!(
            names.len(),
            values.len(),
            "fields {names:?} want as many values, got {values:?}"
        );
        Fields { names: FieldNames::Static(names), values }
    }

    /// Fields read from a file.
    pub fn owned(names: Vec<String>, values: Vec<Value>) -> Self {
        Fields::shared(names.into(), values)
    }

    /// Fields read from a file, under a list of names that other events have too.
    pub(crate) fn shared(names: Arc<[String]>, values: Vec<Value>) -> Self {
        assert_eq!(names.len(), values.len(), "names and values come in pairs");
        Fields { names: FieldNames::Shared(names), values }
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The value under `name`.
    pub fn get(&self, name: &str) -> Option<&Value> {
        let position = match &self.names {
            FieldNames::Static(names) => names.iter().position(|each| *each == name),
            FieldNames::Shared(names) => names.iter().position(|each| each == name),
        }?;
        self.values.get(position)
    }

    /// The value at `place` of `names`, which is found without a search if the event has that name at
    /// the same place.
    #[inline]
    pub fn at(&self, names: &'static [&'static str], place: usize) -> Option<&Value> {
        match &self.names {
            FieldNames::Static(own) if std::ptr::eq(*own, names) => self.values.get(place),
            FieldNames::Static(own) if own.get(place) == names.get(place) => self.values.get(place),
            FieldNames::Shared(own) if own.get(place).is_some_and(|own| own == names[place]) => {
                self.values.get(place)
            }
            _ => self.get(names[place]),
        }
    }

    /// The value under `name`, to be changed.
    pub(crate) fn get_mut(&mut self, name: &str) -> Option<&mut Value> {
        let position = self.iter().position(|(each, _)| each == name)?;
        self.values.get_mut(position)
    }

    /// The number under `name`.
    pub fn int(&self, name: &str) -> Option<i64> {
        self.get(name)?.int()
    }

    /// The node under `name`.
    pub fn node(&self, name: &str) -> Option<NodeId> {
        match self.get(name)? {
            Value::Node(node) => Some(*node),
            _ => None,
        }
    }

    /// The digest under `name`.
    pub fn hash(&self, name: &str) -> Option<u64> {
        match self.get(name)? {
            Value::Hash(hash) => Some(*hash),
            _ => None,
        }
    }

    /// The word under `name`.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Names and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Value)> {
        (0..self.values.len()).map(|i| {
            let name = match &self.names {
                FieldNames::Static(names) => names[i],
                FieldNames::Shared(names) => names[i].as_str(),
            };
            (name, &self.values[i])
        })
    }
}

impl PartialEq for Fields {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len() && self.iter().eq(other.iter())
    }
}

impl Eq for Fields {}

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It reached a running node, which handled it.
    Delivered,
    /// The network lost it by chance.
    Lost,
    /// A partition, a drop rule or a hold that was never released stopped it.
    Partitioned,
    /// This is the second copy of a message, delivered.
    Duplicated,
    /// It arrived with flipped bits and was handled, because the receiver does not check.
    Corrupted,
    /// The receiver was down.
    NodeDown,
    /// It arrived and was thrown away: by a checksum, or because a queue was full.
    Discarded,
    /// The run ended first.
    InFlight,
}

impl OpType {
    /// All, in the order of their declaration.
    pub const ALL: [OpType; 4] = [OpType::Invoke, OpType::Ok, OpType::Fail, OpType::Info];

    /// The word in `history.csv`.
    pub fn word(self) -> &'static str {
        match self {
            OpType::Invoke => "invoke",
            OpType::Ok => "ok",
            OpType::Fail => "fail",
            OpType::Info => "info",
        }
    }
}

impl Outcome {
    /// All, in the order of their declaration.
    pub const ALL: [Outcome; 8] = [
        Outcome::Delivered,
        Outcome::Lost,
        Outcome::Partitioned,
        Outcome::Duplicated,
        Outcome::Corrupted,
        Outcome::NodeDown,
        Outcome::Discarded,
        Outcome::InFlight,
    ];

    /// The word in `messages.csv`.
    pub fn word(self) -> &'static str {
        match self {
            Outcome::Delivered => "delivered",
            Outcome::Lost => "lost",
            Outcome::Partitioned => "partitioned",
            Outcome::Duplicated => "duplicated",
            Outcome::Corrupted => "corrupted",
            Outcome::NodeDown => "node_down",
            Outcome::Discarded => "discarded",
            Outcome::InFlight => "in_flight",
        }
    }
}

/// What a message says, for the reader of `messages.csv`.
#[derive(Clone, Debug, Default)]
pub enum Detail {
    /// Nothing.
    #[default]
    None,
    /// Up to three numbers under static names.
    Numbers(&'static [&'static str], [i64; 3]),
    /// Free text.
    Text(Word),
}

/// One line of `messages.csv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// In the order of sending, from 0.
    pub id: u64,
    /// When it left the node, µs.
    pub sent_us: u64,
    /// When it arrived, or was found undeliverable at the receiver; `None` where it never got
    /// there, µs.
    pub recv_us: Option<u64>,
    /// The sender.
    pub src: NodeId,
    /// The receiver.
    pub dest: NodeId,
    /// The message type: `AppendEntries`.
    pub kind: Word,
    /// Size on the wire, bytes.
    pub bytes: u32,
    /// What became of it.
    pub outcome: Outcome,
    /// What it says, and why it was stopped.
    pub detail: Detail,
}

/// One line of `metrics.csv`: a metric took a new value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metric {
    /// True virtual time, µs.
    pub time_us: u64,
    /// The node whose metric it is.
    pub node: NodeId,
    /// The metric: `role`, `current_term`, `commit_index`, `clock_offset_us`, …
    pub name: Word,
    /// Its new value.
    pub value: Value,
}

/// A fault while it lasted, for the shading of plots.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultSpan {
    /// The nemesis entry's name.
    pub name: String,
    /// The fault: `partition`, `kill`, …
    pub fault: String,
    /// What it was done to, in words: `n1`, `n1,n2 | n3,n4,n5`.
    pub targets: String,
    /// When it began, µs.
    pub begin_us: u64,
    /// When it healed, µs; the run's end where it did not.
    pub end_us: u64,
}

/// Everything that a run leaves.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trace {
    /// The scenario's name: its path below the scenarios folder without `.toml`.
    pub scenario: String,
    /// The system's name.
    pub system: String,
    /// The seed.
    pub seed: u64,
    /// When faults and load end, µs.
    pub duration_us: u64,
    /// When everything has ended, µs: `duration` + `recovery`.
    pub end_us: u64,
    /// Nodes, then clients.
    pub nodes: Vec<NodeInfo>,
    /// `history.csv`.
    pub history: Vec<Op>,
    /// `events.csv`.
    pub events: Vec<Event>,
    /// `messages.csv`, in the order of sending.
    pub messages: Vec<Message>,
    /// Instead of `messages`, if the run was asked not to keep them.
    pub folded_messages: Option<MessageSum>,
    /// `metrics.csv`.
    pub metrics: Vec<Metric>,
}

impl Trace {
    /// How many messages were sent, second copies included.
    pub fn message_count(&self) -> u64 {
        self.folded_messages.map_or(self.messages.len() as u64, |sum| sum.count)
    }

    /// The node of this name.
    pub fn node(&self, name: &str) -> Option<NodeId> {
        let position = self.nodes.iter().position(|node| node.name == name)?;
        Some(NodeId(u32::try_from(position).expect("fewer than 2^32 nodes")))
    }

    /// The name of a node; `?` where a damaged trace speaks of one that it does not declare.
    pub fn name(&self, node: NodeId) -> &str {
        self.nodes.get(node.index()).map_or("?", |info| info.name.as_str())
    }

    /// The nodes of a role, in the scenario's order.
    pub fn with_role<'a>(&'a self, role: &'a str) -> impl Iterator<Item = NodeId> + 'a {
        let ids = (0u32..).map(NodeId);
        self.nodes.iter().zip(ids).filter(move |(info, _)| info.role == role).map(|(_, id)| id)
    }

    /// The faults that the nemesis recorded in the history, in the order of their beginning.
    ///
    /// The nemesis writes an `invoke` when a fault begins and an `info` with the same `value` when
    /// it has healed. `f` is the fault, `value` is `NAME: TARGETS`.
    pub fn faults(&self) -> Vec<FaultSpan> {
        let mut spans: Vec<FaultSpan> = Vec::new();
        for op in self.history.iter().filter(|op| op.process == NEMESIS) {
            let (name, targets) = op.value.split_once(": ").unwrap_or((&op.value, ""));
            let same = |span: &&mut FaultSpan| {
                span.end_us == u64::MAX && span.name == name && span.targets == targets
            };
            match op.op_type {
                OpType::Invoke => spans.push(FaultSpan {
                    name: name.to_owned(),
                    fault: op.f.clone().into_owned(),
                    targets: targets.to_owned(),
                    begin_us: op.time_us,
                    end_us: u64::MAX,
                }),
                _ => {
                    if let Some(span) = spans.iter_mut().find(same) {
                        span.end_us = op.time_us;
                    }
                }
            }
        }
        for span in &mut spans {
            span.end_us = span.end_us.min(self.end_us);
        }
        spans
    }
}

/// The process under which the nemesis writes into the history.
pub const NEMESIS: &str = "nemesis";

impl PartialEq for Detail {
    fn eq(&self, other: &Self) -> bool {
        self.to_string() == other.to_string()
    }
}

impl Eq for Detail {}

impl fmt::Display for Detail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Detail::None => Ok(()),
            Detail::Numbers(names, values) => {
                for (i, (name, value)) in names.iter().zip(values).enumerate() {
                    write!(f, "{}{name}={value}", if i == 0 { "" } else { " " })?;
                }
                Ok(())
            }
            Detail::Text(text) => f.write_str(text),
        }
    }
}
