//! What nodes show of themselves: the one place that knows the names of events and their fields.

use super::node::Cx;
use super::record::Record;
use super::settings::Mode;
use super::view::View;
use crate::node::NodeId;
use crate::trace::Value;
use crate::vocabulary::{EventInfo, Kind, MetricInfo};

/// All events, for the reference.
pub const EVENTS: &[EventInfo] = &[
    EventInfo {
        fields: &[],
        name: "recovered",
        summary: "A replica has started; what it found on its disk, and whether it was damaged.",
    },
    EventInfo {
        fields: &[],
        name: "kept",
        summary: "A record that a replica has found on its disk; the last ones of the log.",
    },
    EventInfo {
        fields: &[],
        name: "epoch",
        summary: "A replica has promised to follow no epoch before this one.",
    },
    EventInfo {
        fields: &[],
        name: "stored",
        summary: "A record is durable in a replica's log, under the epoch of the leader that it \
            was taken from.",
    },
    EventInfo {
        fields: &[],
        name: "cut",
        summary: "A replica has removed the records from a number on, because they conflict with \
            the leader's.",
    },
    EventInfo {
        fields: &[],
        name: "copied",
        summary: "A replica has replaced its log by a whole copy of the leader's.",
    },
    EventInfo { fields: &[], name: "emptied", summary: "A replica has deleted its folder." },
    EventInfo {
        fields: &[],
        name: "in_order",
        summary: "A replica's log has everything that the leader of an epoch began with.",
    },
    EventInfo {
        fields: &[],
        name: "applied",
        summary: "A record was applied to the forms; `effect` is 0 for a refused request, `forms` \
            a digest of all forms.",
    },
    EventInfo {
        fields: &[],
        name: "leads",
        summary: "A replica has become leader; its log at that moment, and the mode.",
    },
    EventInfo {
        fields: &[],
        name: "steps_down",
        summary: "A leader has stepped down; `epoch` is its own.",
    },
    EventInfo {
        fields: &[],
        name: "final",
        summary: "The leader knows that the records up to a number are final, and who has \
            confirmed them.",
    },
    EventInfo {
        fields: &[],
        name: "answered",
        summary: "A client's write is answered: `effect` is 1 where it was done, 0 where it was \
            refused.",
    },
    EventInfo {
        fields: &[],
        name: "read",
        summary: "A client's read is answered from what was applied up to a number.",
    },
    EventInfo {
        fields: &[],
        name: "refused",
        summary: "A message of an epoch that has ended was refused.",
    },
    EventInfo {
        fields: &[],
        name: "difference",
        summary: "Two copies of something differ by their hash: what, and where.",
    },
    EventInfo {
        fields: &[],
        name: "view",
        summary: "A node knows a new view: who leads in which epoch, and which replicas are in \
            sync.",
    },
    EventInfo {
        fields: &[],
        name: "registered",
        summary: "The coordinator has heard of a replica for the first time, or again.",
    },
    EventInfo {
        fields: &[],
        name: "expired",
        summary: "The coordinator takes a replica for dead.",
    },
    EventInfo {
        fields: &[],
        name: "promoted",
        summary: "The coordinator has chosen a leader, and what it knew of its log.",
    },
];

/// All metrics, for the reference.
pub const METRICS: &[MetricInfo] = &[
    MetricInfo {
        kind: Kind::OneOf(ROLES),
        name: "role",
        summary: "`leader`, `follower`, `blank` (a new disk, which waits for the view), \
            `coordinator` or `server`.",
    },
    MetricInfo {
        kind: Kind::Number,
        name: "current_term",
        summary: "The epoch that the node follows.",
    },
    MetricInfo {
        kind: Kind::Number,
        name: "last_index",
        summary: "The last record of a replica's log.",
    },
    MetricInfo {
        kind: Kind::Number,
        name: "commit_index",
        summary: "The last record that a replica knows to be final.",
    },
    MetricInfo {
        kind: Kind::Number,
        name: "last_applied",
        summary: "The last record that is applied to a replica's forms.",
    },
    MetricInfo {
        kind: Kind::Number,
        name: "in_sync_replicas",
        summary: "How many replicas are in sync, in the view that the node knows.",
    },
    MetricInfo {
        kind: Kind::Number,
        name: "serving",
        summary: "1 while a replica is an acknowledged leader.",
    },
];

/// What the metric `role` can say.
pub const ROLES: &[&str] = &["leader", "follower", "blank", "coordinator", "server"];

/// `n1+n2`, or `-` for nobody.
pub fn names(ctx: &Cx<'_>, nodes: impl IntoIterator<Item = NodeId>) -> Value {
    let names: Vec<&str> = nodes.into_iter().map(|node| ctx.name(node)).collect();
    if names.is_empty() { Value::word("-") } else { Value::Text(names.join("+").into()) }
}

pub fn recovered(
    ctx: &mut Cx<'_>,
    epoch: u64,
    log_epoch: u64,
    last: (u64, u64),
    discarded: u64,
    damaged: bool,
) {
    let names = &["epoch", "log_epoch", "seq", "hash", "discarded", "damaged"];
    let values = [
        Value::number(epoch),
        Value::number(log_epoch),
        Value::number(last.0),
        Value::Hash(last.1),
        Value::number(discarded),
        Value::number(u64::from(damaged)),
    ];
    ctx.observe("recovered", names, &values);
}

pub fn kept(ctx: &mut Cx<'_>, record: &Record) {
    ctx.observe(
        "kept",
        &["seq", "prev", "hash"],
        &[Value::number(record.content.seq), Value::Hash(record.prev), Value::Hash(record.hash)],
    );
}

