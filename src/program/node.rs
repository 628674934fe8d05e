//! A program as a node of the simulation.
//!
//! It translates inputs into turns, and answers into effects for the driver. It keeps the timers by
//! name, so that the driver needs only the earliest deadline, and it enforces the program's limits:
//! an invalid answer is a failure of the program, with the reason.

use std::collections::BTreeMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::Map;

use super::Failure;
use super::conversation::Conversation;
use super::protocol::{
    ACCEPTED_FIRST, Answer, Event, LINE_BYTES_MAX, NAME_BYTES_MAX, OPS_MAX, Op, Start,
    TEXT_BYTES_MAX, Turn, VERSION,
};
use crate::node::{Disk, DiskOp, Identity, Port, ProgramMessage, StreamEvent, StreamId, StreamOp};
use crate::scenario::ProgramSpec;
use crate::time::{LocalTime, WallTime};
use crate::trace::{Fields, NodeId, Value, Word};

/// Maximum number of fields of an event.
const FIELDS_MAX: usize = 16;

/// Maximum number of timers of one node.
const TIMERS_MAX: usize = 1_000;

/// Maximum number of turns of one node at one instant of its clock: with more of them it is
/// looping, and virtual time does not advance.
const TURNS_AT_ONCE_MAX: u64 = 10_000;

/// Maximum number of turns of one process.
const TURNS_MAX: u64 = 5_000_000;

/// The prefix of the files with saved values.
const SAVED: &str = "saved/";

/// A program running as a node.
pub(crate) struct ProgramNode {
    conversation: Conversation,
    /// The line of the current turn.
    line: Vec<u8>,
    /// When each timer expires.
    timers: BTreeMap<String, LocalTime>,
    wait: Option<LocalTime>,
    /// The streams that it has opened, by the program's numbers.
    opened: BTreeMap<u64, StreamId>,
    /// The inverse map.
    numbers: BTreeMap<StreamId, u64>,
    /// The number of turns so far.
    turns: u64,
    /// The current instant, and the number of turns at it.
    at_once: (LocalTime, u64),
}

/// The node's state that the driver provides for a turn.
pub(crate) struct TurnContext<'a> {
    pub identity: &'a Identity,
    pub role: &'a str,
    pub now: LocalTime,
    pub wall: WallTime,
    pub disk: &'a Disk,
    /// The id of the next stream that this node opens or accepts.
    pub next_stream: u64,
}

