//! How often elections are held: the mark of mistakes in timers and terms, which break no safety
//! property.

use super::raft_trace;
use super::{Kind, RaftEvent, Role, kinds};
use crate::checkers::findings::{Findings, whole};
use crate::checkers::{Case, Checker, ParamInfo, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "elections",
    summary: "Elections are won, and started, at most so often in the whole run.",
    source: "Raft §5.2, §9.3; to be compared with the correct system in the same scenario",
    params: &[
        ParamInfo {
            name: "max",
            duration: false,
            default: 1e9,
            range: (0.0, 1e9),
            doc: "elections won in the whole run, at most",
        },
        ParamInfo {
            name: "started",
            duration: false,
            default: 1e9,
            range: (0.0, 1e9),
            doc: "elections started in the whole run, by any node, at most; pre-votes do not count",
        },
    ],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    let mut findings = Findings::new(CHECKER.name);
    let won = |record: &RaftEvent| matches!(record.kind, Kind::Leader { .. });
    let started = |record: &RaftEvent| matches!(record.kind, Kind::Role(Role::Candidate));
    count(case, &mut findings, "won", whole(params, "max"), won);
    count(case, &mut findings, "started", whole(params, "started"), started);
    findings.verdict()
}

fn count(
    case: &Case<'_>,
    findings: &mut Findings,
    what: &str,
    max: u64,
    counts: impl Fn(&RaftEvent) -> bool,
) {
    let raft = raft_trace(case);
    let elections = || raft.select(kinds::ROLE | kinds::LEADER).filter(|record| counts(record));
    let number = elections().count() as u64;
    if let Some(one_too_many) = usize::try_from(max).ok().and_then(|max| elections().nth(max)) {
        findings.report(one_too_many.time_us, &[one_too_many.node], || {
            format!("{number} elections were {what}, more than {max}")
        });
    }
}
