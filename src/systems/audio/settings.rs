//! `[audio]`: what a scenario can choose, and the songs that it names.

use std::any::Any;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use xxhash_rust::xxh3::xxh3_64;

use super::checksum::Checksum;
use super::decode::{Damage, decode};
use super::defects::{self, Rules};
use super::song::Cut;
use crate::scenario::{Input, Section, Settings, show_duration};
use crate::systems::raft::{RaftSettings, judge_timeouts};

/// What a player puts in the place of a frame that it does not have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Concealment {
    /// The last frame again, each time half as loud.
    Repeat,
    /// Nothing.
    Silence,
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

/// The section's values.
#[derive(Clone, Debug)]
pub struct AudioSettings {
    /// The songs; uploader after uploader takes the next one, over and over.
    pub songs: Vec<Source>,
    /// The part of each song that is played.
    pub play: (Duration, Duration),
    /// How long a frame lasts.
    pub frame: Duration,
    /// When uploads begin.
    pub upload_at: Duration,
    /// An uploader turns to another server after such a silence.
    pub upload_timeout: Duration,
    /// Bytes of a song in one command of the log.
    pub piece: usize,
    /// How often the leader replicates the playout position.
    pub position_interval: Duration,
    /// Media time that a leader sends at once when it begins or resumes, so that buffers fill.
    pub burst: Duration,
    /// How much a listener has in its buffer before it begins to play.
    pub target_depth: Duration,
    /// How much it takes in at the most.
    pub buffer_max: Duration,
    /// A listener looks for another source after such a silence in the middle of a song.
    pub silence: Duration,
    /// How often a listener tells its source that it is there.
    pub keepalive: Duration,
    /// How long a listener waits for a missing frame before it asks, and asks again.
    pub nack_interval: Duration,
    /// What is heard in place of a missing frame.
    pub concealment: Concealment,
    /// The sequence number of each session's first frame; drawn where it is left out.
    pub first_sequence: Option<u16>,
    /// What protects frames and uploads on the wire.
    pub checksum: Checksum,
    /// The settings of the replicated log.
    pub raft: Arc<RaftSettings>,
    /// The planted mistakes.
    pub rules: Rules,
}