/// An input of the node.
pub(crate) enum TurnInput<'a> {
    /// The process has just been started; its randomness comes from this seed.
    Boot(u64),
    Message {
        from: NodeId,
        body: &'a serde_json::Value,
    },
    /// The requested deadline has come.
    Deadline,
    Command(&'a str),
    Stream(&'a StreamEvent),
    Stop,
}

/// An effect that leaves the node; their order is kept.
#[derive(Debug, PartialEq)]
pub(crate) enum ProgramEffect {
    Send { dest: NodeId, message: ProgramMessage },
    Observe { name: Word, fields: Fields },
    Stream(StreamOp),
}

/// The effects of an answer.
#[derive(Debug, Default)]
pub(crate) struct ProgramEffects {
    pub saves: Vec<DiskOp>,
    pub leaves: Vec<ProgramEffect>,
    pub metrics: Vec<(Word, Value)>,
    pub logs: Vec<String>,
    /// The number of streams opened, with ids from [`TurnContext::next_stream`] on.
    pub connects: u64,
    /// When the program has to be called again, if nothing comes sooner.
    pub deadline: Option<LocalTime>,
    /// The process exits with this message.
    pub exit: Option<String>,
}

impl ProgramNode {
    /// Start the program.
    pub(crate) fn take(spec: &ProgramSpec) -> Result<ProgramNode, Failure> {
        let conversation = Conversation::start(spec)?;
        let at_once = (LocalTime::from_nanos(0), 0);
        Ok(ProgramNode {
            conversation,
            line: vec![],
            timers: BTreeMap::new(),
            wait: None,
            opened: BTreeMap::new(),
            numbers: BTreeMap::new(),
            turns: 0,
            at_once,
        })
    }

    /// Send the program an input, and interpret its answer.
    pub(crate) fn turn(
        &mut self,
        place: &TurnContext<'_>,
        happened: &TurnInput<'_>,
    ) -> Result<ProgramEffects, Failure> {
        let name = |node: NodeId| place.identity.names[node.index()].as_str();
        let due =
            if matches!(happened, TurnInput::Deadline) { self.take_due(place.now) } else { vec![] };
        let mut events = vec![];
        match happened {
            TurnInput::Boot(seed) => events.push(boot(place, *seed)),
            TurnInput::Message { from, body } => {
                events.push(Event::Message { src: name(*from), body })
            }
            TurnInput::Deadline => {
                events.extend(due.iter().map(|name| Event::Timer { name }));
                if self.wait.take_if(|wait| *wait <= place.now).is_some() {
                    events.push(Event::Wake);
                }
            }
            TurnInput::Command(command) => events.push(Event::Command { command }),
            TurnInput::Stop => events.push(Event::Stop),
            TurnInput::Stream(event) => events.push(self.stream_event(event, name)),
        }
        if events.is_empty() {
            return Ok(ProgramEffects { deadline: self.deadline(), ..ProgramEffects::default() });
        }
        self.count(place.now)?;
        let turn = Turn { now: place.now.as_nanos(), wall: place.wall.as_nanos(), ev: &events };
        self.line.clear();
        serde_json::to_writer(&mut self.line, &turn)
            .map_err(|error| Failure::Protocol(format!("cannot write the turn: {error}")))?;
        self.line.push(b'\n');
        let answer = self.conversation.converse(&self.line)?;
        let answer: Answer = serde_json::from_slice(answer).map_err(|error| {
            Failure::Protocol(format!(
                "its answer is invalid: {error}: {}",
                excerpt(&String::from_utf8_lossy(answer))
            ))
        })?;
        self.understand(place, answer)
    }

    /// Count a turn. Whether there are too many depends on virtual time alone, so it is the same on
    /// every machine.
    fn count(&mut self, now: LocalTime) -> Result<(), Failure> {
        self.turns += 1;
        self.at_once = (now, if self.at_once.0 == now { self.at_once.1 + 1 } else { 1 });
        if self.at_once.1 > TURNS_AT_ONCE_MAX {
            let why =
                "its timers, its `wait` or its messages to itself keep virtual time from advancing";
            return Err(Failure::BusyLoop(format!(
                "more than {TURNS_AT_ONCE_MAX} turns at one instant: {why}"
            )));
        }
        if self.turns > TURNS_MAX {
            return Err(Failure::BusyLoop(format!("more than {TURNS_MAX} turns")));
        }
        Ok(())
    }

    /// The last output that the process printed outside the protocol.
    pub(crate) fn printed(&mut self) -> String {
        self.conversation.printed()
    }

    /// The expired timers, ordered by deadline.
    fn take_due(&mut self, now: LocalTime) -> Vec<String> {
        let mut due: Vec<(LocalTime, String)> = vec![];
        self.timers.retain(|name, deadline| {
            let runs = *deadline > now;
            if !runs {
                due.push((*deadline, name.clone()));
            }
            runs
        });
        due.sort();
        due.into_iter().map(|(_, name)| name).collect()
    }

    fn deadline(&self) -> Option<LocalTime> {
        self.timers.values().copied().chain(self.wait).min()
    }

    fn understand(
        &mut self,
        place: &TurnContext<'_>,
        answer: Answer,
    ) -> Result<ProgramEffects, Failure> {
        if answer.ops.len() > OPS_MAX {
            return Err(Failure::Protocol(format!(
                "it asks for {} operations in one answer; the maximum is {OPS_MAX}",
                answer.ops.len()
            )));
        }
        let mut asked = ProgramEffects::default();
        for op in answer.ops {
            self.op(place, op, &mut asked).map_err(Failure::Protocol)?;
        }
        if let Some(wait) = answer.wait {
            // A moment in the past comes immediately, and one that overflows never comes.
            self.wait = Some(LocalTime::from_nanos(wait));
        }
        asked.exit = match (answer.exit, answer.error) {
            (None, None) => None,
            (_, Some(error)) => Some(excerpt(&error)),
            (Some(status), None) => Some(format!("it exited with status {status}")),
        };
        asked.deadline = self.deadline();
        Ok(asked)
    }

    fn op(
        &mut self,
        place: &TurnContext<'_>,
        op: Op,
        asked: &mut ProgramEffects,
    ) -> Result<(), String> {
        match op {
            Op::Send { dest, body } => {
                let to = NodeId::named(&place.identity.names, &dest).ok_or_else(|| {
                    format!(
                        "it sends to `{}`, which is not a \
                        node",
                        excerpt(&dest)
                    )
                })?;
                asked
                    .leaves
                    .push(ProgramEffect::Send { dest: to, message: program_message(body)? });
            }
            Op::SetTimer { name, after } => {
                named("timer", &name)?;
                self.timers.insert(name, place.now + Duration::from_nanos(after));
                if self.timers.len() > TIMERS_MAX {
                    return Err(format!("it has more than {TIMERS_MAX} timers"));
                }
            }
            Op::CancelTimer { name } => {
                self.timers.remove(&name);
            }
            Op::Save { key, value } => {
                named("key", &key)?;
                let file = Word::Owned(format!("{SAVED}{key}"));
                asked.saves.push(match value {
                    serde_json::Value::Null => DiskOp::Remove { file },
                    value => DiskOp::Replace { file, bytes: value.to_string().into_bytes() },
                });
            }
            Op::Observe { name, fields: None, value: Some(value) } => {
                named("metric", &name)?;
                let value = shown(place, &name, &value)?;
                asked.metrics.push((Word::Owned(name), value));
            }
            Op::Observe { name, fields, value: None } => {
                named("event", &name)?;
                let fields = event_fields(place, fields.unwrap_or_default())?;
                asked.leaves.push(ProgramEffect::Observe { name: Word::Owned(name), fields });
            }
            Op::Observe { name, .. } => {
                return Err(format!(
                    "`observe` of `{}` has both `fields` (an event) and `value` (a metric)",
                    excerpt(&name)
                ));
            }
            Op::Log { text } => asked.logs.extend(text.lines().map(excerpt)),
            Op::Listen { port } => {
                asked.leaves.push(ProgramEffect::Stream(StreamOp::Listen(Port(port))))
            }
            Op::Connect { stream, dest, port } => {
                let dest = NodeId::named(&place.identity.names, &dest).ok_or_else(|| {
                    format!("it connects to `{}`, which is not a node", excerpt(&dest))
                })?;
                if stream == 0 || stream >= ACCEPTED_FIRST || self.opened.contains_key(&stream) {
                    return Err(format!(
                        "it opens stream {stream}: the number must be new, at least 1, and below \
                        {ACCEPTED_FIRST}"
                    ));
                }
                let id = StreamId(place.next_stream + asked.connects);
                asked.connects += 1;
                self.opened.insert(stream, id);
                self.numbers.insert(id, stream);
                asked.leaves.push(ProgramEffect::Stream(StreamOp::Connect {
                    stream: id,
                    dest,
                    port: Port(port),
                }));
            }
            Op::Write { stream, base64 } => {
                let bytes = STANDARD
                    .decode(base64)
                    .map_err(|error| format!("it writes invalid base64: {error}"))?;
                asked
                    .leaves
                    .push(ProgramEffect::Stream(StreamOp::Write(self.stream(stream)?, bytes)));
            }
            Op::Close { stream } => {
                asked.leaves.push(ProgramEffect::Stream(StreamOp::Close(self.stream(stream)?)))
            }
            Op::PauseReading { stream } => asked
                .leaves
                .push(ProgramEffect::Stream(StreamOp::PauseReading(self.stream(stream)?))),
            Op::ResumeReading { stream } => asked
                .leaves
                .push(ProgramEffect::Stream(StreamOp::ResumeReading(self.stream(stream)?))),
            Op::Reset { stream } => {
                asked.leaves.push(ProgramEffect::Stream(StreamOp::Reset(self.stream(stream)?)))
            }
        }
        Ok(())
    }

    /// The stream with the program's number. Naming a stream that has ended is allowed, and has no
    /// effect.
    fn stream(&self, number: u64) -> Result<StreamId, String> {
        let opened = self.opened.get(&number).copied();
        opened
            .or_else(|| number.checked_sub(ACCEPTED_FIRST).map(StreamId))
            .ok_or_else(|| format!("it has no stream {number}"))
    }

    fn stream_event<'a>(&self, event: &StreamEvent, name: impl Fn(NodeId) -> &'a str) -> Event<'a> {
        let number = |id: &StreamId| self.numbers.get(id).copied().unwrap_or(ACCEPTED_FIRST + id.0);
        match event {
            StreamEvent::Accepted { stream, from, port } => {
                Event::Accepted { stream: number(stream), src: name(*from), port: port.0 }
            }
            StreamEvent::Connected(stream) => Event::Connected { stream: number(stream) },
            StreamEvent::Refused(stream) => Event::Refused { stream: number(stream) },
            StreamEvent::Data(stream, bytes) => {
                Event::Data { stream: number(stream), base64: STANDARD.encode(bytes) }
            }
            StreamEvent::PeerClosed(stream) => Event::PeerClosed { stream: number(stream) },
            StreamEvent::Writable(stream) => Event::Writable { stream: number(stream) },
            StreamEvent::Reset(stream) => Event::Reset { stream: number(stream) },
            StreamEvent::TimedOut(stream) => Event::TimedOut { stream: number(stream) },
        }
    }
}

