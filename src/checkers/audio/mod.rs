//! The checks of audio, and what they share: its events, decoded once.
//!
//! What a song should sound like is told by the uploader, who has it; what was heard is told by the listeners. All else lies in between.

pub mod accounting;
pub mod backoff;
pub mod buffer_bounded;
pub mod byte_exact;
pub mod concealment;
pub mod in_order;
pub mod jitter;
pub mod one_source;
pub mod playback_resumes;
mod record;
pub mod resume_position;
pub mod upload_answered;
pub mod upload_complete;
pub mod upload_stored;

use std::collections::BTreeMap;

pub use record::{Kind, Record};

use super::findings::Findings;
use super::{
    Case, Checker, Verdict, applied_without_gaps, commit_on_majority, committed_never_truncated, convergence, election_safety,
    leader_append_only, leader_completeness, leader_elected, log_matching, no_panic, persist_before_reply, state_machine_safety,
    term_monotonic, vote_once,
};
use crate::trace::{NodeId, Trace};

/// The checks that make sense for audio: its own, and those of Raft that look at the log and the elections of its streamers.
pub static AUDIO_CHECKS: &[&Checker] = &[
    &byte_exact::CHECKER,
    &in_order::CHECKER,
    &upload_complete::CHECKER,
    &upload_stored::CHECKER,
    &upload_answered::CHECKER,
    &resume_position::CHECKER,
    &one_source::CHECKER,
    &playback_resumes::CHECKER,
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
    /// XXH3 of the file.
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
    /// Uploads by session.
    pub sessions: BTreeMap<u64, u64>,
    names: Vec<String>,
    roles: Vec<String>,
}

impl AudioTrace {
    pub fn new(trace: &Trace) -> Self {
        let known = |event: &&crate::trace::Event| event.node.index() < trace.nodes.len();
        let mut records: Vec<Record> = trace.events.iter().filter(known).filter_map(record::decode).collect();
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
                Kind::Stored { session, upload } => {
                    sessions.entry(session).or_insert(upload);
                }
                _ => {}
            }
        }
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
        (0u32..).map(NodeId).zip(&self.roles).filter(|(_, of)| *of == role).map(|(node, _)| node).collect()
    }

    /// The song of a session, as far as it was told.
    pub fn song(&self, session: u64) -> Option<&Song> {
        self.songs.get(self.sessions.get(&session)?)
    }
}

/// Judge by the events of audio. A trace without any is no evidence of anything, and gets `Unknown`.
fn judge_audio(case: &Case<'_>, check: &'static str, judgement: impl FnOnce(&AudioTrace, &mut Findings)) -> Verdict {
    let audio = case.audio();
    if !audio.speaks_audio() {
        return Verdict::Unknown("the trace holds no event of audio".to_owned());
    }
    let mut findings = Findings::new(check);
    judgement(audio, &mut findings);
    findings.verdict()
}
