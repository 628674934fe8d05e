//! Linearizability of the directory: the statuses are those of a directory that serves one request
//! after the other, within the times that users saw.
//!
//! An operation without an answer may have happened at any later time. The end of a lease is an
//! operation too, one of the directory itself; the trace tells when. Another check judges the list
//! of users, because that list concerns all of them together.

use std::collections::{BTreeMap, BTreeSet};

use super::model::{Effect, OneUser, Timed};
use super::table::fail_status;
use super::{Call, P2pTrace};
use crate::checkers::findings::{Findings, seconds};
use crate::checkers::search::{Answer, Limits, first_illegal_end, linearizable, undecided};
use crate::checkers::{Case, Checker, Params, Verdict};
use crate::systems::p2p::vocabulary::Service;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "p2p_directory_linearizable",
    summary: "The directory's statuses and lists of files are those of one that serves one request \
        after the other.",
    source: "the assignment's table; Herlihy and Wing 1990",
    params: Limits::PARAMS,
    liveness: false,
    check,
};

/// An operation on one user, with its call; the end of a lease has none.
struct Part<'a> {
    timed: Timed,
    call: Option<&'a Call>,
}

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    let limits = Limits::of(params);
    let p2p = case.view::<P2pTrace>();
    if p2p.calls.is_empty() {
        return Verdict::Unknown("the history holds no operation of file sharing".to_owned());
    }
    let mut users: BTreeMap<&str, Vec<Part<'_>>> = BTreeMap::new();
    let mut files = Numbers::default();
    for call in &p2p.calls {
        for (user, effect, status) in parts(call, &mut files) {
            let timed = Timed {
                effect: (effect, status),
                invoked: call.invoked,
                completed: call.completed,
            };
            users.entry(user).or_default().push(Part { timed, call: Some(call) });
        }
    }
    for expiry in &p2p.expiries {
        let timed = Timed {
            effect: (Effect::Expire, Some(0)),
            invoked: expiry.from,
            completed: Some(expiry.to),
        };
        users.entry(&expiry.user).or_default().push(Part { timed, call: None });
    }
    let mut findings = Findings::new(CHECKER.name);
    let mut unknown = None;
    for (user, parts) in &users {
        unknown = unknown.or(judge_user(&mut findings, user, parts, limits));
    }
    match (findings.verdict(), unknown) {
        (Verdict::Valid, Some(why)) => Verdict::Unknown(why),
        (verdict, _) => verdict,
    }
}

/// Files by number.
#[derive(Default)]
struct Numbers<'a>(BTreeMap<&'a str, u32>);

impl<'a> Numbers<'a> {
    fn of(&mut self, file: &'a str) -> u32 {
        let next = self.0.len() as u32;
        *self.0.entry(file).or_insert(next)
    }
}

/// What a call means for the users that it concerns.
fn parts<'a>(call: &'a Call, files: &mut Numbers<'a>) -> Vec<(&'a str, Effect, Option<u8>)> {
    let Some(host) = call.peer.map(|peer| peer.0) else { return vec![] };
    // What failed did nothing, and neither did what the directory never saw. Whether a failure was
    // due is for another check to judge.
    let failed = call.status.is_some_and(|status| status >= fail_status(call.service))
        || !call.open && call.status.is_none();
    if failed || call.service == Service::GetFile {
        return vec![];
    }
    let mut file = || files.of(call.argument());
    let effect = match call.service {
        Service::Register => Effect::Register,
        Service::Unregister => Effect::Unregister,
        Service::Connect => Effect::Connect(host),
        Service::Disconnect => Effect::Disconnect(host),
        Service::Publish => Effect::Publish(host, file()),
        Service::Delete => Effect::Delete(host, file()),
        Service::ListUsers | Service::ListContent | Service::GetFile => Effect::Ask(host),
    };
    if effect != Effect::Ask(host) {
        return vec![(&call.user, effect, call.status)];
    }
    // A question without an answer says nothing and changes nothing.
    let Some(status) = call.status else { return vec![] };
    // Status 3 of `list_content` and 0 of both say that the asking user was connected.
    let mut parts = vec![(&*call.user, effect, Some(if status == 3 { 0 } else { status }))];
    let other = call.argument();
    match (call.service, status) {
        (Service::ListContent, 0) => {
            let content: BTreeSet<u32> =
                call.detail.split_whitespace().map(|file| files.of(file)).collect();
            parts.push((other, Effect::Content(content), Some(0)));
        }
        (Service::ListContent, 3) => parts.push((other, Effect::NotRegistered, Some(0))),
        _ => {}
    }
    parts
}

/// Report what is wrong with a user; or why nobody knows.
fn judge_user(
    findings: &mut Findings,
    user: &str,
    parts: &[Part<'_>],
    limits: Limits,
) -> Option<String> {
    let until = |cut: u64| linearizable(&OneUser, &beginning(parts, cut), limits);
    let answer = until(u64::MAX);
    if let Answer::Illegal { at } = answer {
        let ends = parts.iter().filter_map(|part| part.timed.completed).collect();
        let end = first_illegal_end(ends, at, until);
        let culprit =
            parts.iter().filter(|part| part.timed.completed == end).find_map(|part| part.call);
        let time_us = culprit.map_or(0, |call| call.ended_us.unwrap_or(call.invoked_us));
        let nodes: Vec<_> = culprit.and_then(|call| call.peer).into_iter().collect();
        findings.report(time_us, &nodes, || match culprit {
            Some(call) => {
                let (from, to) = (seconds(call.invoked_us), seconds(time_us));
                format!(
                    "no order of the operations on {user} explains {} from {from} to {to}",
                    call.shown()
                )
            }
            None => {
                format!("no order of the operations on {user} explains that its lease has ended")
            }
        });
    }
    let completions = parts.iter().filter_map(|part| {
        Some((part.timed.completed?, part.call.and_then(|call| call.ended_us).unwrap_or(0)))
    });
    undecided(&format!("user {user}"), limits, answer, completions)
}

/// What was done up to a moment: operations that had not ended by then are open, and questions
/// without an answer say nothing.
fn beginning(parts: &[Part<'_>], cut: u64) -> Vec<Timed> {
    let mut timed = vec![];
    for part in parts.iter().filter(|part| part.timed.invoked <= cut) {
        let mut each = part.timed.clone();
        if each.completed.is_some_and(|completed| completed > cut) {
            if matches!(each.effect.0, Effect::Ask(_) | Effect::Content(_) | Effect::NotRegistered)
            {
                continue;
            }
            (each.completed, each.effect.1) = (None, None);
        }
        timed.push(each);
    }
    timed
}
