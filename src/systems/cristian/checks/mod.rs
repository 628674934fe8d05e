//! What the checks of `cristian` share: rounds, readings and the lines of the library, decoded from
//! events.
//!
//! An event that lacks a field, or speaks of a node that does not exist, is skipped: a checker
//! judges what it understands. Numbers are 128 bits wide, so that no damaged trace makes them
//! overflow.

pub(crate) mod answered_in_all_databases;
pub(crate) mod berkeley_agreement;
pub(crate) mod berkeley_outliers_rejected;
pub(crate) mod best_sample_used;
pub(crate) mod book_once_a_session;
pub(crate) mod books_keep_coming;
pub(crate) mod bound_is_earned;
pub(crate) mod claimed_bound_holds;
pub(crate) mod clock_converges;
pub(crate) mod clock_never_backwards;
pub(crate) mod clock_within;
pub(crate) mod every_book_accounted;
pub(crate) mod journal_survives_crash;
pub(crate) mod none_left_is_true;
pub(crate) mod reply_matches_request;
pub(crate) mod request_once;
pub(crate) mod round_error_within_bound;
pub(crate) mod rounds_recorded;
pub(crate) mod session_ends_once;
pub(crate) mod slew_rate_limited;
pub(crate) mod synchronisation_goes_on;
pub(crate) mod utc_only_by_time_server;

use crate::checkers::findings::Findings;
use crate::checkers::{Checker, Verdict};
use crate::time::RUN_BEGINS;
use crate::trace::{Event, NodeId, Trace};

/// The checks that make sense for `cristian`.
pub static CHECKS: &[&Checker] = &[
    &round_error_within_bound::CHECKER,
    &claimed_bound_holds::CHECKER,
    &bound_is_earned::CHECKER,
    &reply_matches_request::CHECKER,
    &best_sample_used::CHECKER,
    &clock_never_backwards::CHECKER,
    &slew_rate_limited::CHECKER,
    &clock_converges::CHECKER,
    &clock_within::CHECKER,
    &berkeley_agreement::CHECKER,
    &berkeley_outliers_rejected::CHECKER,
    &utc_only_by_time_server::CHECKER,
    &rounds_recorded::CHECKER,
    &synchronisation_goes_on::CHECKER,
    &book_once_a_session::CHECKER,
    &request_once::CHECKER,
    &none_left_is_true::CHECKER,
    &every_book_accounted::CHECKER,
    &session_ends_once::CHECKER,
    &answered_in_all_databases::CHECKER,
    &journal_survives_crash::CHECKER,
    &books_keep_coming::CHECKER,
    &crate::checkers::no_panic::CHECKER,
    &crate::checkers::all_operations_answered::CHECKER,
    &crate::checkers::availability::CHECKER,
];

/// A trace rounds each time down to a microsecond; an error is made of several.
pub(super) const GRAIN_US: i128 = 5;

/// Where a machine stands in its life: its name and which start.
pub(super) type Life = (NodeId, u32);

/// A round that has ended, µs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Round<'a> {
    pub time_us: u64,
    pub life: Life,
    pub round: i64,
    pub algorithm: &'a str,
    pub discipline: &'a str,
    pub nonce: i64,
    pub t0: i128,
    pub t1: i128,
    /// What does not count of the round trip.
    pub held: i128,
    /// Since `t1`.
    pub age: i128,
    pub before: i128,
    pub after: i128,
    pub correction: i128,
    pub own_error: i128,
    /// `None`: what was measured against knows nothing of true time.
    pub root: Option<i128>,
    pub bound: Option<i128>,
    pub min_delay: i128,
    pub drift_ppm: i128,
    pub by_hand: i128,
    pub mode: &'a str,
    pub samples: &'a str,
}

impl<'a> Round<'a> {
    fn decode(event: &'a Event) -> Option<Round<'a>> {
        let int = |name: &str| event.fields.int(name).map(i128::from);
        let known = |name: &str| int(name).map(|value| Some(value).filter(|value| *value >= 0));
        Some(Round {
            time_us: event.time_us,
            life: (event.node, event.incarnation),
            round: event.fields.int("round")?,
            algorithm: event.fields.text("algorithm")?,
            discipline: event.fields.text("discipline")?,
            nonce: event.fields.int("nonce")?,
            t0: int("t0_us")?,
            t1: int("t1_us")?,
            held: int("held_us")?,
            age: int("age_us")?,
            before: int("before_us")?,
            after: int("after_us")?,
            correction: int("correction_us")?,
            own_error: int("own_error_us")?,
            root: known("root_bound_us")?,
            bound: known("error_bound_us")?,
            min_delay: int("min_delay_us")?,
            drift_ppm: int("drift_ppm")?.clamp(0, 900_000),
            by_hand: int("by_hand_us")?,
            mode: event.fields.text("mode")?,
            samples: event.fields.text("samples")?,
        })
    }

    /// The monotonic clock when the round ended.
    pub fn mono(&self) -> i128 {
        self.t1 + self.age
    }

    /// The hour that the round has found, minus true time.
    pub fn estimate_error(&self) -> i128 {
        self.before + self.correction - true_us(self.time_us)
    }

    /// The round trip as the algorithm counts it.
    pub fn delay(&self) -> i128 {
        self.t1 - self.t0 - self.held
    }

    /// By how much two clocks may part in so long.
    pub fn drift(&self, elapsed: i128) -> i128 {
        drift(elapsed, self.drift_ppm)
    }
}

/// By how much a clock that is off by at most `ppm` goes wrong in so long.
pub(super) fn drift(elapsed: i128, ppm: i128) -> i128 {
    elapsed.max(0) * ppm / (1_000_000 - ppm.clamp(0, 900_000)) + 1
}

/// What a clock showed, µs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reading<'a> {
    pub time_us: u64,
    pub life: Life,
    pub clock: i128,
    pub mono: i128,
    pub bound: Option<i128>,
    pub by_hand: i128,
    pub slew_ppm: i128,
    pub mode: &'a str,
}

