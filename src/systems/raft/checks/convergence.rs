//! Convergence: after healing every working member catches up.
//!
//! Load may go on to the end, so that the last entries are rightly still on their way. What is
//! asked for is that each member that worked throughout the last `within` has committed, by the
//! end, what any of them had committed when that time began.

use super::judge_raft;
use super::{Kind, kinds, last_config};
use crate::checkers::findings::{seconds, whole};
use crate::checkers::{Case, Checker, ParamInfo, Params, Verdict};
use crate::trace::NodeId;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "convergence",
    summary: "After healing every working member of the cluster commits all that the others have \
        committed.",
    source: "Raft §5.3, §5.5; dissertation §3.9",
    params: &[ParamInfo {
        name: "within",
        duration: true,
        default: 3_000_000.0,
        range: (0.0, 1e12),
        doc: "how long catching up may take, counted back from the end of the run",
    }],
    liveness: true,
    check,
};

/// How far a node is, and whether it worked all the time.
#[derive(Clone, Default)]
struct Progress {
    commit_index: u64,
    /// What it had committed when the judged time began.
    at_begin: u64,
    up: bool,
    disturbed: bool,
    spoke: bool,
}

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    let within = whole(params, "within");
    let begin = case.trace.end_us.saturating_sub(within);
    if begin < case.trace.duration_us {
        return Verdict::Unknown(format!(
            "everything had healed for less than {} when the run ended",
            seconds(within)
        ));
    }
    judge_raft(case, CHECKER.name, |raft, findings| {
        let mut nodes: Vec<Progress> = raft.per_node();
        for record in
            raft.select(kinds::PROCESS | kinds::COMMIT | kinds::RECOVER | kinds::SNAPSHOT_INSTALL)
        {
            let node = &mut nodes[record.node.index()];
            match record.kind {
                Kind::Start | Kind::Resume => node.up = true,
                Kind::Crash | Kind::Pause => node.up = false,
                Kind::Recover { snapshot_index, .. } => node.commit_index = snapshot_index,
                Kind::Commit { index, .. } | Kind::SnapshotInstall { index, .. } => {
                    node.commit_index = index.max(node.commit_index)
                }
                _ => {}
            }
            if !matches!(record.kind, Kind::Start | Kind::Resume | Kind::Crash | Kind::Pause) {
                node.spoke = true;
            } else if record.time_us >= begin {
                node.disturbed = true;
            }
            if record.time_us <= begin {
                node.at_begin = node.commit_index;
            }
        }
        let ids = || (0u32..).map(NodeId).zip(&nodes);
        let Some((first, target)) = ids()
            .map(|(id, node)| (id, node.at_begin))
            .max_by_key(|(id, index)| (*index, std::cmp::Reverse(*id)))
        else {
            return;
        };
        let Some(config) = last_config(raft) else { return };
        for (id, node) in
            ids().filter(|(id, node)| node.up && node.spoke && !node.disturbed && config.has(*id))
        {
            if node.commit_index < target {
                findings.report(case.trace.end_us, &[id, first], || {
                    let (name, first, at) = (raft.name(id), raft.name(first), node.commit_index);
                    format!(
                        "{name} has committed up to {at} at the end, {first} up to {target} at \
                        {} already",
                        seconds(begin)
                    )
                });
            }
        }
    })
}
