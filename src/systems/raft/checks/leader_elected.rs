//! Liveness of elections: once everything has healed, there is a leader in time.
//!
//! An old leader that has not heard of its successor does not count: the leader must be that of the
//! highest term that any node has led. Nor does one that was removed: it may lead until its removal
//! is committed, and no longer (dissertation §4.2.2).

use super::raft_trace;
use super::{Leadership, Membership, kinds};
use crate::checkers::findings::{Findings, seconds, whole};
use crate::checkers::{Case, Checker, ParamInfo, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "leader_elected",
    summary: "Soon after everything has healed, there is a leader.",
    source: "Raft §5.2, §5.6; dissertation §3.9",
    params: &[ParamInfo {
        name: "within",
        duration: true,
        default: 5_000_000.0,
        range: (0.0, 1e12),
        doc: "time after healing by which there has been a leader",
    }],
    liveness: true,
    check,
};

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    let (healed, end) = (case.trace.duration_us, case.trace.end_us);
    let deadline = healed.saturating_add(whole(params, "within"));
    // A node that reports nothing counts as having no leader.
    let (raft, mut findings) = (raft_trace(case), Findings::new(CHECKER.name));
    let mut leadership = Leadership::new(&raft);
    let mut highest = 0;
    let mut membership = Membership::new(&raft);
    let leads = |leadership: &Leadership, membership: &Membership, highest: u64| {
        let belongs = |node| membership.in_force(&raft, node).is_none_or(|config| config.has(node));
        leadership.all().any(|(node, term)| term == highest && belongs(node))
    };
    let mut led = false;
    for record in raft.select(kinds::LEADERSHIP | kinds::MEMBERSHIP) {
        if record.time_us > healed {
            // Whoever led up to this moment led after healing.
            led |= leads(&leadership, &membership, highest);
            if led || record.time_us > deadline {
                break;
            }
        }
        leadership.replay(record);
        membership.replay(record);
        highest = leadership.all().map(|(_, term)| term).max().unwrap_or(0).max(highest);
    }
    led |= leads(&leadership, &membership, highest);
    if !led && deadline > end {
        return Verdict::Unknown(
            "the run ends before the time in which a leader must be elected".to_owned(),
        );
    }
    if !led {
        findings.report(deadline, &[], || {
            format!(
                "no node led from {}, when everything had healed, to {}",
                seconds(healed),
                seconds(deadline)
            )
        });
    }
    findings.verdict()
}
