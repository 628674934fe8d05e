//! One leader sends: a deposed one stops soon. Where streamers do not tell what they send,
//! listeners tell whose frames come first, which is all that makes a difference to them; and
//! whoever is heard must be who shows that it leads, because that is where faults aim.
//!
//! For a moment two may send, because the older one has not heard of the newer yet; a leader that
//! wakes up from a pause sends what is due before it reads its messages. Only a stretch of sending
//! that goes on and on beside a newer leader is wrong.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::{AudioTrace, Kind, judge_audio};
use crate::checkers::findings::{Findings, seconds, whole};
use crate::checkers::{Case, Checker, ParamInfo, Params, Verdict};
use crate::trace::{Metric, NodeId, Trace, Value};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "audio_one_source",
    summary: "A leader that was deposed does not go on sending beside the new one.",
    source: "Raft dissertation §6.2: a leader without a majority steps down",
    params: &[ParamInfo {
        name: "window",
        duration: true,
        default: 1_000_000.0,
        range: (0.0, 1e12),
        doc: "how long an old leader may go on beside a new one, at a stretch",
    }],
    liveness: false,
    check,
};

/// Frames further apart than this belong to different stretches, µs.
const APART_US: u64 = 500_000;

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    let stretches = Stretches { window: whole(params, "window"), begun: BTreeMap::new() };
    judge_audio(case, CHECKER.name, |audio, findings| {
        if audio.records.iter().any(|record| matches!(record.kind, Kind::Send(_))) {
            by_senders(audio, stretches, findings);
        } else {
            by_ear(audio, case.trace, stretches, findings);
        }
    })
}

/// How long nodes have been sending that should not: of each, begin and last frame of the present
/// stretch, µs.
struct Stretches {
    window: u64,
    begun: BTreeMap<NodeId, (u64, u64)>,
}

impl Stretches {
    /// It sends by right.
    fn end(&mut self, node: NodeId) {
        self.begun.remove(&node);
    }

    /// It sends, and should not: for how long it has, if that is too long.
    fn go_on(&mut self, node: NodeId, now: u64) -> Option<u64> {
        let stretch = self.begun.entry(node).or_insert((now, now));
        if now.saturating_sub(stretch.1) > APART_US {
            stretch.0 = now;
        }
        stretch.1 = now;
        let since = now.saturating_sub(stretch.0);
        if since > self.window {
            stretch.0 = now;
        }
        (since > self.window).then_some(since)
    }
}

fn by_senders(audio: &AudioTrace, mut stretches: Stretches, findings: &mut Findings) {
    let mut newest: Option<(u64, NodeId)> = None;
    for record in &audio.records {
        match record.kind {
            Kind::TakeOver(place) if newest.is_none_or(|(term, _)| place.term >= term) => {
                newest = Some((place.term, record.node))
            }
            Kind::Send(place) => {
                let Some((term, by)) =
                    newest.filter(|(term, by)| place.term < *term && *by != record.node)
                else {
                    stretches.end(record.node);
                    continue;
                };
                let Some(since) = stretches.go_on(record.node, record.time_us) else { continue };
                let (old, new) = (audio.name(record.node), audio.name(by));
                findings.report(record.time_us, &[record.node, by], || {
                    format!(
                        "{old} goes on sending in term {} for {} beside {new}, which leads \
                        term {term}",
                        place.term,
                        seconds(since)
                    )
                });
            }
            _ => {}
        }
    }
}

fn by_ear(audio: &AudioTrace, trace: &Trace, mut stretches: Stretches, findings: &mut Findings) {
    let mut shown = trace
        .metrics
        .iter()
        .filter(|metric| matches!(metric.name.as_ref(), "role" | "current_term"))
        .peekable();
    let mut roles = Roles::default();
    for record in &audio.records {
        while let Some(metric) = shown.next_if(|metric| metric.time_us <= record.time_us) {
            roles.show(metric);
        }
        match record.kind {
            Kind::Start => {
                roles.down.remove(&record.node);
            }
            Kind::Stop => {
                roles.down.insert(record.node);
            }
            Kind::Frame { from, .. } => {
                let leader = roles.leader();
                if leader == Some(from) {
                    stretches.end(from);
                    continue;
                }
                let Some(since) = stretches.go_on(from, record.time_us) else { continue };
                let (name, listener) = (audio.name(from), audio.name(record.node));
                let beside = leader.map_or("nobody does".to_owned(), |leader| {
                    format!("{} does", audio.name(leader))
                });
                findings.report(record.time_us, &[from, record.node], || {
                    format!(
                        "{listener} hears {name} for {}, which does not show that it leads; \
                        {beside}",
                        seconds(since)
                    )
                });
            }
            _ => {}
        }
    }
}

/// What nodes show of who leads: that is also what faults go by that aim at the leader.
#[derive(Default)]
struct Roles {
    down: BTreeSet<NodeId>,
    leads: BTreeMap<NodeId, bool>,
    terms: BTreeMap<NodeId, i64>,
}

impl Roles {
    fn show(&mut self, metric: &Metric) {
        match &metric.value {
            Value::Text(role) if metric.name == "role" => {
                self.leads.insert(metric.node, role == "leader");
            }
            Value::Int(term) if metric.name == "current_term" => {
                self.terms.insert(metric.node, *term);
            }
            _ => {}
        }
    }

    /// The one that leads in the highest term, of those that run.
    fn leader(&self) -> Option<NodeId> {
        let leaders = self
            .leads
            .iter()
            .filter(|(node, leads)| **leads && !self.down.contains(node))
            .map(|(node, _)| *node);
        leaders.max_by_key(|node| (self.terms.get(node), Reverse(*node)))
    }
}
