//! What a server shows of itself: the one place that knows the names of events and their fields.

use super::configuration::Configuration;
use super::host::Host;
use super::log::Entry;
use super::types::{LogIndex, Term};
use crate::trace::{NodeId, Value};
use crate::vocabulary::{EventInfo, Kind, MetricInfo};

/// All events, for the reference.
pub const EVENTS: &[EventInfo] = &[
    EventInfo {
        fields: &[],
        name: "recover",
        summary: "A server has started; what it found on its disk.",
    },
    EventInfo { fields: &[], name: "term", summary: "A server has entered a term." },
    EventInfo {
        fields: &[],
        name: "vote",
        summary: "A server has given its vote of a term, perhaps to itself.",
    },
    EventInfo { fields: &[], name: "role", summary: "A server has changed its role." },
    EventInfo {
        fields: &[],
        name: "leader",
        summary: "A server has become leader; its log before it appends anything.",
    },
    EventInfo {
        fields: &[],
        name: "append",
        summary: "An entry is in the log, durably: `digest` of its content, `chain` of all entries \
            up to it.",
    },
    EventInfo {
        fields: &[],
        name: "truncate",
        summary: "The entries from an index on were removed because they conflict with the \
            leader's.",
    },
    EventInfo {
        fields: &[],
        name: "commit",
        summary: "A server knows that the entries up to an index are committed.",
    },
    EventInfo {
        fields: &[],
        name: "apply",
        summary: "An entry was applied; `effect` is 1 where a command was executed, 0 for a \
            duplicate, a no-op, a configuration.",
    },
    EventInfo {
        fields: &[],
        name: "snapshot_take",
        summary: "A server has written a snapshot of its state.",
    },
    EventInfo {
        fields: &[],
        name: "snapshot_install",
        summary: "A server has replaced its state by a leader's snapshot.",
    },
    EventInfo {
        fields: &[],
        name: "config_append",
        summary: "A configuration is in the log, and in force on this server.",
    },
    EventInfo { fields: &[], name: "config_commit", summary: "A configuration is committed." },
    EventInfo { fields: &[], name: "read", summary: "A read was served at an applied index." },
    EventInfo {
        fields: &[],
        name: "reply",
        summary: "The leader answers a command that it has applied.",
    },
    EventInfo {
        fields: &[],
        name: "transfer",
        summary: "A leader tells another server to take over.",
    },
];

/// What the metric `role` says.
pub const ROLES: &[&str] = &["follower", "pre_candidate", "candidate", "leader", "learner"];

/// All metrics, for the reference, in the order in which they are shown.
pub const METRICS: &[MetricInfo] = &[
    MetricInfo {
        kind: Kind::OneOf(ROLES),
        name: "role",
        summary: "`follower`, `pre_candidate`, `candidate`, `leader`, or `learner` for a server \
            without a vote.",
    },
    MetricInfo {
        kind: Kind::Number,
        name: "current_term",
        summary: "The latest term that the server has seen.",
    },
    MetricInfo {
        kind: Kind::Number,
        name: "commit_index",
        summary: "The last entry that the server knows to be committed.",
    },
    MetricInfo {
        kind: Kind::Number,
        name: "last_applied",
        summary: "The last entry that its state machine has applied.",
    },
    MetricInfo { kind: Kind::Number, name: "last_index", summary: "The last entry of its log." },
    MetricInfo {
        kind: Kind::Number,
        name: "snapshot_index",
        summary: "The last entry that its snapshot covers.",
    },
    MetricInfo {
        kind: Kind::Number,
        name: "leader",
        summary: "Who it takes for the leader, or `none`.",
    },
    MetricInfo {
        kind: Kind::Number,
        name: "log_entries",
        summary: "Entries of the log in memory.",
    },
];

/// At boot, what was on the disk.
pub fn recover(
    host: &mut impl Host,
    term: Term,
    voted_for: Option<NodeId>,
    snapshot: LogIndex,
    last: (LogIndex, Term),
) {
    host.observe(
        "recover",
        &["term", "voted_for", "snapshot_index", "last_index", "last_term"],
        &[
            term.into(),
            Value::node_or_none(voted_for),
            snapshot.into(),
            last.0.into(),
            last.1.into(),
        ],
    );
}

