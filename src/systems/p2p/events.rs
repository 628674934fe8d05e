//! What the nodes show of themselves: the one place that knows the names of events and their
//! fields.

use super::node::Step;
use super::service::Operation;
use crate::node::{NodeId, Value};
use crate::vocabulary::{EventInfo, Kind, MetricInfo};

/// All events, for the reference.
pub const EVENTS: &[EventInfo] = &[
    EventInfo {
        fields: &[],
        name: "tables",
        summary: "The directory has started; how many users it found on its disk, and its lease.",
    },
    EventInfo {
        fields: &[],
        name: "executed",
        summary: "The directory has executed an operation of a host; its number in the operation \
            log and its status.",
    },
    EventInfo {
        fields: &[],
        name: "online",
        summary: "The directory takes a user for connected, at this host and port.",
    },
    EventInfo {
        fields: &[],
        name: "offline",
        summary: "It does no longer; `reason` is `disconnect`, `unregister` or `expired`.",
    },
    EventInfo {
        fields: &[],
        name: "offered",
        summary: "How many files the directory knows of a user from now on.",
    },
    EventInfo {
        fields: &[],
        name: "malformed",
        summary: "The directory got bytes that are no request.",
    },
    EventInfo {
        fields: &[],
        name: "reported",
        summary: "The logging server has confirmed all lines up to this one.",
    },
    EventInfo {
        fields: &[],
        name: "log_found",
        summary: "The logging server has started; how many lines it found on its disk.",
    },
    EventInfo { fields: &[], name: "log_line", summary: "One of these lines." },
    EventInfo { fields: &[], name: "logged", summary: "A line is in the operation log, durably." },
    EventInfo {
        fields: &[],
        name: "dated",
        summary: "The date service has told a node date and time.",
    },
    EventInfo {
        fields: &[],
        name: "session_open",
        summary: "A user is connected at this peer, which listens on the port.",
    },
    EventInfo {
        fields: &[],
        name: "session_end",
        summary: "It is no longer; `reason` is `asked` or `expired`.",
    },
    EventInfo {
        fields: &[],
        name: "share",
        summary: "A file is on the peer's own list of what a user has published.",
    },
    EventInfo { fields: &[], name: "unshare", summary: "It is taken from the list." },
    EventInfo {
        fields: &[],
        name: "file",
        summary: "A file lies at a path: `how` is `created`, `found` at a start, or `fetched`.",
    },
    EventInfo {
        fields: &[],
        name: "serve",
        summary: "A sharing peer answers a request for a file; with status 0 it sends the file at \
            this path.",
    },
    EventInfo { fields: &[], name: "fetch", summary: "A peer begins a transfer from this host." },
    EventInfo { fields: &[], name: "fetched", summary: "A transfer has ended; how much has come." },
    EventInfo {
        fields: &[],
        name: "kept",
        summary: "After a transfer without success: what lies under the final name.",
    },
];

/// All metrics, for the reference.
pub const METRICS: &[MetricInfo] = &[
    MetricInfo { kind: Kind::Number, name: "users", summary: "Registered users (directory)." },
    MetricInfo { kind: Kind::Number, name: "connected", summary: "Connected users (directory)." },
    MetricInfo {
        kind: Kind::Number,
        name: "published",
        summary: "Published files (directory); files on its own lists (peer).",
    },
    MetricInfo {
        kind: Kind::Number,
        name: "executed",
        summary: "Operations that the directory has executed.",
    },
    MetricInfo {
        kind: Kind::Number,
        name: "reported",
        summary: "Of these, how many the logging server has confirmed (directory).",
    },
    MetricInfo { kind: Kind::Number, name: "log_line", summary: "One of these lines." },
    MetricInfo {
        kind: Kind::Number,
        name: "logged",
        summary: "Lines of the operation log (logging server).",
    },
    MetricInfo { kind: Kind::Number, name: "dates", summary: "Dates given (date service)." },
    MetricInfo { kind: Kind::Number, name: "sessions", summary: "Users connected at a peer." },
    MetricInfo { kind: Kind::Number, name: "busy", summary: "1 while a peer works on a command." },
];

pub fn tables(ctx: &mut Step<'_>, users: usize, executed: u64, lease_us: u64) {
    ctx.observe(
        "tables",
        &["users", "executed", "lease_us"],
        &[Value::number(users as u64), Value::number(executed), Value::number(lease_us)],
    );
}

pub fn executed(
    ctx: &mut Step<'_>,
    origin: NodeId,
    sequence: u64,
    date: &str,
    operation: &Operation,
    status: u8,
) {
    let values = [
        Value::number(sequence),
        Value::Node(origin),
        Value::text(operation.service.name()),
        Value::number(u64::from(status)),
        Value::text(&date.replace(' ', "_")),
        Value::text(operation.user()),
        Value::text(operation.argument()),
    ];
    ctx.observe(
        "executed",
        &["sequence", "origin", "operation", "status", "date", "user", "argument"],
        &values,
    );
}

pub fn online(ctx: &mut Step<'_>, user: &str, host: Option<NodeId>, port: u16) {
    let host = host.map_or(Value::text("none"), Value::Node);
    ctx.observe(
        "online",
        &["host", "port", "user"],
        &[host, Value::number(u64::from(port)), Value::text(user)],
    );
}

