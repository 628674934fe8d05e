//! One event, decoded: names and fields are compared once here, and never again by a check.

use super::config::{self, Config};
use crate::trace::{Event, Fields, NodeId, Trace, Value};

/// One decoded event.
#[derive(Clone, Debug)]
pub struct Record {
    /// The event's index: the order that history and events share.
    pub order: u64,
    pub time_us: u64,
    pub node: NodeId,
    pub kind: Kind,
}

/// The role that a node says it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Leader,
    Candidate,
    /// It has no vote in the configuration that it goes by.
    Learner,
    /// Follower or pre-candidate.
    Other,
}

/// What happened. The fields are those of the system's vocabulary.
#[derive(Clone, Debug)]
pub enum Kind {
    Recover {
        term: u64,
        voted_for: Option<NodeId>,
        snapshot_index: u64,
        last_index: u64,
        last_term: u64,
    },
    Term {
        term: u64,
    },
    Vote {
        term: u64,
        candidate: NodeId,
    },
    Role(Role),
    Leader {
        term: u64,
        last_index: u64,
    },
    Append {
        index: u64,
        term: u64,
        digest: u64,
        chain: u64,
    },
    Truncate {
        from: u64,
    },
    Commit {
        index: u64,
        term: u64,
        leader: bool,
        entry_term: u64,
    },
    Apply {
        index: u64,
        term: u64,
        digest: u64,
        command: Option<(NodeId, u64)>,
        effect: bool,
    },
    SnapshotTake {
        index: u64,
        term: u64,
        chain: u64,
        state: u64,
    },
    SnapshotInstall {
        index: u64,
        term: u64,
        chain: u64,
        state: u64,
        /// Whether the log held the snapshot's last entry, so that what came after it stays.
        keeps: bool,
    },
    ConfigAppend {
        index: u64,
        term: u64,
        config: u32,
    },
    ConfigCommit {
        index: u64,
        term: u64,
    },
    LeaseRead,
    Reply {
        client: NodeId,
        serial: u64,
        index: u64,
    },
    Start,
    Crash,
    Pause,
    Resume,
}

/// Sets of kinds, as sums of bits.
#[allow(missing_docs, reason = "each is the kind of the same name")]
pub mod kinds {
    pub const RECOVER: u32 = 1 << 0;
    pub const TERM: u32 = 1 << 1;
    pub const VOTE: u32 = 1 << 2;
    pub const ROLE: u32 = 1 << 3;
    pub const LEADER: u32 = 1 << 4;
    pub const APPEND: u32 = 1 << 5;
    pub const TRUNCATE: u32 = 1 << 6;
    pub const COMMIT: u32 = 1 << 7;
    pub const APPLY: u32 = 1 << 8;
    pub const SNAPSHOT_TAKE: u32 = 1 << 9;
    pub const SNAPSHOT_INSTALL: u32 = 1 << 10;
    pub const CONFIG_APPEND: u32 = 1 << 11;
    pub const CONFIG_COMMIT: u32 = 1 << 12;
    pub const LEASE_READ: u32 = 1 << 13;
    pub const REPLY: u32 = 1 << 14;
    pub const START: u32 = 1 << 15;
    pub const CRASH: u32 = 1 << 16;
    pub const PAUSE: u32 = 1 << 17;
    pub const RESUME: u32 = 1 << 18;

    /// What changes a log.
    pub const LOG: u32 = RECOVER | APPEND | TRUNCATE | SNAPSHOT_TAKE | SNAPSHOT_INSTALL;
    /// What changes the configuration that a node goes by.
    pub const MEMBERSHIP: u32 =
        RECOVER | TRUNCATE | SNAPSHOT_INSTALL | CONFIG_APPEND | CONFIG_COMMIT;
    /// What shows or ends leadership.
    pub const LEADERSHIP: u32 = RECOVER | TERM | ROLE | LEADER | START | CRASH;
    /// What shows a node's current term.
    pub const TERMS: u32 = RECOVER | TERM | VOTE | LEADER;
    /// What shows whether a node works.
    pub const PROCESS: u32 = START | CRASH | PAUSE | RESUME;
    /// What only a Raft node says, as against the testbed.
    pub const PROTOCOL: u32 = RECOVER | TERM | VOTE | ROLE | LEADER | APPEND | COMMIT | APPLY;
}

impl Kind {
    /// The bit position of this kind in [`kinds`].
    pub fn tag(&self) -> u8 {
        match self {
            Kind::Recover { .. } => 0,
            Kind::Term { .. } => 1,
            Kind::Vote { .. } => 2,
            Kind::Role(_) => 3,
            Kind::Leader { .. } => 4,
            Kind::Append { .. } => 5,
            Kind::Truncate { .. } => 6,
            Kind::Commit { .. } => 7,
            Kind::Apply { .. } => 8,
            Kind::SnapshotTake { .. } => 9,
            Kind::SnapshotInstall { .. } => 10,
            Kind::ConfigAppend { .. } => 11,
            Kind::ConfigCommit { .. } => 12,
            Kind::LeaseRead => 13,
            Kind::Reply { .. } => 14,
            Kind::Start => 15,
            Kind::Crash => 16,
            Kind::Pause => 17,
            Kind::Resume => 18,
        }
    }
}

/// Greater numbers are no terms or indices of any run; leaving them out keeps the arithmetic of the
/// checks free of overflow.
const NUMBER_MAX: i64 = 1 << 48;

