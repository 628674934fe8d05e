//! A request takes effect once, however often it was sent and whoever led.

use std::collections::BTreeMap;

use super::judge;
use super::record::Kind;
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "at_most_once",
    summary: "A client's request takes effect in one record only, across failovers.",
    source: "dslabs lab 2, AMO application",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge(case, CHECKER.name, |replication, findings| {
        let mut effects = BTreeMap::new();
        for record in replication.records() {
            let Kind::Applied { seq, hash, client, req, effect: true, .. } = record.kind else {
                continue;
            };
            let first = *effects.entry((client, req)).or_insert((record.node, seq, hash));
            if first.2 != hash {
                findings.report(record.time_us, &[record.node, first.0, client], || {
                    let (client, one, other) = (
                        replication.name(client),
                        replication.name(first.0),
                        replication.name(record.node),
                    );
                    format!(
                        "request {req} of {client} took effect as record {} on {one} and as \
                        record {seq} on {other}",
                        first.1
                    )
                });
            }
        }
    })
}
