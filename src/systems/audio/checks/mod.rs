//! The checks of audio, and what they share: its events, decoded once.
//!
//! What a song should sound like is told by the uploader, who has it; what was heard is told by the
//! listeners. All else lies in between, and is told by streamers, who need not be this crate's: the
//! checks of uploads and of what is heard can do without it.

pub mod accounting;
pub mod backoff;
pub mod buffer_bounded;
pub mod byte_exact;
pub mod concealment;
pub mod in_order;
pub mod jitter;
pub mod one_session;
pub mod one_source;
pub mod pacing;
pub mod playback_resumes;
mod record;
pub mod resume_position;
pub mod song_heard;
pub mod upload_answered;
pub mod upload_complete;
pub mod upload_stored;

use std::collections::BTreeMap;

pub use record::{Kind, Record};

use crate::checkers::findings::Findings;
use crate::checkers::{Case, Checker, Verdict, View, no_panic};
use crate::systems::raft::checks::{
    applied_without_gaps, commit_on_majority, committed_never_truncated, convergence,
    election_safety, leader_append_only, leader_completeness, leader_elected, log_matching,
    persist_before_reply, state_machine_safety, term_monotonic, vote_once,
};
use crate::trace::{NodeId, Trace};

/// The checks that make sense for audio: its own, and those of Raft that look at the log and the
/// elections of its streamers.
pub static CHECKS: &[&Checker] = &[
    &byte_exact::CHECKER,
    &in_order::CHECKER,
    &upload_complete::CHECKER,
    &upload_stored::CHECKER,
    &upload_answered::CHECKER,
    &resume_position::CHECKER,
    &one_source::CHECKER,
    &playback_resumes::CHECKER,
    &song_heard::CHECKER,
    &one_session::CHECKER,
    &pacing::CHECKER,
    &concealment::CHECKER,
    &buffer_bounded::CHECKER,
    &jitter::CHECKER,
    &backoff::CHECKER,
    &accounting::CHECKER,
    &election_safety::CHECKER,
    &vote_once::CHECKER,
    &term_monotonic::CHECKER,
    &leader_append_only::CHECKER,
    &log_matching::CHECKER,
    &leader_completeness::CHECKER,
    &state_machine_safety::CHECKER,
    &commit_on_majority::CHECKER,
    &committed_never_truncated::CHECKER,
    &applied_without_gaps::CHECKER,
    &persist_before_reply::CHECKER,
    &no_panic::CHECKER,
    &leader_elected::CHECKER,
    &convergence::CHECKER,
];

/// What is known of an upload: how its frames should sound.
#[derive(Clone, Debug, Default)]
pub struct Song {
    /// Bytes of the file.
    pub size: u64,
    /// The checksum of the file.
    pub digest: u64,
    /// Frames in all.
    pub frames: u64,
    /// The digests of the frames that were told.
    pub digests: BTreeMap<u64, u64>,
}

/// The events of a run of audio.
pub struct AudioTrace {
    /// In the order in which they happened.
    pub records: Vec<Record>,
    /// Songs by upload.
    pub songs: BTreeMap<u64, Song>,
    /// Uploads by session: as a streamer has told it, or else as its frames were heard.
    pub sessions: BTreeMap<u64, u64>,
    names: Vec<String>,
    roles: Vec<String>,
}

impl View for AudioTrace {
    fn new(trace: &Trace) -> Self {
        AudioTrace::decode(trace)
    }
}

