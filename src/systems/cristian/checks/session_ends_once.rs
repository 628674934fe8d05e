//! Sessions follow each other: each ends once, with its last book or by a restart, and the next
//! begins after it.

use std::collections::{BTreeMap, BTreeSet};

use super::{events, verdict};
use crate::checkers::findings::Findings;
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::trace::NodeId;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "session_ends_once",
    summary: "Each session ends exactly once, with its last book or by a restart, and the next one \
        begins after it.",
    source: "the assignment",
    params: &[],
    liveness: false,
    check,
};

/// How far a database is.
#[derive(Clone, Copy)]
struct Current {
    session: i64,
    books: i64,
    ended: bool,
}

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    let trace = case.trace;
    let mut findings = Findings::new(CHECKER.name);
    let mut judged = 0;
    let mut current: BTreeMap<NodeId, Current> = BTreeMap::new();
    // A server that starts tells the last lines again.
    let mut heard = BTreeSet::new();
    let known = trace
        .events
        .iter()
        .filter(|event| event.name == "session_open" || event.name == "session_end");
    for event in known.filter(|event| event.node.index() < trace.nodes.len()) {
        let Some(session) = event.fields.int("session") else { continue };
        let (node, name) = (event.node, trace.name(event.node));
        if !heard.insert((node, event.fields.int("position"), session, event.name.as_ref())) {
            continue;
        }
        judged += 1;
        let mut report =
            |message: &dyn Fn() -> String| findings.report(event.time_us, &[node], message);
        if event.name == "session_open" {
            let books = event.fields.int("books").unwrap_or(0);
            if let Some(before) = current.insert(node, Current { session, books, ended: false })
                && (before.session.checked_add(1) != Some(session) || !before.ended)
            {
                let state = if before.ended { "had ended" } else { "was going on" };
                report(&|| {
                    format!(
                        "session {session} began on {name} when session {} {state}",
                        before.session
                    )
                });
            }
            continue;
        }
        let (given, reason) =
            (event.fields.int("given").unwrap_or(0), event.fields.text("reason").unwrap_or(""));
        let Some(state) = current.get_mut(&node).filter(|state| state.session == session) else {
            report(&|| format!("session {session} ended on {name}, where it had not begun"));
            continue;
        };
        if std::mem::replace(&mut state.ended, true) {
            report(&|| format!("session {session} ended twice on {name}"));
        }
        let complete = reason == "all_given" && given == state.books;
        if !complete && reason != "restart" {
            report(&|| {
                format!(
                    "session {session} ended on {name} ({reason}) with {given} of {} books given \
                        out",
                    state.books
                )
            });
        }
    }
    // The first session begins with the first statement: a library that nobody has asked has none,
    // and nothing has gone wrong in it.
    judged += events(trace, "recover").count();
    verdict(findings, judged, "session")
}
