//! What the machines show of themselves: the one place that knows the names of events and their
//! fields.

use super::process::Context;
use super::round_log::RoundRecord;
use super::soft_clock::SoftClock;
use crate::trace::{NodeId, Value};
use crate::vocabulary::{EventInfo, Kind, MetricInfo};

/// All events, for the reference.
pub const EVENTS: &[EventInfo] = &[
    EventInfo {
        fields: &[],
        name: "recover",
        summary: "A machine has started; how much its disk holds of what it keeps.",
    },
    EventInfo {
        fields: &[],
        name: "hour",
        summary: "The coordinator begins a round; its reference hour.",
    },
    EventInfo { fields: &[], name: "probe", summary: "A machine asks another for the time." },
    EventInfo {
        fields: &[],
        name: "round",
        summary: "A round has ended; what was measured, and what it did to the clock.",
    },
    EventInfo {
        fields: &[],
        name: "round_missed",
        summary: "A round began while the one before had not ended, which is given up.",
    },
    EventInfo {
        fields: &[],
        name: "adjust_void",
        summary: "Berkeley's correction came for a clock that somebody had set meanwhile.",
    },
    EventInfo {
        fields: &[],
        name: "reading",
        summary: "What a clock shows, and how far its machine thinks that it may be from true \
            time.",
    },
    EventInfo {
        fields: &[],
        name: "berkeley",
        summary: "The coordinator has all clocks of a round, and their mean.",
    },
    EventInfo {
        fields: &[],
        name: "round_stored",
        summary: "The record of a round is on the server's disk.",
    },
    EventInfo {
        fields: &[],
        name: "recorded",
        summary: "The record of a round is on the coordinator's disk.",
    },
    EventInfo {
        fields: &[],
        name: "record_found",
        summary: "The coordinator has started, and this record is on its disk.",
    },
    EventInfo { fields: &[], name: "utc_asked", summary: "The UTC source was asked for the time." },
    EventInfo {
        fields: &[],
        name: "by_hand",
        summary: "Somebody sets or edits a clock by a command.",
    },
    EventInfo {
        fields: &[],
        name: "enqueue",
        summary: "A statement is on the queue's disk, at this position.",
    },
    EventInfo {
        fields: &[],
        name: "apply",
        summary: "A statement of the queue is in a server's database; `effect` is 0 where it \
            changed nothing.",
    },
    EventInfo {
        fields: &[],
        name: "grant",
        summary: "A server has handed out a book of its own, before the queue knows.",
    },
    EventInfo {
        fields: &[],
        name: "session_open",
        summary: "A session begins in a server's database.",
    },
    EventInfo {
        fields: &[],
        name: "session_end",
        summary: "A session ends in a server's database, and why.",
    },
    EventInfo {
        fields: &[],
        name: "reply",
        summary: "A server answers a user: with a book, or that none is left.",
    },
];

/// All metrics, for the reference.
pub const METRICS: &[MetricInfo] = &[
    MetricInfo {
        kind: Kind::Number,
        name: "round",
        summary: "The last round: of the coordinator the last begun, of a server the last ended.",
    },
    MetricInfo {
        kind: Kind::Number,
        name: "is_set",
        summary: "1 once the clock has been set since the start.",
    },
    MetricInfo {
        kind: Kind::Number,
        name: "unconfirmed",
        summary: "Records of rounds that the coordinator has not confirmed.",
    },
    MetricInfo { kind: Kind::Number, name: "session", summary: "The session of the library." },
    MetricInfo {
        kind: Kind::Number,
        name: "books_left",
        summary: "Books that are left in it, as this server knows.",
    },
    MetricInfo {
        kind: Kind::Number,
        name: "applied",
        summary: "Statements of the queue in this server's database.",
    },
    MetricInfo {
        kind: Kind::Number,
        name: "waiting",
        summary: "Statements that the queue has not confirmed.",
    },
    MetricInfo {
        kind: Kind::Number,
        name: "queue_length",
        summary: "Statements that the queue holds.",
    },
];