pub fn epoch(ctx: &mut Cx<'_>, epoch: u64) {
    ctx.observe("epoch", &["epoch"], &[Value::number(epoch)]);
}

pub fn stored(ctx: &mut Cx<'_>, epoch: u64, record: &Record) {
    let values = [
        Value::number(epoch),
        Value::number(record.content.seq),
        Value::Hash(record.prev),
        Value::Hash(record.hash),
    ];
    ctx.observe("stored", &["epoch", "seq", "prev", "hash"], &values);
}

pub fn cut(ctx: &mut Cx<'_>, from: u64) {
    ctx.observe("cut", &["from"], &[Value::number(from)]);
}

pub fn copied(ctx: &mut Cx<'_>, epoch: u64, last: (u64, u64), bytes: usize) {
    let values = [
        Value::number(epoch),
        Value::number(last.0),
        Value::Hash(last.1),
        Value::number(bytes as u64),
    ];
    ctx.observe("copied", &["epoch", "seq", "hash", "bytes"], &values);
}

pub fn emptied(ctx: &mut Cx<'_>) {
    ctx.observe("emptied", &[], &[]);
}

pub fn in_order(ctx: &mut Cx<'_>, epoch: u64, seq: u64) {
    ctx.observe("in_order", &["epoch", "seq"], &[Value::number(epoch), Value::number(seq)]);
}

pub fn applied(ctx: &mut Cx<'_>, record: &Record, effect: bool, forms: u64) {
    let (client, req) = record.request();
    let names = &["seq", "hash", "client", "req", "effect", "forms"];
    let seq = Value::number(record.content.seq);
    ctx.observe(
        "applied",
        names,
        &[
            seq,
            Value::Hash(record.hash),
            Value::Node(client),
            Value::number(req),
            Value::number(u64::from(effect)),
            Value::Hash(forms),
        ],
    );
}

pub fn leads(ctx: &mut Cx<'_>, epoch: u64, last: (u64, u64), mode: Mode, min_in_sync: usize) {
    let values = [
        Value::number(epoch),
        Value::number(last.0),
        Value::Hash(last.1),
        Value::word(mode.word()),
        Value::number(min_in_sync as u64),
    ];
    ctx.observe("leads", &["epoch", "seq", "hash", "mode", "min_in_sync"], &values);
}

pub fn steps_down(ctx: &mut Cx<'_>, epoch: u64, why: &'static str) {
    ctx.observe("steps_down", &["epoch", "why"], &[Value::number(epoch), Value::word(why)]);
}

pub fn finalised(ctx: &mut Cx<'_>, epoch: u64, seq: u64, hash: u64, confirmed: Vec<NodeId>) {
    let confirmed = names(ctx, confirmed);
    ctx.observe(
        "final",
        &["epoch", "seq", "hash", "confirmed"],
        &[Value::number(epoch), Value::number(seq), Value::Hash(hash), confirmed],
    );
}

pub fn answered(ctx: &mut Cx<'_>, epoch: u64, record: &Record, effect: bool) {
    let (client, req) = record.request();
    let names = &["client", "req", "epoch", "seq", "hash", "effect"];
    let seq = Value::number(record.content.seq);
    let values = [
        Value::Node(client),
        Value::number(req),
        Value::number(epoch),
        seq,
        Value::Hash(record.hash),
        Value::number(u64::from(effect)),
    ];
    ctx.observe("answered", names, &values);
}

pub fn read(ctx: &mut Cx<'_>, client: NodeId, req: u64, epoch: u64, seq: u64, mode: &'static str) {
    let values = [
        Value::Node(client),
        Value::number(req),
        Value::number(epoch),
        Value::number(seq),
        Value::word(mode),
    ];
    ctx.observe("read", &["client", "req", "epoch", "seq", "mode"], &values);
}

pub fn refused(ctx: &mut Cx<'_>, from: NodeId, theirs: u64, ours: u64) {
    ctx.observe(
        "refused",
        &["from", "epoch", "promised"],
        &[Value::Node(from), Value::number(theirs), Value::number(ours)],
    );
}

pub fn difference(
    ctx: &mut Cx<'_>,
    what: &'static str,
    with: Option<NodeId>,
    seq: u64,
    ours: u64,
    theirs: u64,
) {
    let values = [
        Value::word(what),
        Value::node_or_none(with),
        Value::number(seq),
        Value::Hash(ours),
        Value::Hash(theirs),
    ];
    ctx.observe("difference", &["what", "with", "seq", "ours", "theirs"], &values);
}

pub fn view(ctx: &mut Cx<'_>, view: &View) {
    let in_sync = names(ctx, view.in_sync.iter().map(|node| NodeId(*node)));
    let values = [
        Value::number(view.version),
        Value::number(view.epoch),
        Value::node_or_none(view.leader()),
        Value::number(view.active_epoch),
        in_sync,
    ];
    ctx.observe("view", &["version", "epoch", "leader", "active_epoch", "in_sync"], &values);
}

pub fn registered(ctx: &mut Cx<'_>, replica: NodeId) {
    ctx.observe("registered", &["replica"], &[Value::Node(replica)]);
}

pub fn expired(ctx: &mut Cx<'_>, replica: NodeId) {
    ctx.observe("expired", &["replica"], &[Value::Node(replica)]);
}

pub fn promoted(ctx: &mut Cx<'_>, epoch: u64, leader: NodeId, log_epoch: u64, seq: u64) {
    let values =
        [Value::number(epoch), Value::Node(leader), Value::number(log_epoch), Value::number(seq)];
    ctx.observe("promoted", &["epoch", "leader", "log_epoch", "seq"], &values);
}
