//! What was confirmed is heard: every listener to whom nothing happens hears each confirmed song,
//! to its end.
//!
//! `audio_playback_resumes` looks at silence in the middle of a song; here is the song that never
//! begins, never ends, or lacks more than the scenario allows. Songs are played one after the
//! other, so the time for all of them counts from the last confirmation; what faults have held up
//! is made up for after healing. What may still be heard after the end of the run is not judged. A
//! scenario that knows when its songs can be over says so, and then a song that nobody confirms is
//! no excuse.

use std::collections::{BTreeMap, BTreeSet};

use super::{AudioTrace, Kind, judge_audio, targets};
use crate::checkers::findings::{number, seconds, whole};
use crate::checkers::{Case, Checker, ParamInfo, Params, Verdict};
use crate::trace::{NEMESIS, NodeId, Trace};

/// No time that a run reaches, µs.
const NEVER: f64 = 1e12;

/// See the module.
pub static CHECKER: Checker = Checker {
    name: "audio_song_heard",
    summary: "Every listener to whom nothing happened hears each confirmed song to its end, and \
        lacks at most a stated part of it.",
    source: "the assignment's aim: both sides play the song, and the transmission goes on",
    params: &[
        ParamInfo {
            name: "within",
            duration: true,
            default: 10_000_000.0,
            range: (0.0, NEVER),
            doc: "time by which all songs were heard: after healing, or after they would be over, \
                played since the last confirmation, if that is later",
        },
        ParamInfo {
            name: "by",
            duration: true,
            default: NEVER,
            range: (0.0, NEVER),
            doc: "time of the run by which every song was heard that was offered to a streamer, \
                confirmed or not; in place of `within`",
        },
        ParamInfo {
            name: "lost",
            duration: false,
            default: 1.0,
            range: (0.0, 1.0),
            doc: "frames of a song that a listener may lack, as a part of all",
        },
    ],
    liveness: true,
    check,
};

fn check(case: &Case<'_>, params: &Params) -> Verdict {
    let (within, lost) = (whole(params, "within"), number(params, "lost"));
    let by = Some(whole(params, "by")).filter(|by| (*by as f64) < NEVER);
    let end = case.trace.end_us;
    let verdict = judge_audio(case, CHECKER.name, |audio, findings| {
        let heard = Heard::of(audio);
        let (owed, what, deadline) = match by {
            Some(by) => (&heard.offered, "offered", by),
            None => (&heard.confirmed, "confirmed", heard.deadline(audio, case.trace, within)),
        };
        for listener in untouched(audio, case.trace) {
            for (upload, owner) in owed {
                let Some(song) = audio.songs.get(upload).filter(|song| song.frames > 0) else {
                    continue;
                };
                let (name, owner) = (audio.name(listener), audio.name(*owner));
                if let Some(at) =
                    heard.ended.get(&(listener, *upload)).filter(|at| **at <= deadline)
                {
                    let played =
                        heard.played.get(&(listener, *upload)).map_or(0, BTreeSet::len) as u64;
                    let lacks = song.frames.saturating_sub(played);
                    if lacks as f64 > lost * song.frames as f64 {
                        findings.report(*at, &[listener], || {
                            format!(
                                "{name} has heard {played} of the {} frames of the song of \
                                {owner}, and no more followed",
                                song.frames
                            )
                        });
                    }
                } else if deadline <= end {
                    findings.report(deadline, &[listener], || {
                        format!(
                            "{name} has not heard the song of {owner} to its end by {}, \
                            although it was {what}",
                            seconds(deadline)
                        )
                    });
                }
            }
        }
    });
    match verdict {
        Verdict::Valid if by.is_some_and(|by| by > end) => {
            Verdict::Unknown("the run ends before the time by which songs must be heard".to_owned())
        }
        verdict => verdict,
    }
}

/// What the listeners have heard, by upload.
#[derive(Default)]
struct Heard {
    /// Whose uploads were offered to a streamer.
    offered: BTreeMap<u64, NodeId>,
    /// Whose uploads were confirmed.
    confirmed: BTreeMap<u64, NodeId>,
    last_confirmed_us: u64,
    /// The longest frame of any listener, µs.
    frame_us: u64,
    played: BTreeMap<(NodeId, u64), BTreeSet<u64>>,
    /// When a listener came to the end of a song, µs.
    ended: BTreeMap<(NodeId, u64), u64>,
}

impl Heard {
    fn of(audio: &AudioTrace) -> Heard {
        let mut heard = Heard::default();
        for record in &audio.records {
            match record.kind {
                Kind::Listener { frame_us, .. } => heard.frame_us = heard.frame_us.max(frame_us),
                Kind::Attempt { upload } => {
                    heard.offered.insert(upload, record.node);
                }
                Kind::Confirmed { upload, .. } => {
                    heard.confirmed.insert(upload, record.node);
                    heard.last_confirmed_us = record.time_us;
                }
                Kind::Play { session, frame, .. } => {
                    if let Some(upload) = audio.sessions.get(&session) {
                        heard.played.entry((record.node, *upload)).or_default().insert(frame);
                    }
                }
                Kind::End { session, .. } => {
                    if let Some(upload) = audio.sessions.get(&session) {
                        heard.ended.entry((record.node, *upload)).or_insert(record.time_us);
                    }
                }
                _ => {}
            }
        }
        heard
    }

    fn deadline(&self, audio: &AudioTrace, trace: &Trace, within: u64) -> u64 {
        let songs = self.confirmed.keys().filter_map(|upload| audio.songs.get(upload));
        let length = songs
            .map(|song| song.frames.saturating_mul(self.frame_us))
            .fold(0, u64::saturating_add);
        trace.duration_us.max(self.last_confirmed_us.saturating_add(length)).saturating_add(within)
    }
}

/// The listeners that were started once, never stood still, and were among the targets of no fault.
fn untouched(audio: &AudioTrace, trace: &Trace) -> Vec<NodeId> {
    let faults = trace.history.iter().filter(|op| op.process == NEMESIS);
    let hit: BTreeSet<&str> = faults.flat_map(|op| targets(op.value.as_ref())).collect();
    let mut listeners = audio.with_role("listener");
    listeners.retain(|node| {
        let of_node = || audio.records.iter().filter(|record| record.node == *node);
        let starts = of_node().filter(|record| record.kind == Kind::Start).count();
        starts == 1
            && !of_node().any(|record| record.kind == Kind::Stop)
            && !hit.contains(audio.name(*node))
    });
    listeners
}