impl<'a> Reading<'a> {
    /// Of a program only the hour and the claim are asked; the rest is that of a clock which no
    /// hand reaches.
    fn decode(event: &'a Event) -> Option<Reading<'a>> {
        let int = |name: &str| event.fields.int(name).map(i128::from);
        Some(Reading {
            time_us: event.time_us,
            life: (event.node, event.incarnation),
            clock: int("clock_us")?,
            mono: int("mono_us").unwrap_or(0),
            bound: int("error_bound_us").filter(|bound| *bound >= 0),
            by_hand: int("by_hand_us").unwrap_or(0),
            slew_ppm: int("slew_ppm").unwrap_or(0).clamp(0, 10_000_000),
            mode: event.fields.text("mode").unwrap_or("right"),
        })
    }
}

/// What clocks did, in order.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::large_enum_variant, reason = "values of a moment, never kept")]
pub(super) enum Tick<'a> {
    Round(Round<'a>),
    Reading(Reading<'a>),
}

/// True time as a clock would show it, µs since 1970.
pub(super) fn true_us(time_us: u64) -> i128 {
    i128::from(RUN_BEGINS.as_nanos() / 1_000) + i128::from(time_us)
}

/// The events of a name, of nodes that there are, in the order of the trace.
pub(super) fn events<'a>(trace: &'a Trace, name: &'a str) -> impl Iterator<Item = &'a Event> {
    trace
        .events
        .iter()
        .filter(move |event| event.name == name && event.node.index() < trace.nodes.len())
}

/// All rounds.
pub(super) fn rounds(trace: &Trace) -> impl Iterator<Item = Round<'_>> {
    events(trace, "round").filter_map(Round::decode)
}

/// What a clock showed before and after the round that ended now, µs: the part of a round that
/// programs show, too.
#[derive(Clone, Copy, Debug)]
pub(super) struct Corrected<'a> {
    pub discipline: &'a str,
    pub before: i128,
    pub after: i128,
}

impl<'a> Corrected<'a> {
    pub fn decode(event: &'a Event) -> Option<Corrected<'a>> {
        let int = |name: &str| event.fields.int(name).map(i128::from);
        Some(Corrected {
            discipline: event.fields.text("discipline")?,
            before: int("before_us")?,
            after: int("after_us")?,
        })
    }
}

/// All rounds and readings.
pub(super) fn ticks(trace: &Trace) -> impl Iterator<Item = Tick<'_>> {
    let known = trace.events.iter().filter(|event| event.node.index() < trace.nodes.len());
    known.filter_map(|event| match event.name.as_ref() {
        "round" => Round::decode(event).map(Tick::Round),
        "reading" => Reading::decode(event).map(Tick::Reading),
        _ => None,
    })
}

/// How wrong the UTC source was at the most: by definition not at all, but a fault can reach its
/// hardware, and then nobody else is to blame.
pub(super) fn utc_error(trace: &Trace) -> i128 {
    let is_utc =
        |node: NodeId| trace.nodes.get(node.index()).is_some_and(|info| info.role == "utc_source");
    let offsets = trace
        .metrics
        .iter()
        .filter(|metric| metric.name == "clock_offset_us" && is_utc(metric.node));
    offsets
        .filter_map(|metric| metric.value.int())
        .map(|offset| i128::from(offset.unsigned_abs()))
        .max()
        .unwrap_or(0)
}

/// A line of the library: `enqueue`, `apply`, `grant` or `reply`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line {
    pub index: u64,
    pub time_us: u64,
    pub node: NodeId,
    pub client: NodeId,
    pub serial: i64,
    pub session: i64,
    /// 0: none.
    pub book: i64,
}

/// The lines that say that a user has a book: in a database, by a grant, in an answer.
pub(super) fn books(trace: &Trace) -> impl Iterator<Item = Line> + '_ {
    let known = trace.events.iter().filter(|event| event.node.index() < trace.nodes.len());
    known.filter_map(|event| {
        let given = match event.name.as_ref() {
            "apply" | "grant" => event.fields.int("effect") == Some(1),
            "reply" => event.fields.text("answer") == Some("book"),
            _ => false,
        };
        if given { line(event).filter(|line| line.book > 0) } else { None }
    })
}

pub(super) fn line(event: &Event) -> Option<Line> {
    Some(Line {
        index: event.index,
        time_us: event.time_us,
        node: event.node,
        client: event.fields.node("client")?,
        serial: event.fields.int("serial")?,
        session: event.fields.int("session")?,
        book: event.fields.int("book")?,
    })
}

/// The verdict of a check that has looked at so many things; without any there is nothing to judge
/// by.
pub(super) fn verdict(findings: Findings, judged: usize, what: &str) -> Verdict {
    if judged == 0 {
        Verdict::Unknown(format!("the trace holds no {what}"))
    } else {
        findings.verdict()
    }
}

/// Microseconds with thousands apart, for messages: `1,234 µs`.
pub(super) fn us(value: i128) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = if value < 0 { "-".to_owned() } else { String::new() };
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text + " µs"
}
