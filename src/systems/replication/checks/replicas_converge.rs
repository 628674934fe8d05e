//! Once faults stop, replicas become equal: each applies what any of them had applied, and equal
//! numbers have equal digests.
//!
//! Load may go on to the end, so that the last records are rightly still on their way. What is
//! asked is that each replica that worked throughout the last `within` has applied, by the end,
//! what any had applied when that time began.

use std::collections::BTreeMap;

use super::judge;
use super::record::Kind;
use crate::checkers::findings::{seconds, whole};
use crate::checkers::{Case, Checker, ParamInfo, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "replicas_converge",
    summary: "After healing every working replica has applied what the others have, with the same \
        digests.",
    source: "the assignment: files are compared by hash; eventual consistency of the replicas",
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

/// How far a replica is.
#[derive(Clone, Default)]
struct Progress {
    up: bool,
    disturbed: bool,
    /// Hash and digest of the forms after each applied record.
    applied: BTreeMap<u64, (u64, u64)>,
    /// What it had applied when the judged time began.
    at_begin: u64,
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
    judge(case, CHECKER.name, |replication, findings| {
        let mut all = vec![Progress::default(); replication.nodes()];
        for record in replication.records() {
            let own = &mut all[record.node.index()];
            match record.kind {
                Kind::Up | Kind::Down => {
                    own.up = matches!(record.kind, Kind::Up);
                    own.disturbed |= record.time_us >= begin;
                }
                Kind::Recovered { .. } => own.applied.clear(),
                Kind::Applied { seq, hash, forms, .. } => {
                    own.applied.insert(seq, (hash, forms));
                    // Applied anew after a deposed leader's records were thrown away.
                    own.applied.split_off(&seq.saturating_add(1));
                }
                _ => {}
            }
            if record.time_us <= begin {
                own.at_begin = own.applied.last_key_value().map_or(0, |(seq, _)| *seq);
            }
        }
        let working = replication
            .replicas()
            .iter()
            .filter(|node| all[node.index()].up && !all[node.index()].disturbed);
        let Some(first) = working
            .clone()
            .max_by_key(|node| (all[node.index()].at_begin, std::cmp::Reverse(**node)))
        else {
            return;
        };
        let target = all[first.index()].at_begin;
        for node in working {
            let own = &all[node.index()];
            let last = own.applied.last_key_value().map_or(0, |(seq, _)| *seq);
            if last < target {
                findings.report(case.trace.end_us, &[*node, *first], || {
                    let (name, first) = (replication.name(*node), replication.name(*first));
                    format!(
                        "{name} has applied up to {last} at the end, {first} up to {target} at \
                        {} already",
                        seconds(begin)
                    )
                });
            } else if own.applied.get(&target) != all[first.index()].applied.get(&target) {
                findings.report(case.trace.end_us, &[*node, *first], || {
                    format!(
                        "{} and {} differ after record {target}",
                        replication.name(*node),
                        replication.name(*first)
                    )
                });
            }
        }
    })
}