pub fn term(host: &mut impl Host, term: Term) {
    host.observe("term", &["term"], &[term.into()]);
}

pub fn vote(host: &mut impl Host, term: Term, candidate: NodeId) {
    host.observe("vote", &["term", "candidate"], &[term.into(), Value::Node(candidate)]);
}

pub fn role(host: &mut impl Host, term: Term, role: &'static str) {
    host.observe("role", &["term", "role"], &[term.into(), Value::Text(role.into())]);
}

pub fn leader(host: &mut impl Host, term: Term, last: (LogIndex, Term), snapshot: LogIndex) {
    host.observe(
        "leader",
        &["term", "last_index", "last_term", "snapshot_index"],
        &[term.into(), last.0.into(), last.1.into(), snapshot.into()],
    );
}

pub fn append(host: &mut impl Host, index: LogIndex, entry: &Entry, chain: u64) {
    host.observe(
        "append",
        &["index", "term", "digest", "chain"],
        &[index.into(), entry.term.into(), Value::Hash(entry.digest), Value::Hash(chain)],
    );
}

pub fn truncate(host: &mut impl Host, from: LogIndex) {
    host.observe("truncate", &["from"], &[from.into()]);
}

pub fn commit(
    host: &mut impl Host,
    index: LogIndex,
    term: Term,
    role: &'static str,
    entry_term: Term,
) {
    host.observe(
        "commit",
        &["index", "term", "role", "entry_term"],
        &[index.into(), term.into(), Value::Text(role.into()), entry_term.into()],
    );
}

pub fn apply(
    host: &mut impl Host,
    index: LogIndex,
    entry: &Entry,
    command: Option<(NodeId, u64)>,
    effect: bool,
) {
    let (client, serial) = command.map_or((None, 0), |(client, serial)| (Some(client), serial));
    host.observe(
        "apply",
        &["index", "term", "digest", "client", "serial", "effect"],
        &[
            index.into(),
            entry.term.into(),
            Value::Hash(entry.digest),
            Value::node_or_none(client),
            Value::number(serial),
            Value::number(u64::from(effect)),
        ],
    );
}

pub fn snapshot(
    host: &mut impl Host,
    name: &'static str,
    index: LogIndex,
    term: Term,
    chain: u64,
    state: u64,
) {
    host.observe(
        name,
        &["index", "term", "chain", "state"],
        &[index.into(), term.into(), Value::Hash(chain), Value::Hash(state)],
    );
}

pub fn config_append(host: &mut impl Host, index: LogIndex, term: Term, config: &Configuration) {
    let voters = names(host, &config.voters);
    let learners = names(host, &config.learners);
    let voters_old = names(host, config.voters_old.as_deref().unwrap_or_default());
    host.observe(
        "config_append",
        &["index", "term", "kind", "voters", "learners", "voters_old"],
        &[
            index.into(),
            term.into(),
            Value::Text(config.kind().into()),
            voters,
            learners,
            voters_old,
        ],
    );
}

fn names(host: &impl Host, nodes: &[NodeId]) -> Value {
    if nodes.is_empty() {
        return Value::Text("-".into());
    }
    let names: Vec<&str> = nodes.iter().map(|node| host.name(*node)).collect();
    Value::Text(names.join("+").into())
}

pub fn config_commit(host: &mut impl Host, index: LogIndex, term: Term) {
    host.observe("config_commit", &["index", "term"], &[index.into(), term.into()]);
}

pub fn read(host: &mut impl Host, index: LogIndex, mode: &'static str) {
    host.observe("read", &["index", "mode"], &[index.into(), Value::Text(mode.into())]);
}

pub fn reply(host: &mut impl Host, client: NodeId, serial: u64, index: LogIndex) {
    host.observe(
        "reply",
        &["client", "serial", "index"],
        &[Value::Node(client), Value::number(serial), index.into()],
    );
}

pub fn transfer(host: &mut impl Host, term: Term, target: NodeId) {
    host.observe("transfer", &["term", "target"], &[term.into(), Value::Node(target)]);
}
