//! The mistakes that can be planted, and the points of the protocol at which each changes
//! something.
//!
//! The correct path asks a policy function at each such point, named after what is right there.

use super::jitter::next_jitter;
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

impl Planted {
    /// Length and digest are said before the file, out of band; the end is where so many bytes have
    /// come.
    pub(super) fn says_length_before(self) -> bool {
        !self.plants(Defect::MarkerFraming)
    }

    /// A stream has no borders: bytes are gathered until a block is whole.
    pub(super) fn gathers_blocks(self) -> bool {
        !self.plants(Defect::PiecePerRead)
    }

    /// A piece takes effect only where it continues what is there, so a retry adds nothing twice.
    pub(super) fn pieces_fit_by_offset(self) -> bool {
        !self.plants(Defect::RetryDuplicates)
    }

    /// A file is stored only if it has the length and the digest that its sender said.
    pub(super) fn verifies_uploads(self) -> bool {
        !(self.plants(Defect::MarkerFraming)
            || self.plants(Defect::PiecePerRead)
            || self.plants(Defect::RetryDuplicates))
    }

    /// Confirmed is what the replicated log has stored.
    pub(super) fn confirms_when_committed(self) -> bool {
        !self.plants(Defect::ConfirmBeforeCommit)
    }

    /// An uploader turns to another server when one is silent.
    pub(super) fn gives_up_silent_servers(self) -> bool {
        !self.plants(Defect::PatientUploader)
    }

    /// A song is stored once, however often it is offered under the same number.
    pub(super) fn stores_once(self) -> bool {
        !self.plants(Defect::UploadStoredAgain)
    }

    /// After a song comes the next one.
    pub(super) fn goes_on_to_the_next_song(self) -> bool {
        !self.plants(Defect::OneSongOnly)
    }

    /// A frame is sent when its media time has come.
    pub(super) fn waits_for_media_time(self) -> bool {
        !self.plants(Defect::NoPacing)
    }

    /// Song and position go through the log.
    pub(super) fn replicates(self) -> bool {
        !self.plants(Defect::SingleServer)
    }

    /// Where a new leader resumes: at the replicated position. `ran_us` is how long ago that was,
    /// `frame_us` how long a frame lasts.
    pub(super) fn resume_at(self, position: u32, ran_us: u64, frame_us: u64) -> u32 {
        if self.plants(Defect::RestartFromZero) {
            return 0;
        }
        if self.plants(Defect::ResumeLive) {
            return position.saturating_add((ran_us / frame_us.max(1)) as u32);
        }
        position
    }

    /// Only the leader sends.
    pub(super) fn stops_when_deposed(self) -> bool {
        !self.plants(Defect::OldLeaderStreams)
    }

    /// Attempts to find a leader are further and further apart.
    pub(super) fn backs_off(self) -> bool {
        !self.plants(Defect::EagerReconnect)
    }

    /// A frame whose digest does not fit is thrown away.
    pub(super) fn verifies_frames(self) -> bool {
        !self.plants(Defect::NoDigest)
    }

    /// The last frame is as long as what is left.
    pub(super) fn last_frame_is_short(self) -> bool {
        !self.plants(Defect::PaddedLastFrame)
    }

    /// A listener asks for what it lacks.
    pub(super) fn asks_again(self) -> bool {
        !self.plants(Defect::NoRetransmission)
    }

    /// 65,535 is followed by 0.
    pub(super) fn sequence_numbers_wrap(self) -> bool {
        !self.plants(Defect::NoWrap)
    }

    /// The next jitter estimate, in sixteenths of a microsecond.
    pub(super) fn next_jitter(self, scaled: i64, apart_us: i64) -> i64 {
        if self.plants(Defect::JitterGain) {
            scaled.saturating_add(apart_us)
        } else {
            next_jitter(scaled, apart_us)
        }
    }

    /// Playing begins when so many frames are there.
    pub(super) fn depth_to_begin(self, target: u32) -> u32 {
        if self.plants(Defect::NoJitterBuffer) { 1 } else { target }
    }

    /// What comes after its time is not played.
    pub(super) fn drops_late_frames(self) -> bool {
        !self.plants(Defect::LateFramesPlayed)
    }

    /// The playhead waits while there is nothing to play.
    pub(super) fn playhead_waits(self) -> bool {
        !self.plants(Defect::PlayheadRunsOn)
    }

    /// Frames too far ahead of the playhead are not taken in.
    pub(super) fn bounds_buffer(self) -> bool {
        !self.plants(Defect::UnboundedBuffer)
    }

    /// A second copy counts as a duplicate and nothing else.
    pub(super) fn counts_duplicates_apart(self) -> bool {
        !self.plants(Defect::DuplicatesCounted)
    }
}
