//! State machine safety: no two nodes apply different entries at the same index.

use super::judge_raft;
use super::{IndexMap, Kind, kinds};
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "state_machine_safety",
    summary: "All nodes apply the same entry at an index, and reach the same state by it.",
    source: "Raft §5.4.3; dissertation fig. 3.2",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_raft(case, CHECKER.name, |raft, findings| {
        let mut applied = IndexMap::default();
        let mut states = IndexMap::default();
        for record in raft.select(kinds::APPLY | kinds::SNAPSHOT_TAKE | kinds::SNAPSHOT_INSTALL) {
            match record.kind {
                Kind::Apply { index, term, digest, .. } => {
                    let Some((first, first_term, first_digest)) =
                        applied.get_or_put(index, (record.node, term, digest))
                    else {
                        continue;
                    };
                    if (*first_term, *first_digest) != (term, digest) {
                        findings.report(record.time_us, &[*first, record.node], || {
                            let (one, other) = (raft.name(*first), raft.name(record.node));
                            format!(
                                "{one} applied an entry of term {first_term} at index {index}, \
                                {other} a different one of term {term}"
                            )
                        });
                    }
                }
                Kind::SnapshotTake { index, state, .. }
                | Kind::SnapshotInstall { index, state, .. } => {
                    let Some((first, first_state)) = states.get_or_put(index, (record.node, state))
                    else {
                        continue;
                    };
                    if *first_state != state {
                        findings.report(record.time_us, &[*first, record.node], || {
                            let (one, other) = (raft.name(*first), raft.name(record.node));
                            format!("{one} and {other} have different states after entry {index}")
                        });
                    }
                }
                _ => {}
            }
        }
    })
}
