//! What a user was told stands in every server's database in the end, and the databases are the
//! same, line by line.

use std::collections::{BTreeMap, BTreeSet};

use super::{events, line, verdict};
use crate::checkers::findings::{Findings, whole};
use crate::checkers::{Case, Checker, ParamInfo, Params, Verdict};
use crate::history::Outcome;
use crate::trace::NodeId;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "answered_in_all_databases",
    summary: "Each book that a user was told of is in every server's database in the end, and \
        equal positions hold equal lines.",
    source: "the assignment: each server owns a copy",
    params: &[ParamInfo {
        name: "settle",
        duration: true,
        default: 5_000_000.0,
        range: (0.0, 1e12),
        doc: "what was answered later than this before the end need not be everywhere yet",
    }],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    let trace = case.trace;
    let last_us = trace.end_us.saturating_sub(whole(params, "settle"));
    let mut findings = Findings::new(CHECKER.name);
    let mut held: BTreeMap<NodeId, BTreeSet<(i64, i64, &str)>> =
        trace.with_role("server").map(|server| (server, BTreeSet::new())).collect();
    let mut lines = BTreeMap::new();
    for event in events(trace, "apply") {
        let (Some(line), Some(position), Some(effect)) =
            (line(event), event.fields.int("position"), event.fields.int("effect"))
        else {
            continue;
        };
        let content = (line.client, line.serial, line.session, line.book, effect);
        let (first, server) = *lines.entry(position).or_insert((content, line.node));
        if first != content {
            findings.report(line.time_us, &[server, line.node], || {
                format!(
                    "{} and {} hold different lines at position {position}",
                    trace.name(server),
                    trace.name(line.node)
                )
            });
        }
        if effect == 1 && line.book > 0 {
            held.entry(line.node).or_default().insert((
                line.session,
                line.book,
                trace.name(line.client),
            ));
        }
    }
    let mut judged = 0;
    for operation in &case.history().operations {
        let Some(op) = operation
            .completion
            .filter(|_| operation.outcome == Outcome::Ok && operation.f == "book")
        else {
            continue;
        };
        judged += 1;
        let Some((session, book)) = told(&op.value).filter(|_| op.time_us <= last_us) else {
            continue;
        };
        for (server, held) in &held {
            if !held.contains(&(session, book, operation.process)) {
                findings.report(op.time_us, &[*server], || {
                    format!(
                        "{} was told of book {book} of session {session}, which {} never heard of",
                        operation.process,
                        trace.name(*server)
                    )
                });
            }
        }
    }
    verdict(findings, judged, "answer to a user")
}

/// `session=3 book=7`
fn told(value: &str) -> Option<(i64, i64)> {
    let (session, book) = value.split_once(' ')?;
    Some((
        session.strip_prefix("session=")?.parse().ok()?,
        book.strip_prefix("book=")?.parse().ok()?,
    ))
}