/// The fields of an event, taken in the order of the vocabulary, which makes each a single
/// comparison of names; a field that is not where it should be is looked up.
struct Taker<'a, I> {
    fields: &'a Fields,
    rest: I,
}

impl<'a, I: Iterator<Item = (&'a str, &'a Value)>> Taker<'a, I> {
    fn value(&mut self, name: &str) -> Option<&'a Value> {
        match self.rest.next() {
            Some((next, value)) if next == name => Some(value),
            _ => self.fields.get(name),
        }
    }

    fn number(&mut self, name: &str) -> Option<u64> {
        let number = self.value(name)?.int()?;
        if (0..NUMBER_MAX).contains(&number) { u64::try_from(number).ok() } else { None }
    }

    fn hash(&mut self, name: &str) -> Option<u64> {
        match self.value(name)? {
            Value::Hash(hash) => Some(*hash),
            _ => None,
        }
    }

    fn text(&mut self, name: &str) -> Option<&'a str> {
        match self.value(name)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A node or `none`; the outer `None` is a field that is neither.
    fn node(&mut self, name: &str) -> Option<Option<NodeId>> {
        match self.value(name)? {
            Value::Node(node) => Some(Some(*node)),
            Value::Text(_) => Some(None),
            _ => None,
        }
    }
}

/// Decode an event; `None` for what no check reads, and for what is damaged.
pub fn decode(trace: &Trace, event: &Event, configs: &mut Vec<Config>) -> Option<Record> {
    let mut take = Taker { fields: &event.fields, rest: event.fields.iter() };
    // The frequent ones first.
    let kind = match &*event.name {
        "append" => Kind::Append {
            index: take.number("index")?,
            term: take.number("term")?,
            digest: take.hash("digest")?,
            chain: take.hash("chain")?,
        },
        "apply" => {
            let (index, term, digest) =
                (take.number("index")?, take.number("term")?, take.hash("digest"));
            let command = take.node("client").flatten().zip(take.number("serial"));
            // A client and its serial number tell commands apart as well as a digest does, and a
            // program need not make one.
            let digest = digest.unwrap_or_else(|| {
                command.map_or(0, |(client, serial)| (u64::from(client.0) + 1) << 48 | serial)
            });
            Kind::Apply { index, term, digest, command, effect: take.number("effect") == Some(1) }
        }
        "commit" => Kind::Commit {
            index: take.number("index")?,
            term: take.number("term")?,
            leader: take.text("role")? == "leader",
            entry_term: take.number("entry_term")?,
        },
        "reply" => Kind::Reply {
            client: take.node("client")??,
            serial: take.number("serial")?,
            index: take.number("index")?,
        },
        "read" => match (take.number("index")?, take.text("mode")?) {
            (_, "lease") => Kind::LeaseRead,
            _ => return None,
        },
        "term" => Kind::Term { term: take.number("term")? },
        "vote" => Kind::Vote { term: take.number("term")?, candidate: take.node("candidate")?? },
        "role" => {
            let _ = take.number("term");
            let role = match take.text("role")? {
                "leader" => Role::Leader,
                "candidate" => Role::Candidate,
                "learner" => Role::Learner,
                _ => Role::Other,
            };
            Kind::Role(role)
        }
        // Whoever only elects has no log.
        "leader" => Kind::Leader {
            term: take.number("term")?,
            last_index: take.number("last_index").unwrap_or(0),
        },
        "truncate" => Kind::Truncate { from: take.number("from")? },
        "recover" => Kind::Recover {
            term: take.number("term")?,
            voted_for: take.node("voted_for")?,
            snapshot_index: take.number("snapshot_index")?,
            last_index: take.number("last_index")?,
            last_term: take.number("last_term")?,
        },
        "snapshot_take" | "snapshot_install" => {
            let (index, term) = (take.number("index")?, take.number("term")?);
            let (chain, state) = (take.hash("chain")?, take.hash("state")?);
            if event.name == "snapshot_take" {
                Kind::SnapshotTake { index, term, chain, state }
            } else {
                // Only a replay of the logs shows what is kept.
                Kind::SnapshotInstall { index, term, chain, state, keeps: true }
            }
        }
        "config_append" => {
            let (index, term) = (take.number("index")?, take.number("term")?);
            let config = config::decode(
                trace,
                take.text("kind")?,
                take.text("voters")?,
                take.text("learners")?,
                take.text("voters_old")?,
            )?;
            configs.push(config);
            Kind::ConfigAppend { index, term, config: u32::try_from(configs.len() - 1).ok()? }
        }
        "config_commit" => {
            Kind::ConfigCommit { index: take.number("index")?, term: take.number("term")? }
        }
        "start" => Kind::Start,
        "crash" => Kind::Crash,
        "pause" => Kind::Pause,
        "resume" => Kind::Resume,
        _ => return None,
    };
    let known = |node: Option<NodeId>| node.is_none_or(|node| node.index() < trace.nodes.len());
    let fits = match &kind {
        Kind::Vote { candidate, .. } => known(Some(*candidate)),
        Kind::Reply { client, .. } => known(Some(*client)),
        Kind::Apply { command, .. } => known(command.map(|(client, _)| client)),
        Kind::Recover { voted_for, .. } => known(*voted_for),
        _ => true,
    };
    fits.then_some(Record { order: event.index, time_us: event.time_us, node: event.node, kind })
}