impl Settings for AudioSettings {
    fn as_any(&self) -> &dyn Any {
        self
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

const HOUR: Duration = Duration::from_secs(3_600);
const MS: Duration = Duration::from_millis(1);

/// Pieces of a snapshot, as long as they are not too large for a message.
const SNAPSHOT_PIECES: usize = 256;
/// No more than the log sends at once: 16 entries of the usual size.
const SNAPSHOT_CHUNK_MAX: usize = 65_536;

/// Read the section.
pub fn read(section: &mut Section<'_>) -> Arc<dyn Settings> {
    let ms = Duration::from_millis;
    let files = section.inputs(
        "songs",
        "The songs, as files (.wav, .mp3 or .ogg) beside the scenario or below its folder. Each \
            uploader takes the next one, over and over.",
    );
    let play = section.durations(
        "play",
        (Duration::ZERO, ms(600_000)),
        Duration::ZERO..=ms(600_000),
        "The part of each song that is played. Uploads are of whole files.",
    );
    let frame = section.duration(
        "frame",
        ms(20),
        MS..=ms(1_000),
        "How long a frame lasts; the last one may be shorter.",
    );
    let songs: Vec<Source> =
        files.into_iter().filter_map(|file| source(section, file, frame, play)).collect();
    let snapshot_chunk = snapshot_chunk(&songs);
    let raft = RaftSettings::default();
    let concealment = section.choice(
        "concealment",
        "repeat",
        &["repeat", "silence"],
        "What is heard in place of a missing frame: the last one again, each time half as loud, or \
            nothing.",
    );
    let checksum = section.choice(
        "checksum",
        "xxh3",
        &["xxh3", "crc32"],
        "By which checksum frames and uploads are protected on the wire: XXH3 with 64 bits, or the \
            CRC-32 of zlib, which every language has.",
    );
    let defects = section.words("defects", defects::NAMES, "Planted mistakes, by name.");
    let settings = AudioSettings {
        songs,
        play,
        frame,
        upload_at: section.duration(
            "upload_at",
            ms(500),
            Duration::ZERO..=HOUR,
            "When uploaders begin, by their own clocks.",
        ),
        upload_timeout: section.duration(
            "upload_timeout",
            ms(1_000),
            MS..=HOUR,
            "An uploader that hears nothing of a server for so long turns to another.",
        ),
        piece: section.integer(
            "piece",
            4_096,
            1_024..=65_536,
            "Bytes of a song in one command of the replicated log.",
        ) as usize,
        position_interval: section.duration(
            "position_interval",
            ms(100),
            MS..=HOUR,
            "How often the leader replicates the playout position. A new leader sends again what \
                lies between.",
        ),
        burst: section.duration(
            "burst",
            ms(200),
            Duration::ZERO..=ms(10_000),
            "How much a leader sends at once when it begins or resumes, so that what listeners \
                have already costs no time.",
        ),
        target_depth: section.duration(
            "target_depth",
            ms(200),
            MS..=ms(60_000),
            "How much a listener has in its jitter buffer before it begins to play.",
        ),
        buffer_max: section.duration(
            "buffer_max",
            ms(1_000),
            MS..=ms(120_000),
            "How far ahead of its playhead a listener takes in frames.",
        ),
        silence: section.duration(
            "silence",
            ms(100),
            MS..=HOUR,
            "A listener that hears nothing for so long in the middle of a song asks all streamers, \
                then after twice as long, up to 1 s.",
        ),
        keepalive: section.duration(
            "keepalive",
            ms(1_000),
            MS..=HOUR,
            "How often a listener tells its source that it is there; a streamer forgets it after \
                three times as long.",
        ),
        nack_interval: section.duration(
            "nack_interval",
            ms(20),
            MS..=ms(10_000),
            "How long a listener waits for a missing frame before it asks for it, and before it \
                asks again.",
        ),
        concealment: if concealment == "silence" {
            Concealment::Silence
        } else {
            Concealment::Repeat
        },
        first_sequence: section
            .optional_integer(
                "first_sequence",
                0..=65_535,
                "The sequence number of the first frame of each session. Left out, it is drawn.",
            )
            .map(|number| number as u16),
        checksum: if checksum == "crc32" { Checksum::Crc32 } else { Checksum::Xxh3 },
        raft: Arc::new(RaftSettings {
            heartbeat_interval: section.duration(
                "heartbeat_interval",
                raft.heartbeat_interval,
                MS..=HOUR,
                "How often the leader of the streamers shows itself.",
            ),
            election_timeout: section.durations(
                "election_timeout",
                raft.election_timeout,
                MS..=HOUR,
                "How long a streamer waits for a leader before it starts an election, drawn anew \
                    each time.",
            ),
            snapshot_threshold: section.integer(
                "snapshot_threshold",
                raft.snapshot_threshold,
                0..=1_000_000_000,
                "Entries applied since the last snapshot that make a streamer take another; 0 is \
                    never. Snapshots hold the songs.",
            ),
            snapshot_chunk,
            // Commands say themselves what they continue, so none takes effect twice.
            sessions: false,
            ..raft
        }),
        rules: Rules::with(defects.iter().map(String::as_str)),
    };
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
                "write buffer_max = \"{}\" or more; several times the target depth are usual, so \
                    that a burst after a failover finds room",
                show_duration(settings.target_depth + settings.frame)
            ),
        );
    }
}

/// The names of files that the original assignment takes, and what they hold.
const KINDS: [(&str, &str); 3] = [("wav", "wave"), ("mp3", "mp3"), ("ogg", "ogg")];

/// Decode a song; what is wrong with it is noted at `songs`.
fn source(
    section: &Section<'_>,
    file: Input,
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
                "take the file anew from where it came, or encode it anew: was it cut short, or \
                    changed on its way?",
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
    Some(Source { file, cut: Arc::new(cut) })
}
