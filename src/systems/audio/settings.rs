//! `[audio]`: what a scenario can choose, and the songs that it names.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use xxhash_rust::xxh3::xxh3_64;

use super::checksum::Checksum;
use super::decode::{Damage, decode};
use super::defects::Planted;
use super::song::Cut;
use crate::scenario::{Input, Section, Settings, show_duration};
use crate::systems::raft::{RaftSettings, judge_timeouts};
use crate::{choices, settings};

choices! {
    /// What a player puts in place of a missing frame.
    pub enum Concealment {
        /// The last frame again, each time half as loud.
        Repeat "repeat",
        /// Nothing.
        Silence "silence",
    }
}

/// A song of the scenario.
#[derive(Clone, PartialEq)]
pub struct Source {
    /// The file.
    pub file: Input,
    /// What it sounds like.
    pub cut: Arc<Cut>,
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} {:?} in {} frames", self.file, self.cut.song, self.cut.len())
    }
}

settings! {
    /// The section's values.
    #[derive(Clone, Debug)]
    pub struct AudioSettings {
        /// The songs, as files (.wav, .mp3 or .ogg) beside the scenario or below its folder. Each
        /// uploader takes the next one, over and over.
        files as "songs": Vec<Input> = inputs(),
        /// The part of each song that is played. Uploads are of whole files.
        play: (Duration, Duration) = durations(("0s", "10min"), "0s"..="10min"),
        /// How long a frame lasts; the last one may be shorter.
        frame: Duration = duration("20ms", "1ms"..="1s"),
        /// The songs that could be decoded.
        songs: Vec<Source> = with(|section, _, _| {
            files.iter().filter_map(|file| source(section, file, frame, play)).collect()
        }),
        /// What is heard in place of a missing frame: the last one again, each time half as loud,
        /// or nothing.
        concealment: Concealment = choice(Concealment::Repeat),
        /// The checksum that protects frames and uploads on the wire: XXH3 with 64 bits, or the
        /// CRC-32 of zlib, which every language has.
        checksum: Checksum = choice(Checksum::Xxh3),
        /// Planted defects, by name.
        planted as "defects": Planted = planted(),
        /// When uploads begin, by the clock of each uploader.
        upload_at: Duration = duration("500ms", "0s"..="1h"),
        /// How long an uploader waits for a silent server before it turns to another.
        upload_timeout: Duration = duration("1s", "1ms"..="1h"),
        /// Bytes of a song in one command of the replicated log.
        piece: usize = integer(4_096, 1_024..=65_536),
        /// How often the leader replicates the playout position. A new leader sends again what was
        /// played since the last one.
        position_interval: Duration = duration("100ms", "1ms"..="1h"),
        /// How much a leader sends immediately when it begins or resumes, so that it does not lose
        /// time on what listeners already have.
        burst: Duration = duration("200ms", "0s"..="10s"),
        /// How much a listener has in its jitter buffer before it begins to play.
        target_depth: Duration = duration("200ms", "1ms"..="1min"),
        /// How far ahead of its playhead a listener accepts frames.
        buffer_max: Duration = duration("1s", "1ms"..="2min"),
        /// How long a listener in the middle of a song hears nothing before it asks all streamers;
        /// it then waits twice as long each time, up to 1 s.
        silence: Duration = duration("100ms", "1ms"..="1h"),
        /// How often a listener tells its source that it is there; a streamer forgets it after
        /// three times as long.
        keepalive: Duration = duration("1s", "1ms"..="1h"),
        /// How long a listener waits for a missing frame before it asks for it, and before it asks
        /// again.
        nack_interval: Duration = duration("20ms", "1ms"..="10s"),
        /// The sequence number of the first frame of each session. Left out, it is drawn.
        first_sequence: Option<u16> = optional_integer(0..=u16::MAX),
        /// The settings of the replicated log.
        raft: Arc<RaftSettings> = with(|section, _, _| {
            Arc::new(LogSettings::read(section).for_songs(&songs))
        }),
    }
}

settings! {
    /// What a scenario can choose about the replicated log of the streamers.
    #[derive(Clone, Debug)]
    struct LogSettings {
        /// How often the leader of the streamers sends heartbeats.
        heartbeat_interval: Duration = duration("50ms", "1ms"..="1h"),
        /// How long a streamer waits to hear from a leader before it starts an election, drawn anew
        /// each time.
        election_timeout: (Duration, Duration) = durations(("150ms", "300ms"), "1ms"..="1h"),
        /// How many entries a streamer applies after a snapshot before it takes the next one; 0
        /// means never. Snapshots hold the songs.
        snapshot_threshold: u64 = integer(500, 0..=1_000_000_000),
    }
}