pub fn offline(ctx: &mut Step<'_>, user: &str, reason: &'static str) {
    ctx.observe("offline", &["reason", "user"], &[Value::Text(reason.into()), Value::text(user)]);
}

pub fn offered(ctx: &mut Step<'_>, user: &str, files: usize) {
    ctx.observe("offered", &["files", "user"], &[Value::number(files as u64), Value::text(user)]);
}

pub fn malformed(ctx: &mut Step<'_>, origin: NodeId, reason: &'static str) {
    ctx.observe(
        "malformed",
        &["origin", "reason"],
        &[Value::Node(origin), Value::Text(reason.into())],
    );
}

pub fn reported(ctx: &mut Step<'_>, upto: u64) {
    ctx.observe("reported", &["upto"], &[Value::number(upto)]);
}

pub fn log_found(ctx: &mut Step<'_>, lines: u64) {
    ctx.observe("log_found", &["lines"], &[Value::number(lines)]);
}

/// A line that is logged, or found at a start.
pub fn log_line(
    ctx: &mut Step<'_>,
    name: &'static str,
    sequence: u64,
    operation: &str,
    date: &str,
    user: &str,
    file: &str,
) {
    let values = [
        Value::number(sequence),
        Value::text(operation),
        Value::text(&date.replace(' ', "_")),
        Value::text(user),
        Value::text(file),
    ];
    ctx.observe(name, &["sequence", "operation", "date", "user", "file"], &values);
}

pub fn dated(ctx: &mut Step<'_>, to: NodeId, date: &str) {
    ctx.observe("dated", &["to", "date"], &[Value::Node(to), Value::text(&date.replace(' ', "_"))]);
}

pub fn session_open(ctx: &mut Step<'_>, user: &str, port: u16) {
    ctx.observe(
        "session_open",
        &["port", "user"],
        &[Value::number(u64::from(port)), Value::text(user)],
    );
}

pub fn session_end(ctx: &mut Step<'_>, user: &str, port: u16, reason: &'static str) {
    let values = [Value::number(u64::from(port)), Value::Text(reason.into()), Value::text(user)];
    ctx.observe("session_end", &["port", "reason", "user"], &values);
}

pub fn share(ctx: &mut Step<'_>, name: &'static str, user: &str, file: &str) {
    ctx.observe(name, &["user", "file"], &[Value::text(user), Value::text(file)]);
}

pub fn file(ctx: &mut Step<'_>, how: &'static str, path: &str, bytes: u64, digest: u64) {
    let values =
        [Value::Text(how.into()), Value::number(bytes), Value::Hash(digest), Value::text(path)];
    ctx.observe("file", &["how", "bytes", "digest", "path"], &values);
}

/// What a sharing peer sends, or does not.
pub struct Serving<'a> {
    pub to: NodeId,
    pub user: &'a str,
    pub status: u8,
    pub bytes: u64,
    pub digest: u64,
    /// What was opened, below the peer's own folder.
    pub path: &'a str,
}

pub fn serve(ctx: &mut Step<'_>, serving: &Serving<'_>) {
    let values = [
        Value::Node(serving.to),
        Value::number(u64::from(serving.status)),
        Value::number(serving.bytes),
        Value::Hash(serving.digest),
        Value::text(serving.user),
        Value::text(serving.path),
    ];
    ctx.observe("serve", &["to", "status", "bytes", "digest", "user", "path"], &values);
}

pub fn fetch(
    ctx: &mut Step<'_>,
    from: Option<NodeId>,
    port: u16,
    attempt: u32,
    file: &str,
    name: &str,
) {
    let from = from.map_or(Value::text("none"), Value::Node);
    let values = [
        from,
        Value::number(u64::from(port)),
        Value::number(u64::from(attempt)),
        Value::text(file),
        Value::text(name),
    ];
    ctx.observe("fetch", &["from", "port", "attempt", "file", "name"], &values);
}

/// The end of a transfer.
pub struct Fetched<'a> {
    pub from: Option<NodeId>,
    /// `ok`, `missing`, `refused`, `broken`, `stalled`, `damaged`.
    pub outcome: &'static str,
    pub bytes: u64,
    pub digest: u64,
    pub file: &'a str,
    pub name: &'a str,
}

pub fn fetched(ctx: &mut Step<'_>, end: &Fetched<'_>) {
    let from = end.from.map_or(Value::text("none"), Value::Node);
    let outcome = Value::Text(end.outcome.into());
    let values = [
        from,
        outcome,
        Value::number(end.bytes),
        Value::Hash(end.digest),
        Value::text(end.file),
        Value::text(end.name),
    ];
    ctx.observe("fetched", &["from", "outcome", "bytes", "digest", "file", "name"], &values);
}

pub fn kept(ctx: &mut Step<'_>, present: bool, bytes: u64, digest: u64, path: &str) {
    let values = [
        Value::number(u64::from(present)),
        Value::number(bytes),
        Value::Hash(digest),
        Value::text(path),
    ];
    ctx.observe("kept", &["present", "bytes", "digest", "path"], &values);
}
