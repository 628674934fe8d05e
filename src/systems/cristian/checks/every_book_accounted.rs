//! No book gets lost: who is told that none is left, or gets a book of a later session, proves that
//! all books of the session are given out. Each then has somebody who was told of it, or may be
//! with one whose request was never answered.
//!
//! This goes by what users were told alone. A request that got two books shows in it, for one of
//! them is with nobody; so does a session that was begun too early, and a book that the library
//! does not have.

use std::collections::{BTreeMap, BTreeSet};

use super::{events, verdict};
use crate::checkers::findings::{Findings, whole};
use crate::checkers::{Case, Checker, ParamInfo, Params, Verdict};
use crate::history::{Operation, Outcome};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "every_book_accounted",
    summary: "Once users are told that none is left, or of a later session, each book of the \
        session is accounted for by a request.",
    source: "the assignment; conservation, as of money in the bank example (Lynch 1996 §19)",
    params: &[ParamInfo {
        name: "books",
        duration: false,
        default: 15.0,
        range: (1.0, 200.0),
        doc: "the books of a session, where no server says it",
    }],
    liveness: false,
    check,
};

/// `session=3 book=7`, `session=3 none` or `session=3`.
fn told(operation: &Operation<'_>) -> Option<(i64, Option<i64>)> {
    let op = operation.completion.filter(|_| operation.outcome == Outcome::Ok)?;
    let mut words = op.value.split(' ');
    let session = words.next()?.strip_prefix("session=")?.parse().ok()?;
    Some((
        session,
        words.next().and_then(|word| word.strip_prefix("book=")).and_then(|book| book.parse().ok()),
    ))
}

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    // The library's own servers say how many books they have; programs need not.
    let said =
        events(case.trace, "session_open").filter_map(|event| event.fields.int("books")).max();
    let all = said.unwrap_or(whole(params, "books") as i64);
    let mut findings = Findings::new(CHECKER.name);
    let operations = &case.history().operations;
    let mut judged = 0;
    // The books of each session that users have, by what was invoked first.
    let mut given: BTreeMap<i64, BTreeMap<i64, u64>> = BTreeMap::new();
    for operation in operations.iter().filter(|operation| operation.f == "book") {
        let Some((session, Some(book))) = told(operation) else { continue };
        judged += 1;
        if !(1..=all).contains(&book) {
            let time_us = operation.completed_us().unwrap_or(operation.invoked_us);
            findings.report(time_us, &[], || {
                format!("{} was told of book {book}, and there are {all}", operation.process)
            });
        }
        given.entry(session).or_default().entry(book).or_insert(operation.invoked);
    }
    // The answers in their order, and what each says of sessions: that this one and all before it
    // are given out.
    let mut answers: Vec<(&Operation<'_>, i64)> = Vec::new();
    for operation in operations {
        match (operation.f, told(operation)) {
            ("book", Some((session, None))) => answers.push((operation, session)),
            ("book", Some((session, Some(_)))) => {
                answers.push((operation, session.saturating_sub(1)))
            }
            _ => {}
        }
    }
    answers.sort_by_key(|(operation, _)| operation.completion.map(|op| op.index));
    let mut known = BTreeSet::new();
    for (operation, session) in answers {
        let Some(op) = operation.completion else { continue };
        // Sessions are short, and a trace that says otherwise is damaged.
        for full in session.saturating_sub(SESSIONS_AT_ONCE).max(1)..=session {
            if !known.insert(full) || restarted(operations, full, op.index) {
                continue;
            }
            let told = given
                .get(&full)
                .map_or(0, |books| books.values().filter(|invoked| **invoked < op.index).count());
            let open = operations
                .iter()
                .filter(|each| {
                    each.f == "book" && each.outcome == Outcome::Open && each.invoked < op.index
                })
                .count();
            if ((told + open) as i64) < all {
                findings.report(op.time_us, &[], || {
                    let (who, what) = (operation.process, &op.value);
                    format!(
                        "{who} was told {what} when of the {all} books of session {full} at \
                        most {} were given out",
                        told + open
                    )
                });
            }
        }
    }
    verdict(findings, judged, "book that a user was told of")
}

/// So many sessions may end between two answers.
const SESSIONS_AT_ONCE: i64 = 100;

/// Whether a user may have ended this session before its last book.
fn restarted(operations: &[Operation<'_>], session: i64, before: u64) -> bool {
    let restarts = operations
        .iter()
        .filter(|operation| operation.f == "restart" && operation.invoked < before);
    restarts.into_iter().any(|operation| {
        told(operation).is_none_or(|(opened, _)| opened == session.saturating_add(1))
    })
}