impl LogSettings {
    fn for_songs(self, songs: &[Source]) -> RaftSettings {
        RaftSettings {
            heartbeat_interval: self.heartbeat_interval,
            election_timeout: self.election_timeout,
            snapshot_threshold: self.snapshot_threshold,
            snapshot_chunk: snapshot_chunk(songs),
            // Commands say themselves what they continue, so none takes effect twice.
            sessions: false,
            ..RaftSettings::default()
        }
    }
}

impl AudioSettings {
    /// What a file sounds like. Those of the scenario are known already; to decode one is a pure
    /// function of its bytes.
    pub fn cut_of(&self, bytes: &[u8]) -> Option<Arc<Cut>> {
        let digest = xxh3_64(bytes);
        if let Some(source) = self.songs.iter().find(|source| source.file.digest == digest) {
            return Some(source.cut.clone());
        }
        let decoded = decode(bytes, self.play.1, Damage::Skip).ok()?;
        Some(Arc::new(Cut::new(decoded.song, self.frame, self.play)))
    }

    /// How many frames last so long, at least one.
    pub fn frames_in(&self, time: Duration) -> u32 {
        (time.as_nanos() / self.frame.as_nanos().max(1)).clamp(1, u128::from(u16::MAX)) as u32
    }
}

/// How many pieces a snapshot has, unless they would be too large for a message.
const SNAPSHOT_PIECES: usize = 256;
/// No more than the log sends at once: 16 entries of the usual size.
const SNAPSHOT_CHUNK_MAX: usize = 65_536;

/// Read the section.
pub fn read(section: &mut Section<'_>) -> Arc<dyn Settings> {
    let settings = AudioSettings::read(section);
    complain(section, &settings);
    Arc::new(settings)
}

/// Bytes of a snapshot in one message. Snapshots hold the songs, and each piece waits for the
/// answer to the one before it: with pieces of one size, a server would need the longer to catch up
/// the larger the songs are, and with large songs longer than a run lasts.
fn snapshot_chunk(songs: &[Source]) -> usize {
    let bytes: usize = songs.iter().map(|song| song.file.bytes.len()).sum();
    bytes
        .div_ceil(SNAPSHOT_PIECES)
        .clamp(RaftSettings::default().snapshot_chunk, SNAPSHOT_CHUNK_MAX)
}

fn complain(section: &Section<'_>, settings: &AudioSettings) {
    judge_timeouts(section, &settings.raft);
    if settings.buffer_max < settings.target_depth + settings.frame {
        section.contradiction(
            &["buffer_max", "target_depth", "frame"],
            "`audio.buffer_max` must hold `audio.target_depth` and a frame",
            format!(
                "the buffer holds {}, and playing begins at {} and a frame of {}",
                show_duration(settings.buffer_max),
                show_duration(settings.target_depth),
                show_duration(settings.frame)
            ),
            &format!(
                "write buffer_max = \"{}\" or more; several times the target depth is usual, so \
                    that a burst after a failover finds room",
                show_duration(settings.target_depth + settings.frame)
            ),
        );
    }
}

/// The names of files that the original assignment takes, and what they hold.
const KINDS: [(&str, &str); 3] = [("wav", "wave"), ("mp3", "mp3"), ("ogg", "ogg")];

/// Decode a song; what is wrong with it is noted at the key `songs`.
fn source(
    section: &Section<'_>,
    file: &Input,
    frame: Duration,
    play: (Duration, Duration),
) -> Option<Source> {
    let name = file.path.rsplit('/').next().unwrap_or_default().to_owned();
    let refuse = |found: String, hint: &str| {
        section.contradiction(&["songs"], &format!("`{name}` cannot be played"), found, hint);
    };
    let extension = name
        .rsplit_once('.')
        .map(|(_, extension)| extension.to_ascii_lowercase())
        .unwrap_or_default();
    let Some((_, kind)) = KINDS.iter().find(|(known, _)| *known == extension) else {
        refuse(
            "not .wav, .mp3 or .ogg".into(),
            "name a WAV, MP3 or Ogg Vorbis file whose name ends in .wav, .mp3 or .ogg",
        );
        return None;
    };
    let decoded = match decode(&file.bytes, play.1, Damage::Refuse) {
        Ok(decoded) => decoded,
        Err(why) => {
            refuse(
                why,
                "fetch the file again from where it came, or encode it again: it may have been cut \
                    short or changed on its way",
            );
            return None;
        }
    };
    if decoded.format != *kind {
        refuse(
            format!("the name says {extension}, the content is {}", decoded.format),
            "give the file the extension of what it holds",
        );
        return None;
    }
    let cut = Cut::new(decoded.song, frame, play);
    if cut.is_empty() {
        let found =
            format!("`play` begins at {}, and the song is over by then", show_duration(play.0));
        refuse(found, "let `play` begin within the song, as in play = [\"0s\", \"10s\"]");
        return None;
    }
    Some(Source { file: file.clone(), cut: Arc::new(cut) })
}
