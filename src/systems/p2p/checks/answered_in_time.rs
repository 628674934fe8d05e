//! No command hangs: each ends with some status within a bounded time, whatever other nodes are
//! down.
//!
//! A date service, a directory or a sharing peer that does not answer costs time-outs, and their
//! sum is the bound. Only the peer at which a command was typed may keep its user waiting, by being
//! away itself.

use super::{judge, touches};
use crate::checkers::findings::{seconds, whole};
use crate::checkers::{Case, Checker, ParamInfo, Params, Verdict};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "p2p_answered_in_time",
    summary: "Each command ends with a status within a bounded time, unless its own peer is away.",
    source: "liveness of a client program",
    params: &[ParamInfo {
        name: "within",
        duration: true,
        default: 20_000_000.0,
        range: (0.0, 1e12),
        doc: "how long a command may take; what is typed later than this before the end is not \
            judged",
    }],
    liveness: true,
    check,
};

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    let within = whole(params, "within");
    judge(case, CHECKER.name, |p2p, findings| {
        for call in &p2p.calls {
            let due = call.invoked_us.saturating_add(within);
            if due > case.trace.end_us || call.ended_us.is_some_and(|time| time <= due) {
                continue;
            }
            let excused =
                call.peer.is_some_and(|peer| touches(p2p.absences(peer), call.invoked_us, due));
            if !excused {
                let nodes: Vec<_> = call.peer.into_iter().collect();
                findings.report(due, &nodes, || {
                    format!(
                        "{} of {} has not ended after {}",
                        call.shown(),
                        seconds(call.invoked_us),
                        seconds(within)
                    )
                });
            }
        }
    })
}
