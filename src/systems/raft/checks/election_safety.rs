//! Election safety: at most one leader in a term, over the whole run and across restarts.
//!
//! Two leaders at the same *time* are legal: the older one may not have heard of the newer term
//! yet.

use std::collections::BTreeMap;

use super::judge_raft;
use super::{Kind, kinds};
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "election_safety",
    summary: "At most one node becomes leader in a term, over the whole run.",
    source: "Raft §5.2; dissertation fig. 3.2",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_raft(case, CHECKER.name, |raft, findings| {
        let mut leaders = BTreeMap::new();
        for record in raft.select(kinds::LEADER) {
            let Kind::Leader { term, .. } = record.kind else { continue };
            let first = *leaders.entry(term).or_insert(record.node);
            if first != record.node {
                findings.report(record.time_us, &[first, record.node], || {
                    format!(
                        "{} and {} both became leader of term {term}",
                        raft.name(first),
                        raft.name(record.node)
                    )
                });
            }
        }
    })
}
