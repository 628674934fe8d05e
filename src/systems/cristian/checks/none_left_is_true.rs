//! Who is told that no book is left is told the truth: all of that session are given out by then.

use std::collections::{BTreeMap, BTreeSet};

use super::{books, events, line, verdict};
use crate::checkers::findings::Findings;
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "none_left_is_true",
    summary: "Users are told that no book is left only once every book of the session is given \
        out.",
    source: "the assignment: replies match the state",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    let trace = case.trace;
    let mut findings = Findings::new(CHECKER.name);
    let all = events(trace, "session_open").filter_map(|event| event.fields.int("books")).max();
    // When each book of a session was first given out.
    let mut given: BTreeMap<i64, BTreeMap<i64, u64>> = BTreeMap::new();
    let mut answers = BTreeSet::new();
    for line in books(trace) {
        let first = given.entry(line.session).or_default().entry(line.book).or_insert(line.index);
        *first = line.index.min(*first);
    }
    for event in events(trace, "reply") {
        answers.insert(event.index);
        if event.fields.text("answer") != Some("none_left") {
            continue;
        }
        let (Some(line), Some(all)) = (line(event), all) else { continue };
        let by_then = given
            .get(&line.session)
            .map_or(0, |books| books.values().filter(|index| **index <= line.index).count());
        if (by_then as i64) < all {
            findings.report(line.time_us, &[line.node], || {
                let (server, user) = (trace.name(line.node), trace.name(line.client));
                format!(
                    "{server} told {user} that none is left of session {}, of whose {all} \
                    books {by_then} were given out",
                    line.session
                )
            });
        }
    }
    verdict(findings, answers.len(), "answer to a user")
}
