//! Terms are monotonic: a node's current term never decreases, not across a restart either.

use super::judge_raft;
use super::{Kind, kinds};
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "term_monotonic",
    summary: "A node's current term never decreases, also across restarts.",
    source: "Raft §5.1; dissertation §3.3",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_raft(case, CHECKER.name, |raft, findings| {
        let mut terms: Vec<u64> = raft.per_node();
        let mut booted: Vec<u64> = raft.per_node();
        for record in raft.select(kinds::TERMS) {
            let node = record.node;
            let highest = &mut terms[node.index()];
            let (term, what) = match record.kind {
                Kind::Recover { term, .. } => {
                    let last_boot = std::mem::replace(&mut booted[node.index()], record.order);
                    // The nemesis has made the node forget.
                    if raft.damage().between(node, last_boot, record.order) {
                        *highest = 0;
                    }
                    (term, "restarted in")
                }
                Kind::Term { term } => (term, "went back to"),
                Kind::Vote { term, .. } => (term, "voted in"),
                Kind::Leader { term, .. } => (term, "became leader of"),
                _ => continue,
            };
            if term < *highest {
                findings.report(record.time_us, &[node], || {
                    format!("{} {what} term {term} after term {highest}", raft.name(node))
                });
            }
            // One violation for each step back, not one for each later record.
            *highest = term;
        }
    })
}