/// Nanoseconds as whole microseconds, rounded down as the trace's own times are.
pub fn us(ns: i64) -> Value {
    Value::Int(ns.div_euclid(1_000))
}

/// A bound in µs, rounded up; −1 where there is none.
fn bound(ns: Option<i64>) -> Value {
    Value::Int(ns.map_or(-1, |ns| -(-ns).div_euclid(1_000)))
}

/// What was measured in a round, ns.
pub struct Round<'a> {
    pub round: u64,
    pub algorithm: &'static str,
    pub discipline: &'static str,
    pub nonce: u64,
    pub t0: i64,
    pub t1: i64,
    /// What does not count of the round trip.
    pub held: i64,
    /// Since the measurement, monotonic.
    pub age: i64,
    pub server_time: i64,
    pub before: i64,
    pub correction: i64,
    /// Of the measurement itself.
    pub own_error: i64,
    /// Of what it was measured against.
    pub root: Option<i64>,
    pub min_delay: i64,
    pub drift_bound_ppm: i64,
    /// The offset that the round goes by.
    pub estimate: i64,
    /// Delay and offset of each sample. The trace shows offsets relative to the estimate: that of
    /// the sample that counts is 0.
    pub samples: &'a [(i64, i64)],
}

pub fn round(ctx: &mut Context<'_>, round: &Round<'_>, clock: &SoftClock, mono: i64) {
    let of_sample = |(delay, offset): &(i64, i64)| {
        format!("{}:{}", delay.div_euclid(1_000), (offset - round.estimate).div_euclid(1_000))
    };
    let samples: Vec<String> = round.samples.iter().map(of_sample).collect();
    ctx.observe(
        "round",
        &[
            "round",
            "algorithm",
            "discipline",
            "nonce",
            "t0_us",
            "t1_us",
            "rtt_us",
            "held_us",
            "age_us",
            "server_us",
            "before_us",
            "after_us",
            "correction_us",
            "remaining_us",
            "own_error_us",
            "root_bound_us",
            "error_bound_us",
            "min_delay_us",
            "drift_ppm",
            "by_hand_us",
            "mode",
            "samples",
        ],
        &[
            Value::number(round.round),
            Value::word(round.algorithm),
            Value::word(round.discipline),
            Value::number(round.nonce),
            us(round.t0),
            us(round.t1),
            us(round.t1 - round.t0),
            us(round.held),
            us(round.age),
            us(round.server_time),
            us(round.before),
            us(mono + clock.offset()),
            us(round.correction),
            us(clock.remaining()),
            bound(Some(round.own_error)),
            bound(round.root),
            bound(clock.error_bound()),
            us(round.min_delay),
            Value::Int(round.drift_bound_ppm),
            us(clock.by_hand()),
            Value::word(clock.mode()),
            Value::Text(if samples.is_empty() { "-".into() } else { samples.join(",").into() }),
        ],
    );
}

pub fn reading(ctx: &mut Context<'_>, clock: &SoftClock, mono: i64, slew_ppm: i64) {
    ctx.observe(
        "reading",
        &[
            "clock_us",
            "mono_us",
            "error_bound_us",
            "remaining_us",
            "by_hand_us",
            "slew_ppm",
            "mode",
        ],
        &[
            us(mono + clock.offset()),
            us(mono),
            bound(clock.error_bound()),
            us(clock.remaining()),
            us(clock.by_hand()),
            Value::Int(slew_ppm),
            Value::word(clock.mode()),
        ],
    );
}

pub fn probe(ctx: &mut Context<'_>, source: NodeId, nonce: u64, t0: i64) {
    ctx.observe(
        "probe",
        &["source", "nonce", "t0_us"],
        &[Value::Node(source), Value::number(nonce), us(t0)],
    );
}

