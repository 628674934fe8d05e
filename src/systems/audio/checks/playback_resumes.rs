//! Playback goes on: with a majority of the streamers alive, no listener hears nothing for longer
//! than a stated time.
//!
//! The time counts from the last thing that was done to the system, be it a crash, a restart, or a
//! fault that begins or ends: that is "within a bound after a leader crash", for every fault alike.
//! While a majority is down nothing is promised, nor to a listener that stands still or is itself
//! among the targets of a fault.

use super::{AudioTrace, Kind, judge_audio, targets};
use crate::checkers::findings::{Findings, seconds, whole};
use crate::checkers::{Case, Checker, ParamInfo, Params, Verdict};
use crate::trace::{NEMESIS, NodeId, OpType, Trace};

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "audio_playback_resumes",
    summary: "With a majority of the streamers alive, every listener hears the song again within a \
        stated time after a fault.",
    source: "the assignment's aim: the transmission goes on for all other devices",
    params: &[ParamInfo {
        name: "within",
        duration: true,
        default: 3_000_000.0,
        range: (0.0, 1e12),
        doc: "how long a listener may hear nothing, counted from the last change of the world",
    }],
    liveness: true,
    check,
};

/// How a listener is.
#[derive(Clone, Default)]
struct Ear {
    up: bool,
    /// It hears, or should: a session is on its way that has not ended for it.
    in_session: bool,
    /// It has heard something since it was switched on.
    heard: bool,
    ended: Option<u64>,
    quiet_since: u64,
    /// Faults that are at work and name it.
    faults: u32,
    told: bool,
}

/// What happens, in order: an event of a node, or a fault that begins (1) or ends (-1) with its
/// targets.
enum Step<'a> {
    Event(&'a super::Record),
    Fault(i32, &'a str),
}

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    let within = whole(params, "within");
    judge_audio(case, CHECKER.name, |audio, findings| {
        let mut world = World::new(audio, within);
        for (time_us, step) in steps(case.trace, audio) {
            match step {
                Step::Event(record) => world.event(record, findings),
                Step::Fault(change, targets) => {
                    world.disturbed(time_us, findings);
                    world.fault(change, targets);
                }
            }
        }
        world.disturbed(case.trace.end_us, findings);
    })
}

fn steps<'a>(trace: &'a Trace, audio: &'a AudioTrace) -> Vec<(u64, Step<'a>)> {
    let events =
        audio.records.iter().map(|record| (record.order, record.time_us, Step::Event(record)));
    let faults = trace.history.iter().filter(|op| op.process == NEMESIS).map(|op| {
        let change = if op.op_type == OpType::Invoke { 1 } else { -1 };
        (op.index, op.time_us, Step::Fault(change, op.value.as_ref()))
    });
    let mut steps: Vec<_> = events.chain(faults).collect();
    steps.sort_by_key(|(order, ..)| *order);
    steps.into_iter().map(|(_, time_us, step)| (time_us, step)).collect()
}

struct World<'a> {
    audio: &'a AudioTrace,
    within: u64,
    listeners: Vec<NodeId>,
    /// The place of each node among the listeners.
    places: Vec<Option<usize>>,
    ears: Vec<Ear>,
    streamers: Vec<NodeId>,
    streaming: Vec<bool>,
}

impl<'a> World<'a> {
    fn new(audio: &'a AudioTrace, within: u64) -> Self {
        let (listeners, streamers) = (audio.with_role("listener"), audio.with_role("streamer"));
        let nodes = listeners.last().map_or(0, |last| last.index() + 1);
        let mut places = vec![None; nodes];
        for (place, node) in listeners.iter().enumerate() {
            places[node.index()] = Some(place);
        }
        let (ears, streaming) =
            (vec![Ear::default(); listeners.len()], vec![false; streamers.len()]);
        World { audio, within, listeners, places, ears, streamers, streaming }
    }

    fn majority(&self) -> bool {
        2 * self.streaming.iter().filter(|up| **up).count() > self.streaming.len()
    }

    fn event(&mut self, record: &super::Record, findings: &mut Findings) {
        let (now, place) =
            (record.time_us, self.places.get(record.node.index()).copied().flatten());
        match (record.kind, place) {
            (Kind::Start | Kind::Stop, _) => {
                self.disturbed(now, findings);
                let up = record.kind == Kind::Start;
                if let Some(streamer) = self.streamers.iter().position(|node| *node == record.node)
                {
                    self.streaming[streamer] = up;
                }
                if let Some(place) = place {
                    let ear = &mut self.ears[place];
                    // A device that was switched on in the middle of a song may be too late for it.
                    (ear.up, ear.in_session, ear.heard, ear.quiet_since) = (up, false, false, now);
                }
            }
            (Kind::TakeOver(at), _) => {
                // Nor is one cut off that has not heard anything yet: by the time that it is back,
                // the song may be over.
                let reached = |ear: &&mut Ear| {
                    ear.up && ear.faults == 0 && !ear.in_session && ear.ended < Some(at.session)
                };
                for ear in self.ears.iter_mut().filter(reached) {
                    (ear.in_session, ear.quiet_since) = (true, now);
                }
            }
            (Kind::Play { .. }, Some(place)) => {
                self.judge(place, now, findings);
                let ear = &mut self.ears[place];
                (ear.in_session, ear.heard, ear.quiet_since, ear.told) = (true, true, now, false);
            }
            (Kind::End { session, .. }, Some(place)) => {
                self.judge(place, now, findings);
                let ear = &mut self.ears[place];
                (ear.in_session, ear.ended) = (false, Some(session));
            }
            _ => {}
        }
    }

    /// Something was done to the world: what lasted too long up to now is told, and the time counts
    /// anew.
    fn disturbed(&mut self, now: u64, findings: &mut Findings) {
        for place in 0..self.ears.len() {
            self.judge(place, now, findings);
            self.ears[place].quiet_since = self.ears[place].quiet_since.max(now);
        }
    }

    fn judge(&mut self, place: usize, now: u64, findings: &mut Findings) {
        let (majority, ear) = (self.majority(), &mut self.ears[place]);
        let quiet = now.saturating_sub(ear.quiet_since);
        if quiet <= self.within
            || !ear.up
            || !ear.in_session
            || ear.faults > 0
            || !majority
            || ear.told
        {
            return;
        }
        ear.told = true;
        let (node, from) = (self.listeners[place], ear.quiet_since);
        findings.report(from.saturating_add(self.within), &[node], || {
            format!(
                "{} heard nothing from {} to {}, although a majority of the streamers worked",
                self.audio.name(node),
                seconds(from),
                seconds(now)
            )
        });
    }

    fn fault(&mut self, change: i32, value: &str) {
        for word in targets(value) {
            if let Some(place) =
                self.listeners.iter().position(|node| self.audio.name(*node) == word)
            {
                let ear = &mut self.ears[place];
                ear.faults = ear.faults.saturating_add_signed(change);
                ear.in_session &= ear.heard || change < 0;
            }
        }
    }
}
