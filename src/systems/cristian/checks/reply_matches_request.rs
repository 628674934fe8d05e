//! A round counts the delay of the answer from the question that it answers, and uses each answer
//! once.

use std::collections::BTreeMap;

use super::{events, rounds, us, verdict};
use crate::checkers::findings::Findings;
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "reply_matches_request",
    summary: "The answer that a round goes by is to the question whose time it counts from, and is \
        used once.",
    source: "RFC 5905 §8 (origin timestamp)",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    let trace = case.trace;
    let mut findings = Findings::new(CHECKER.name);
    let mut judged = 0;
    // Question by node and number: when it was asked, and whether a round has used its answer.
    let mut questions: BTreeMap<_, (i128, bool)> = BTreeMap::new();
    for event in events(trace, "probe") {
        if let (Some(nonce), Some(t0)) = (event.fields.int("nonce"), event.fields.int("t0_us")) {
            questions.insert((event.node, event.incarnation, nonce), (i128::from(t0), false));
        }
    }
    for round in rounds(trace).filter(|round| round.algorithm != "berkeley") {
        judged += 1;
        let (node, incarnation) = round.life;
        let name = || trace.name(node);
        match questions.get_mut(&(node, incarnation, round.nonce)) {
            None => findings.report(round.time_us, &[node], || {
                format!(
                    "{} went in round {} by an answer to a question that it had not asked",
                    name(),
                    round.round
                )
            }),
            Some((_, true)) => findings.report(round.time_us, &[node], || {
                format!(
                    "{} went in round {} by an answer that it had used before",
                    name(),
                    round.round
                )
            }),
            Some((t0, used)) => {
                *used = true;
                if *t0 != round.t0 {
                    findings.report(round.time_us, &[node], || {
                        let late = us(round.t0 - *t0);
                        format!(
                            "{} counted in round {} from {late} after it had asked",
                            name(),
                            round.round
                        )
                    });
                }
            }
        }
    }
    verdict(findings, judged, "round by questions")
}