impl AudioTrace {
    fn decode(trace: &Trace) -> Self {
        // A streamer under test that says what only a listener can know says nothing.
        let role = |node: NodeId| trace.nodes.get(node.index()).map(|node| node.role.as_ref());
        let by_right = |record: &Record| {
            role(record.node)
                .is_some_and(|role| record.kind.teller().is_none_or(|teller| teller == role))
        };
        let mut records: Vec<Record> =
            trace.events.iter().filter_map(record::decode).filter(by_right).collect();
        if !records.is_sorted_by_key(|record| record.order) {
            records.sort_by_key(|record| record.order);
        }
        let mut songs: BTreeMap<u64, Song> = BTreeMap::new();
        let mut sessions = BTreeMap::new();
        for record in &records {
            match record.kind {
                Kind::Source { upload, size, digest, frames } => {
                    let song = songs.entry(upload).or_default();
                    (song.size, song.digest, song.frames) = (size, digest, frames);
                }
                Kind::SourceFrame { upload, frame, digest } => {
                    songs.entry(upload).or_default().digests.insert(frame, digest);
                }
                Kind::Stored { session, upload } if songs.contains_key(&upload) => {
                    sessions.entry(session).or_insert(upload);
                }
                _ => {}
            }
        }
        sessions_by_ear(&records, &songs, &mut sessions);
        let names = trace.nodes.iter().map(|node| node.name.clone()).collect();
        let roles = trace.nodes.iter().map(|node| node.role.to_string()).collect();
        AudioTrace { records, songs, sessions, names, roles }
    }

    /// Whether any node said anything that only a node of audio says.
    pub fn speaks_audio(&self) -> bool {
        self.records.iter().any(|record| !matches!(record.kind, Kind::Start | Kind::Stop))
    }

    pub fn name(&self, node: NodeId) -> &str {
        self.names.get(node.index()).map_or("?", String::as_str)
    }

    /// The nodes of a role.
    pub fn with_role(&self, role: &str) -> Vec<NodeId> {
        (0u32..)
            .map(NodeId)
            .zip(&self.roles)
            .filter(|(_, of)| *of == role)
            .map(|(node, _)| node)
            .collect()
    }

    /// The song of a session, as far as it was told.
    pub fn song(&self, session: u64) -> Option<&Song> {
        self.songs.get(self.sessions.get(&session)?)
    }
}

/// Which song is heard in the sessions of which no streamer has told it: the one that most of the
/// frames are of. Of several that are alike in that, one that has no session yet.
fn sessions_by_ear(
    records: &[Record],
    songs: &BTreeMap<u64, Song>,
    sessions: &mut BTreeMap<u64, u64>,
) {
    let mut heard: BTreeMap<u64, BTreeMap<u64, u64>> = BTreeMap::new();
    for record in records {
        let Kind::Play { session, frame, digest } = record.kind else { continue };
        if sessions.contains_key(&session) {
            continue;
        }
        let alike = heard.entry(session).or_default();
        for (upload, _) in
            songs.iter().filter(|(_, song)| song.digests.get(&frame) == Some(&digest))
        {
            *alike.entry(*upload).or_default() += 1;
        }
    }
    for (session, alike) in heard {
        let taken: Vec<u64> = sessions.values().copied().collect();
        let best = songs.keys().max_by_key(|upload| {
            (alike.get(upload), !taken.contains(upload), std::cmp::Reverse(**upload))
        });
        if let Some(upload) = best {
            sessions.insert(session, *upload);
        }
    }
}

/// The names in what a fault says of itself: `partition-1: listener1,n2 | n1`. Of a partition only
/// the side named first is cut off.
fn targets(value: &str) -> impl Iterator<Item = &str> {
    let targets = value.split_once(": ").map_or("", |(_, targets)| targets);
    let cut = targets.split('|').next().unwrap_or("");
    cut.split(|c: char| !(c.is_alphanumeric() || c == '-' || c == '_'))
        .filter(|word| !word.is_empty())
}

/// Judge by the events of audio. A trace without any is no evidence of anything, and gets
/// `Unknown`.
fn judge_audio(
    case: &Case<'_>,
    check: &'static str,
    judgement: impl FnOnce(&AudioTrace, &mut Findings),
) -> Verdict {
    let audio = case.view::<AudioTrace>();
    if !audio.speaks_audio() {
        return Verdict::Unknown("the trace holds no event of audio".to_owned());
    }
    let mut findings = Findings::new(check);
    judgement(&audio, &mut findings);
    findings.verdict()
}