pub fn hour(ctx: &mut Context<'_>, round: u64, hour: i64, interval_us: i64) {
    ctx.observe(
        "hour",
        &["round", "hour_us", "interval_us"],
        &[Value::number(round), us(hour), Value::Int(interval_us)],
    );
}

pub fn of_round(ctx: &mut Context<'_>, name: &'static str, round: u64) {
    ctx.observe(name, &["round"], &[Value::number(round)]);
}

pub fn by_hand(ctx: &mut Context<'_>, by: i64) {
    ctx.observe("by_hand", &["by_us"], &[us(by)]);
}

pub fn utc_asked(ctx: &mut Context<'_>, by: NodeId) {
    ctx.observe("utc_asked", &["by"], &[Value::Node(by)]);
}

/// `clocks` and `taken` name machines, `ts=0,s1=-12`, in µs to the coordinator's clock.
pub fn berkeley(
    ctx: &mut Context<'_>,
    round: u64,
    mean: i64,
    gamma: i64,
    clocks: String,
    taken: String,
) {
    ctx.observe(
        "berkeley",
        &["round", "mean_us", "gamma_us", "clocks", "taken"],
        &[
            Value::number(round),
            us(mean),
            us(gamma),
            Value::Text(clocks.into()),
            Value::Text(taken.into()),
        ],
    );
}

pub fn record(ctx: &mut Context<'_>, name: &'static str, server: NodeId, record: &RoundRecord) {
    ctx.observe(
        name,
        &["server", "round", "previous_us", "corrected_us", "adjustment_us"],
        &[
            Value::Node(server),
            Value::number(record.round),
            Value::Int(record.previous_us),
            Value::Int(record.corrected_us),
            Value::Int(record.adjustment_us),
        ],
    );
}

pub fn recover(ctx: &mut Context<'_>, applied: u64, granted: u64) {
    ctx.observe(
        "recover",
        &["applied", "granted"],
        &[Value::number(applied), Value::number(granted)],
    );
}

/// A line of the library, for `enqueue`, `apply` and `grant`.
pub struct Line {
    pub position: u64,
    pub server: NodeId,
    pub client: NodeId,
    pub serial: u64,
    pub hour_us: i64,
    pub kind: &'static str,
    pub session: u32,
    pub book: u8,
    pub effect: bool,
}

pub fn line(ctx: &mut Context<'_>, name: &'static str, line: &Line) {
    ctx.observe(
        name,
        &["position", "server", "client", "serial", "hour_us", "kind", "session", "book", "effect"],
        &[
            Value::number(line.position),
            Value::Node(line.server),
            Value::Node(line.client),
            Value::number(line.serial),
            Value::Int(line.hour_us),
            Value::word(line.kind),
            Value::number(line.session),
            Value::number(line.book),
            Value::number(line.effect),
        ],
    );
}

pub fn session_open(
    ctx: &mut Context<'_>,
    (position, hour_us): (u64, i64),
    session: u32,
    books: u8,
) {
    ctx.observe(
        "session_open",
        &["position", "session", "hour_us", "books"],
        &[
            Value::number(position),
            Value::number(session),
            Value::Int(hour_us),
            Value::number(books),
        ],
    );
}

pub fn session_end(
    ctx: &mut Context<'_>,
    (position, hour_us): (u64, i64),
    session: u32,
    given: usize,
    reason: &'static str,
) {
    ctx.observe(
        "session_end",
        &["position", "session", "hour_us", "given", "reason"],
        &[
            Value::number(position),
            Value::number(session),
            Value::Int(hour_us),
            Value::number(given as u64),
            Value::word(reason),
        ],
    );
}

pub fn reply(
    ctx: &mut Context<'_>,
    client: NodeId,
    serial: u64,
    answer: &'static str,
    session: u32,
    book: u8,
) {
    ctx.observe(
        "reply",
        &["client", "serial", "answer", "session", "book"],
        &[
            Value::Node(client),
            Value::number(serial),
            Value::word(answer),
            Value::number(session),
            Value::number(book),
        ],
    );
}
