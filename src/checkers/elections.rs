//! How often elections are started: the mark of mistakes in timers and terms, which break no safety property.

use super::findings::{Findings, whole};
use super::raft::{Kind, Role, kinds};
use super::{Case, Checker, ParamInfo, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "elections",
    summary: "Elections are started at most so often in the whole run.",
    source: "Raft §5.2, §9.3; to be compared with the correct system in the same scenario",
    params: &[ParamInfo {
        name: "max",
        duration: false,
        default: 1e9,
        range: (0.0, 1e9),
        doc: "elections started in the whole run, by any node, at most",
    }],
    check,
};

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    let max = whole(params, "max");
    let raft = case.raft();
    let starts = || raft.select(kinds::ROLE).filter(|record| matches!(record.kind, Kind::Role { role: Role::Candidate, .. }));
    let count = starts().count() as u64;
    let mut findings = Findings::new(CHECKER.name);
    if count > max {
        let first_too_many = starts().nth(usize::try_from(max).unwrap_or(usize::MAX));
        let time_us = first_too_many.map_or(case.trace.end_us, |record| record.time_us);
        findings.report(time_us, &[], || format!("{count} elections were started, more than {max}"));
    }
    findings.verdict()
}
