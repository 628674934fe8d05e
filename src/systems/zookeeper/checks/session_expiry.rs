//! Sessions expire when they have been silent for their time-out, and neither before nor long
//! after.
//!
//! The leader decides, by what reached it: a sign of life that is stuck at a server that is cut off
//! does not count. A new leader counts from its establishment. A leader that was paused, or that
//! lost its majority, is late without fault.

use std::collections::{BTreeMap, BTreeSet};

use super::{Kind, Life, Told, judge_zk, show};
use crate::checkers::findings::{number, seconds, whole};
use crate::checkers::{Case, Checker, ParamInfo, Params, Verdict};
use crate::systems::zookeeper::vocabulary::{
    ServerRole, SessionClosed, SessionExpired, SessionOpened, SessionTouched, ZabEstablished,
    ZabPropose, ZabState,
};
use crate::trace::NodeId;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "session_expiry",
    summary: "A session expires after it was silent towards the leader for its time-out, and soon \
        after that.",
    source: "ZooKeeper's session tracker; the programmer's guide, sessions",
    params: &[
        ParamInfo {
            name: "slack",
            duration: true,
            default: 100_000.0,
            range: (0.0, 1e12),
            doc: "how much earlier than its time-out a session may seem to end, because the trace \
                learns of signs of life after the disk",
        },
        ParamInfo {
            name: "late",
            duration: true,
            default: 1_500_000.0,
            range: (0.0, 1e12),
            doc: "how much later than its time-out a session may end: two ticks and more",
        },
        ParamInfo {
            name: "drift",
            duration: false,
            default: 0.02,
            range: (0.0, 1.0),
            doc: "how far off the leader's clock may run",
        },
    ],
    liveness: false,
    check,
};

/// A leadership with what its leader has heard.
struct Leadership {
    since_us: u64,
    heard_us: BTreeMap<u64, u64>,
}

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    let (slack, late) = (whole(params, "slack"), whole(params, "late"));
    let drift = number(params, "drift").clamp(0.0, 1.0);
    judge_zk(case, CHECKER.name, |zk, findings| {
        let mut timeouts: BTreeMap<u64, u64> = BTreeMap::new();
        let mut ended: BTreeSet<u64> = BTreeSet::new();
        let mut leaders: BTreeMap<NodeId, Leadership> = BTreeMap::new();
        // A session counts from its proposal, which may take a while to be committed.
        let mut proposed: BTreeMap<u64, u64> = BTreeMap::new();
        for record in &zk.records {
            let (node, time) = (record.node, record.time_us);
            match record.kind {
                Kind::Told(Told::ZabEstablished(ZabEstablished { .. })) => {
                    leaders.insert(node, Leadership { since_us: time, heard_us: BTreeMap::new() });
                }
                // A pause makes late, and the end of a leadership ends the duty.
                Kind::Told(Told::ZabState(ZabState {
                    state: ServerRole::Looking | ServerRole::Leading | ServerRole::Following,
                    ..
                }))
                | Kind::Life(Life::Start | Life::Crash | Life::Pause) => {
                    leaders.remove(&node);
                }
                Kind::Told(Told::ZabPropose(ZabPropose { zxid, .. })) => {
                    proposed.entry(zxid).or_insert(time);
                }
                Kind::Told(Told::SessionOpened(SessionOpened { session, timeout_us, .. })) => {
                    // Servers that catch up tell of sessions that have long ended.
                    if !ended.contains(&session) {
                        timeouts.insert(session, timeout_us);
                    }
                    if let Some(leader) = leaders.get_mut(&node) {
                        let since =
                            proposed.get(&session).copied().unwrap_or(time).max(leader.since_us);
                        leader.heard_us.entry(session).or_insert(since);
                    }
                }
                Kind::Told(Told::SessionTouched(SessionTouched { session, .. })) => {
                    let Some(leader) = leaders.get_mut(&node) else { continue };
                    let Some(timeout) = timeouts.get(&session).copied() else { continue };
                    let heard = leader.heard_us.insert(session, time).unwrap_or(leader.since_us);
                    let silent = time.saturating_sub(heard);
                    if silent > late.saturating_add((timeout as f64 * (1.0 + drift)) as u64) {
                        findings.report(time, &[node], || {
                            let (name, session) = (zk.name(node), show(session));
                            format!(
                                "{name} kept session {session} of {} although it was silent for {}",
                                seconds(timeout),
                                seconds(silent)
                            )
                        });
                    }
                }
                Kind::Told(Told::SessionClosed(SessionClosed { session, .. })) => {
                    ended.insert(session);
                    timeouts.remove(&session);
                }
                Kind::Told(Told::SessionExpired(SessionExpired { session, .. })) => {
                    ended.insert(session);
                    let Some(leader) = leaders.get_mut(&node) else { continue };
                    let Some(timeout) = timeouts.remove(&session) else { continue };
                    let heard = leader.heard_us.remove(&session).unwrap_or(leader.since_us);
                    let silent = time.saturating_sub(heard);
                    if silent.saturating_add(slack) < (timeout as f64 * (1.0 - drift)) as u64 {
                        findings.report(time, &[node], || {
                            let (name, session) = (zk.name(node), show(session));
                            format!(
                                "{name} ended session {session} of {} after a silence of {}",
                                seconds(timeout),
                                seconds(silent)
                            )
                        });
                    }
                }
                _ => {}
            }
        }
        for (node, leader) in &leaders {
            for (session, timeout) in &timeouts {
                let heard = leader.heard_us.get(session).copied().unwrap_or(leader.since_us);
                let silent = case.trace.end_us.saturating_sub(heard);
                // A session that this leader cannot know of began under a leader that had not told
                // it.
                if silent > late.saturating_add((*timeout as f64 * (1.0 + drift)) as u64) {
                    findings.report(case.trace.end_us, &[*node], || {
                        let (name, session) = (zk.name(*node), show(*session));
                        format!(
                            "{name} kept session {session} of {} although it was silent for {}",
                            seconds(*timeout),
                            seconds(silent)
                        )
                    });
                }
            }
        }
    })
}
