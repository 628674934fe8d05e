//! The defects that can be planted, and the state that only they need. Each is a guard beside the
//! right rule, where that stands.

use super::station::Station;
use crate::defects::defects;

defects! {
    // Upload.
    MarkerFraming "marker-framing" "audio_upload_complete" "audio/marker-in-the-song" 2
        "The end of the file is marked by the bytes `EOF`, searched for in each block: a song that \
            contains them is cut short."
    PiecePerRead "piece-per-read" "audio_upload_complete" "audio/upload-in-fragments" 2
        "Each read of the stream is taken for a whole block of 1,024 bytes, and what is missing of \
            it is zeros."
    RetryDuplicates "retry-duplicates" "audio_upload_complete" "audio/leader-crash-during-upload" 2
        "An upload that is retried at a new leader is appended to what its predecessor has stored."
    ConfirmBeforeCommit "confirm-before-commit" "audio_upload_stored" "audio/leader-crash-during-upload" 2
        "The leader confirms an upload when it has received it, before a majority has stored it."
    PatientUploader "patient-uploader" "audio_upload_answered" "audio/leader-crash-during-upload" 3
        "An uploader waits for a silent server without a time limit."
    UploadStoredAgain "upload-stored-again" "audio_one_session" "assignments/audio-failover/upload-once" 2
        "An upload that is stored already is stored again when it is retried, because its \
            confirmation was lost: the song is played twice."
    // Failover.
    SingleServer "single-server" "audio_playback_resumes" "audio/leader-crash" 2
        "The leader keeps song and position to itself: nothing is replicated."
    RestartFromZero "restart-from-zero" "audio_resume_position" "audio/leader-crash" 2
        "A new leader begins the song again."
    ResumeLive "resume-live" "audio_resume_position" "audio/leader-crash" 5
        "A new leader resumes where the song would be by now, and leaves out what was to be heard \
            meanwhile."
    OldLeaderStreams "old-leader-streams" "audio_one_source" "audio/leader-isolated" 2
        "A leader that was deposed goes on sending frames."
    EagerReconnect "eager-reconnect" "audio_backoff" "audio/leader-isolated" 2
        "A listener that hears nothing asks all streamers again at once, without waiting longer \
            each time."
    OneSongOnly "one-song-only" "audio_song_heard" "assignments/audio-failover/steady" 2
        "When a song has been sent, the next one is not begun."
    NoPacing "no-pacing" "audio_pacing" "assignments/audio-failover/steady" 2
        "The leader sends all frames of a song at once, whatever their media time."
    // Transport.
    NoDigest "no-digest" "audio_byte_exact" "audio/corrupted-frames" 2
        "Damaged frames are played."
    PaddedLastFrame "padded-last-frame" "audio_byte_exact" "audio/tour" 2
        "The last frame is filled up with zeros to its full length."
    NoRetransmission "no-retransmission" "audio_concealment" "audio/lossy-network" 2
        "A listener does not ask for frames that it lacks."
    NoWrap "no-wrap" "audio_playback_resumes" "audio/sequence-numbers-wrap" 2
        "Sequence numbers are compared as plain numbers: after 65,535 every frame looks old."
    JitterGain "jitter-gain" "audio_jitter" "audio/jitter-within-the-buffer" 2
        "The jitter estimate adds a sixteenth of each deviation and never takes anything away."
    // Playout.
    NoJitterBuffer "no-jitter-buffer" "audio_concealment" "audio/jitter-within-the-buffer" 2
        "Frames are played as they come, without a buffer that evens out their delays."
    LateFramesPlayed "late-frames-played" "audio_in_order" "audio/late-frames" 2
        "A frame that comes after its time is played all the same, behind later ones."
    PlayheadRunsOn "playhead-runs-on" "audio_playback_resumes" "audio/servers-paused" 2
        "While the buffer is empty the playhead runs on by the clock, and what comes afterwards is \
            late for ever."
    UnboundedBuffer "unbounded-buffer" "audio_buffer_bounded" "audio/fast-streamer" 2
        "The jitter buffer takes whatever comes: a sender with a fast clock fills it without end."
    DuplicatesCounted "duplicates-counted" "audio_accounting" "audio/duplicated-and-reordered" 2
        "A frame that comes twice counts as played twice."
}

/// What only a defect needs of a streamer.
#[derive(Debug)]
pub struct DefectState {
    /// [`Defect::SingleServer`]: what the server keeps to itself.
    pub station: Station,
}

/// Whether a defect has taken away what an upload could be verified by.
pub fn believes_uploads(planted: Planted) -> bool {
    [Defect::MarkerFraming, Defect::PiecePerRead, Defect::RetryDuplicates]
        .into_iter()
        .any(|defect| planted.plants(defect))
}
