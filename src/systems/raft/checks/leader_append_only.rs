//! Leader append-only: a leader never overwrites or deletes entries of its log.

use super::judge_raft;
use super::{Kind, Leadership, kinds};
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "leader_append_only",
    summary: "A leader only appends to its log, as long as it leads.",
    source: "Raft §5.3; dissertation fig. 3.2",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_raft(case, CHECKER.name, |raft, findings| {
        let mut leadership = Leadership::new(raft);
        let mut last: Vec<u64> = raft.per_node();
        for record in raft.select(kinds::LEADERSHIP | kinds::APPEND | kinds::TRUNCATE) {
            leadership.replay(record);
            let node = record.node;
            let last = &mut last[node.index()];
            if let Kind::Leader { last_index, .. } = record.kind {
                *last = last_index;
            }
            let Some(led) = leadership.of(node) else { continue };
            match record.kind {
                Kind::Truncate { from } if from <= *last => {
                    findings.report(record.time_us, &[node], || {
                        format!(
                            "{} removed entries {from} to {last} of its log while it led term \
                            {led}",
                            raft.name(node)
                        )
                    });
                    *last = from.saturating_sub(1);
                }
                Kind::Append { index, term, .. } if index <= *last => {
                    findings.report(record.time_us, &[node], || {
                        format!(
                            "{} overwrote entry {index} by one of term {term} while it led \
                            term {led}",
                            raft.name(node)
                        )
                    });
                }
                Kind::Append { index, .. } => *last = index,
                _ => {}
            }
        }
    })
}
