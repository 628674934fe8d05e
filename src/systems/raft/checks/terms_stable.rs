//! Terms come to rest: some time after healing there are no more elections.
//!
//! Only members of the cluster count. A server that was removed may try to be elected for ever,
//! each time in a higher term, and disturbs nobody as long as the others do not listen to it
//! (dissertation §4.2.3).

use super::judge_raft;
use super::{Kind, kinds, last_config};
use crate::checkers::findings::{seconds, whole};
use crate::checkers::{Case, Checker, ParamInfo, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "terms_stable",
    summary: "Some time after everything has healed, the highest term hardly rises any more.",
    source: "Raft §5.2, §5.6; liveness after healing",
    params: &[
        ParamInfo {
            name: "settle",
            duration: true,
            default: 3_000_000.0,
            range: (0.0, 1e12),
            doc: "time after healing in which terms may still rise freely",
        },
        ParamInfo {
            name: "max",
            duration: false,
            default: 5.0,
            range: (0.0, 1e9),
            doc: "by how much the highest term may rise after that",
        },
    ],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    let settled = case.trace.duration_us.saturating_add(whole(params, "settle"));
    let max = whole(params, "max");
    judge_raft(case, CHECKER.name, |raft, findings| {
        let members = last_config(raft);
        let (mut before, mut after) = (0, 0);
        for record in raft
            .select(kinds::TERMS)
            .filter(|record| members.is_none_or(|config| config.has(record.node)))
        {
            let (Kind::Recover { term, .. }
            | Kind::Term { term }
            | Kind::Vote { term, .. }
            | Kind::Leader { term, .. }) = record.kind
            else {
                continue;
            };
            if record.time_us <= settled {
                before = term.max(before);
            }
            if term > after
                && record.time_us > settled
                && term > before.saturating_add(max)
                && after <= before.saturating_add(max)
            {
                findings.report(record.time_us, &[record.node], || {
                    let rise = term - before;
                    format!(
                        "{} reached term {term}, {rise} more than at {}, long after healing",
                        raft.name(record.node),
                        seconds(settled)
                    )
                });
            }
            after = term.max(after);
        }
    })
}
