//! The barrier of 2015: a leader changes the configuration by single servers only after it has
//! committed an entry of its own term.
//!
//! Joint consensus does not need it, and is not judged.

use super::judge_raft;
use super::{ConfigKind, Kind, Leadership, kinds};
use crate::checkers::{Case, Checker, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "config_barrier",
    summary: "A leader appends a single-server change only after it has committed an entry of its \
        own term.",
    source: "Ongaro 2015, bug in single-server membership changes (raft-dev)",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge_raft(case, CHECKER.name, |raft, findings| {
        let mut leadership = Leadership::new(raft);
        // The last term of which each node has committed an entry while it led that term.
        let mut barrier: Vec<u64> = raft.per_node();
        for record in raft.select(kinds::LEADERSHIP | kinds::COMMIT | kinds::CONFIG_APPEND) {
            leadership.replay(record);
            let node = record.node;
            let passed = &mut barrier[node.index()];
            match record.kind {
                Kind::Commit { term, leader: true, entry_term, .. } if entry_term == term => {
                    *passed = term
                }
                Kind::ConfigAppend { index, term, config }
                    if leadership.of(node) == Some(term)
                        && *passed != term
                        && raft.config(config).kind == ConfigKind::Simple =>
                {
                    findings.report(record.time_us, &[node], || {
                        let leader = raft.name(node);
                        format!(
                            "{leader} appended a configuration at {index} before it had \
                            committed any entry of its term {term}"
                        )
                    });
                }
                _ => {}
            }
        }
    })
}
