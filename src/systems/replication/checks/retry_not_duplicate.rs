//! A client that asks again because it has lost the answer is told what became of its request, and
//! not that there is such a form already.

use std::collections::BTreeSet;

use super::judge;
use super::record::Kind;
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "retry_not_duplicate",
    summary: "No request that has taken effect is answered as refused.",
    source: "the assignment: a retried insert that succeeded is not reported as a duplicate",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge(case, CHECKER.name, |replication, findings| {
        let mut done = BTreeSet::new();
        for record in replication.records() {
            match record.kind {
                Kind::Applied { client, req, effect: true, .. } => {
                    done.insert((client, req));
                }
                Kind::Answered { client, req, effect: false, .. }
                    if done.contains(&(client, req)) =>
                {
                    findings.report(record.time_us, &[record.node, client], || {
                        let (name, client) =
                            (replication.name(record.node), replication.name(client));
                        format!("{name} refused request {req} of {client}, which had taken effect")
                    });
                }
                _ => {}
            }
        }
    })
}
