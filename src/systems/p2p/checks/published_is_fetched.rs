//! What is published and within reach is fetched: an address that is out of date costs an attempt
//! and not the file.
//!
//! Only if nothing is uncertain: both users are connected and the file is published, all of that
//! was told before the operation began, and nothing revoked it while it lasted; neither a peer nor
//! the directory was away; and no fault has touched anything for a while. So a failure has no
//! excuse.

use std::collections::BTreeMap;

use super::{Call, Moment, P2pTrace, events, judge, touches};
use crate::checkers::findings::{seconds, whole};
use crate::checkers::{Case, Checker, ParamInfo, Params, Verdict};
use crate::systems::p2p::vocabulary::{FileAt, Service, Told};
use crate::trace::NodeId;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "p2p_published_is_fetched",
    summary: "A file that is published all the time by a peer within reach is fetched, wherever \
        that peer was before.",
    source: "the assignment's `get_file` and its cache",
    params: &[ParamInfo {
        name: "calm",
        duration: true,
        default: 2_000_000.0,
        range: (0.0, 1e12),
        doc: "if there was no fault for this long before the operation, it must succeed",
    }],
    liveness: false,
    check,
};

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    let calm = whole(params, "calm");
    judge(case, CHECKER.name, |p2p, findings| {
        let mut troubles: Vec<(u64, u64)> =
            case.trace.faults().iter().map(|fault| (fault.begin_us, fault.end_us)).collect();
        troubles.extend(p2p.absences.values().flatten());
        let mut files: BTreeMap<(NodeId, &str), u64> = BTreeMap::new();
        for Moment { index, node, told, .. } in &p2p.moments {
            if let Told::FileAt(FileAt { path, .. }) = told {
                let first = files.entry((*node, path)).or_insert(*index);
                *first = (*index).min(*first);
            }
        }
        let crashes: Vec<(NodeId, u64)> =
            events(case.trace, &["crash"]).map(|event| (event.node, event.index)).collect();
        for call in p2p
            .calls
            .iter()
            .filter(|call| call.service == Service::GetFile && matches!(call.status, Some(1 | 2)))
        {
            let (Some(ended_us), Some(completed)) = (call.ended_us, call.completed) else {
                continue;
            };
            let [owner, file, _] = call.arguments.as_slice() else { continue };
            let quiet = !touches(&troubles, call.invoked_us.saturating_sub(calm), ended_us);
            if call.detail == "no_name"
                || !quiet
                || !connected(p2p, &call.user, call.peer, call.invoked, completed)
            {
                continue;
            }
            let Some(publication) = publication(p2p, owner, file, call) else { continue };
            // Only the peer that has published can have the file, and its crash ends what it
            // shares.
            let path = format!("share/{file}");
            let there = publication
                .peer
                .and_then(|peer| files.get(&(peer, path.as_str())))
                .is_some_and(|order| *order < call.invoked);
            let crashed = crashes.iter().any(|(node, order)| {
                Some(*node) == publication.peer && (publication.invoked..=completed).contains(order)
            });
            if there && !crashed && connected(p2p, owner, publication.peer, call.invoked, completed)
            {
                let nodes: Vec<_> = call.peer.into_iter().chain(publication.peer).collect();
                findings.report(ended_us, &nodes, || {
                    format!(
                        "{} at {}, and {owner} publishes {file} at {}",
                        call.shown(),
                        seconds(ended_us),
                        publication.process
                    )
                });
            }
        }
    })
}

/// Whether a user was certainly connected at a peer, without anything that might end it until a
/// moment.
fn connected(p2p: &P2pTrace, user: &str, peer: Option<NodeId>, from: u64, to: u64) -> bool {
    let began = p2p.of_user(user).rev().find(|call| {
        let told = call.completed.is_some_and(|completed| completed < from);
        call.service == Service::Connect && call.peer == peer && call.status == Some(0) && told
    });
    // A peer shares for one user at a time: the next user that connects there replaces it.
    let replaced = |since: u64| {
        p2p.at_peer(peer).any(|other| {
            let connects = other.service == Service::Connect && *other.user != *user;
            connects
                && (other.open || other.status == Some(0))
                && other.invoked < to
                && other.completed.is_none_or(|at| at > since)
        })
    };
    began.is_some_and(|began| !ended(p2p, user, began.invoked, to) && !replaced(began.invoked))
}

/// Whether anything may have ended a user's connection in this time.
fn ended(p2p: &P2pTrace, user: &str, from: u64, to: u64) -> bool {
    let asked = p2p.of_user(user).any(|call| {
        let ends = matches!(call.service, Service::Disconnect | Service::Unregister);
        ends && (call.open || call.status == Some(0))
            && call.invoked < to
            && (call.open || call.completed.is_none_or(|at| at > from))
    });
    asked || p2p.expiries_of(user).any(|expiry| expiry.from <= to && expiry.to >= from)
}

/// The last certain publication of a file before a call, if nothing may have withdrawn it.
fn publication<'t>(p2p: &'t P2pTrace, owner: &str, file: &str, call: &Call) -> Option<&'t Call> {
    let to = call.completed?;
    let about = |other: &&Call| other.argument() == file;
    let publication = p2p.of_user(owner).filter(about).rev().find(|other| {
        other.service == Service::Publish
            && other.status == Some(0)
            && other.completed.is_some_and(|at| at < call.invoked)
    })?;
    let withdrawn = p2p.of_user(owner).filter(about).any(|other| {
        let withdraws = other.service == Service::Delete && (other.open || other.status == Some(0));
        withdraws
            && other.invoked < to
            && (other.open || other.completed.is_none_or(|at| at > publication.invoked))
    });
    (!withdrawn && !ended(p2p, owner, publication.invoked, to)).then_some(publication)
}