fn boot<'a>(place: &TurnContext<'a>, seed: u64) -> Event<'a> {
    let identity = place.identity;
    let name = |node: &NodeId| identity.names[node.index()].as_str();
    let start = Start {
        protocol: VERSION,
        node: name(&identity.id),
        role: place.role,
        peers: identity.peers.iter().map(name).collect(),
        nodes: identity.names.iter().map(String::as_str).collect(),
        seed: format!("{seed:016x}"),
    };
    if identity.incarnation <= 1 {
        return Event::Init(start);
    }
    let mut saved = BTreeMap::new();
    for file in place.disk.files() {
        let Some(key) = file.strip_prefix(SAVED) else { continue };
        // A value damaged by a disk fault reads as missing, as a file with a checksum would.
        let value = place.disk.read(&file).and_then(|bytes| serde_json::from_slice(&bytes).ok());
        saved.insert(key.to_owned(), value.unwrap_or(serde_json::Value::Null));
    }
    Event::Restart { start, saved }
}

fn program_message(body: Map<String, serde_json::Value>) -> Result<ProgramMessage, String> {
    let kind = match body.get("type") {
        Some(serde_json::Value::String(kind)) => kind.clone(),
        _ => return Err("it sends a message whose `type` is not a text".to_owned()),
    };
    named("message type", &kind)?;
    let body = serde_json::Value::Object(body);
    let bytes = serde_json::to_vec(&body).expect("a value can be written").len();
    if bytes > LINE_BYTES_MAX / 2 {
        return Err(format!(
            "it sends a message of {bytes} bytes; the maximum is {}",
            LINE_BYTES_MAX / 2
        ));
    }
    Ok(ProgramMessage { kind: Word::Owned(kind), body, bytes: bytes as u32 })
}

