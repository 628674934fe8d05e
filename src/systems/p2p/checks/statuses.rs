//! Statuses follow the table: each is one of its row, and the last of the row, "fail", is only used
//! for what cannot be asked for.
//!
//! Without this check a directory that always fails would be linearizable.

use super::table::{can_be_a_name, can_be_sent, fail_status};
use super::{Call, judge};
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::systems::p2p::vocabulary::Service;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "p2p_statuses",
    summary: "Each status is one of its service's row, and \"fail\" is only used for names that \
        cannot be.",
    source: "the assignment's table",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge(case, CHECKER.name, |p2p, findings| {
        for call in &p2p.calls {
            let Some(status) = call.status else { continue };
            let time_us = call.ended_us.unwrap_or(call.invoked_us);
            let nodes: Vec<_> = call.peer.into_iter().collect();
            let fail = fail_status(call.service);
            if status > fail {
                findings.report(time_us, &nodes, || {
                    format!("{}: the row of {} ends with {fail}", call.shown(), call.service.word())
                });
            } else if status == fail && call.service != Service::GetFile && well_named(call) {
                findings.report(time_us, &nodes, || {
                    format!(
                        "{}: it was answered, and nothing is wrong with its names",
                        call.shown()
                    )
                });
            }
        }
    })
}

/// Whether user, file and other user can have these names; a description may be too long.
fn well_named(call: &Call) -> bool {
    let argument = match call.service {
        Service::Publish => {
            can_be_a_name(call.argument())
                && can_be_sent(&call.arguments.get(1..).unwrap_or_default().join(" "))
        }
        Service::Delete | Service::ListContent => can_be_a_name(call.argument()),
        _ => true,
    };
    can_be_a_name(&call.user) && argument
}
