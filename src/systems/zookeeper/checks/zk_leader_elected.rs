//! Liveness of the ensemble: once everything has healed, every server that runs leads or follows
//! the one leader, in time.

use std::collections::BTreeMap;

use super::{Kind, Life, Told, judge_zk};
use crate::checkers::findings::{seconds, whole};
use crate::checkers::{Case, Checker, ParamInfo, Params, Verdict};
use crate::systems::zookeeper::vocabulary::{ServerRole, ZabState};
use crate::trace::NodeId;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "zk_leader_elected",
    summary: "Soon after everything has healed, there is one established leader, and all servers \
        follow it.",
    source: "Zab: liveness",
    params: &[ParamInfo {
        name: "within",
        duration: true,
        default: 5_000_000.0,
        range: (0.0, 1e12),
        doc: "time after healing by which this is so",
    }],
    liveness: true,
    check,
};

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    let (healed, end) = (case.trace.duration_us, case.trace.end_us);
    let deadline = healed.saturating_add(whole(params, "within"));
    if deadline > end {
        return Verdict::Unknown(
            "the run ends before the time in which a leader must be there".to_owned(),
        );
    }
    judge_zk(case, CHECKER.name, |zk, findings| {
        let mut states: BTreeMap<NodeId, (ServerRole, Option<NodeId>)> = BTreeMap::new();
        // There need only be a moment between healing and the deadline: a leader may have reason to
        // go again.
        let agreed = |states: &BTreeMap<NodeId, (ServerRole, Option<NodeId>)>| {
            let leaders: Vec<NodeId> = states
                .iter()
                .filter(|(_, (state, _))| *state == ServerRole::Leader)
                .map(|(node, _)| *node)
                .collect();
            let [leader] = leaders[..] else { return false };
            states.values().all(|(state, of)| {
                *state == ServerRole::Leader
                    || (*state == ServerRole::Follower && *of == Some(leader))
            })
        };
        let mut found = false;
        for record in &zk.records {
            if record.time_us > healed {
                found |= agreed(&states);
                if found || record.time_us > deadline {
                    break;
                }
            }
            match record.kind {
                Kind::Told(Told::ZabState(ZabState { state, leader, .. })) => {
                    states.insert(record.node, (state, leader.0.flatten()));
                }
                Kind::Life(Life::Crash) => {
                    states.remove(&record.node);
                }
                _ => {}
            }
        }
        if !found && !agreed(&states) {
            findings.report(deadline, &[], || {
                let each: Vec<String> = states
                    .iter()
                    .map(|(node, (state, _))| format!("{} is {}", zk.name(*node), state.word()))
                    .collect();
                format!(
                    "{} after healing no leader has all servers behind it: {}",
                    seconds(deadline - healed),
                    each.join(", ")
                )
            });
        }
    })
}
