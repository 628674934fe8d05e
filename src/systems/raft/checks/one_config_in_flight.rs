//! One configuration in flight: a leader appends no configuration while an earlier one in its log
//! is uncommitted.

use super::judge_raft;
use super::{Kind, Leadership, Membership, kinds};
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "one_config_in_flight",
    summary: "A leader appends a configuration only when it knows that the one before is \
        committed.",
    source: "Raft §6; dissertation §4.1",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_raft(case, CHECKER.name, |raft, findings| {
        let mut leadership = Leadership::new(raft);
        let mut membership = Membership::new(raft);
        let mut committed: Vec<u64> = raft.per_node();
        for record in raft.select(kinds::LEADERSHIP | kinds::MEMBERSHIP | kinds::COMMIT) {
            leadership.replay(record);
            let node = record.node;
            let own = &mut committed[node.index()];
            match record.kind {
                Kind::Recover { snapshot_index, .. } => *own = snapshot_index,
                Kind::Commit { index, .. }
                | Kind::ConfigCommit { index, .. }
                | Kind::SnapshotInstall { index, .. } => *own = index.max(*own),
                Kind::ConfigAppend { index, term, .. } if leadership.of(node) == Some(term) => {
                    let open = membership
                        .of(node)
                        .iter()
                        .rfind(|earlier| earlier.index > *own && earlier.index < index);
                    if let Some(open) = open {
                        findings.report(record.time_us, &[node], || {
                            let (leader, first) = (raft.name(node), open.index);
                            format!(
                                "{leader}, leader of term {term}, appended a configuration at \
                                {index} with that at {first} not yet committed"
                            )
                        });
                    }
                }
                _ => {}
            }
            membership.replay(record);
        }
    })
}
