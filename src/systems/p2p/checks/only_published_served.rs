//! A peer serves what its user has published, and nothing else of its disk: not what lies in the
//! folder unpublished, not what was withdrawn, not what lies beside the folder.
//!
//! What counts is what the user has typed and was told. A `publish` without an answer may count,
//! and so may one that was withdrawn without an answer; a withdrawal counts from its answer on. The
//! end of a connection withdraws all: when the user asks for it, or when the peer learns that its
//! lease is over.

use std::collections::BTreeMap;

use super::{Call, Moment, judge};
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::systems::p2p::vocabulary::{Served, Service, SessionEnd, Told};
use crate::trace::NodeId;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "p2p_only_published_served",
    summary: "A peer sends only files of its shared folder that its user has published and not \
        withdrawn since.",
    source: "the assignment's `get_file`: the sharing peer checks its own list",
    params: &[],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, _: &Params) -> Verdict {
    judge(case, CHECKER.name, |p2p, findings| {
        // When users' sessions at peers have ended, as the peers tell.
        let mut ends: BTreeMap<(NodeId, &str), Vec<u64>> = BTreeMap::new();
        for moment in &p2p.moments {
            if let Told::SessionEnd(SessionEnd { user, .. }) = &moment.told {
                ends.entry((moment.node, user)).or_default().push(moment.index);
            }
        }
        for event in &p2p.moments {
            let Moment { told: Told::Served(Served { status: 0, user, path, .. }), .. } = event
            else {
                continue;
            };
            let Some(file) = path.strip_prefix("share/") else {
                findings.report(event.time_us, &[event.node], || {
                    format!(
                        "{} sends {path}, which is not in its shared folder",
                        case.trace.name(event.node)
                    )
                });
                continue;
            };
            let here = |call: &&Call| *call.user == **user && call.invoked < event.index;
            let published = p2p.at_peer(Some(event.node)).filter(here).filter(|call| {
                let happened = call.open || matches!(call.status, Some(0 | 3));
                call.service == Service::Publish && call.argument() == file && happened
            });
            let stands = |call: &Call| {
                // Without an answer it may have happened at any time up to now.
                let since =
                    if call.open { event.index } else { call.completed.unwrap_or(event.index) };
                let withdrawn = p2p.at_peer(Some(event.node)).filter(here).any(|other| {
                    let withdraws = match other.service {
                        Service::Delete => other.argument() == file,
                        Service::Disconnect | Service::Unregister => true,
                        _ => false,
                    };
                    let told = other.completed.is_some_and(|completed| completed < event.index);
                    withdraws && other.status == Some(0) && told && other.invoked > since
                });
                let over = ends
                    .get(&(event.node, &**user))
                    .into_iter()
                    .flatten()
                    .any(|end| *end > since && *end < event.index);
                !withdrawn && !over
            };
            if !published.into_iter().any(stands) {
                findings.report(event.time_us, &[event.node], || {
                    format!(
                        "{} sends {file} of {user}, who does not publish it",
                        case.trace.name(event.node)
                    )
                });
            }
        }
    })
}