fn event_fields(
    place: &TurnContext<'_>,
    fields: Map<String, serde_json::Value>,
) -> Result<Fields, String> {
    if fields.len() > FIELDS_MAX {
        return Err(format!(
            "it records an event with {} fields; the maximum is {FIELDS_MAX}",
            fields.len()
        ));
    }
    let (mut names, mut values) = (vec![], vec![]);
    for (name, value) in fields {
        named("field", &name)?;
        values.push(shown(place, &name, &value)?);
        names.push(name);
    }
    Ok(Fields::owned(names, values))
}

/// A value of the trace: an integer, a node, a digest (`#` and sixteen hexadecimal digits) or a
/// word.
fn shown(place: &TurnContext<'_>, name: &str, value: &serde_json::Value) -> Result<Value, String> {
    Ok(match value {
        serde_json::Value::Null => Value::word("none"),
        serde_json::Value::Bool(value) => Value::word(if *value { "true" } else { "false" }),
        serde_json::Value::Number(number) => Value::Int(number.as_i64().ok_or_else(|| {
            format!("`{name}` is {number}, but a trace has only 64-bit integers")
        })?),
        serde_json::Value::String(text) => {
            match (NodeId::named(&place.identity.names, text), digest(text)) {
                (Some(node), _) => Value::Node(node),
                (None, Some(digest)) => Value::Hash(digest),
                // A word of a trace has no spaces.
                (None, None) => {
                    Value::text(&excerpt(text).split_whitespace().collect::<Vec<_>>().join("_"))
                }
            }
        }
        serde_json::Value::Array(_) | serde_json::Value::Object(_) => {
            return Err(format!(
                "`{name}` is a list or an object, but a trace has only numbers, texts, `true`, \
                `false` and `null`"
            ));
        }
    })
}

fn digest(text: &str) -> Option<u64> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 16)?;
    u64::from_str_radix(digits, 16).ok()
}

/// Check that a name is allowed in a trace: letters, digits and `_ - . : /`.
fn named(what: &str, name: &str) -> Result<(), String> {
    let good = |c: char| c.is_ascii_alphanumeric() || "_-.:/".contains(c);
    if name.is_empty() || name.len() > NAME_BYTES_MAX || !name.chars().all(good) {
        let rule = format!("1 to {NAME_BYTES_MAX} letters, digits and `_ - . : /`");
        return Err(format!("`{}` is not a valid name for a {what}: {rule}", excerpt(name)));
    }
    Ok(())
}

/// The start of a text, which may be long.
fn excerpt(text: &str) -> String {
    match text.char_indices().nth(TEXT_BYTES_MAX / 4) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
