//! What each listener heard, as WAV: made from the trace and the songs alone, so that a stored
//! report can be listened to.
//!
//! A frame that was played is in the file sample by sample. Where a listener played samples that
//! nobody had sent, the trace holds them. A gap is what the setting `concealment` says.

use std::collections::BTreeMap;
use std::io::Cursor;

use super::settings::{AudioSettings, Concealment, Source};
use super::song::Cut;
use crate::systems::Artifact;
use crate::trace::{Event, NodeId, Trace};

/// Samples of one file at the most: a listener that waits for days makes no file of a gigabyte.
const SAMPLES_MAX: usize = 64 << 20;

/// Gaps of one size after which nothing is left of the last frame.
const FADED: u32 = 15;

/// A file in the making.
struct Playback<'a> {
    source: &'a Source,
    /// Which frame has a digest; that of the same number first, of those that sound alike.
    frames: BTreeMap<u64, u32>,
    samples: Vec<i16>,
    last: Vec<i16>,
    concealed: u32,
}

/// The files: one for each listener and session, `listener1-session1.wav`.
pub fn heard(settings: &AudioSettings, trace: &Trace) -> Vec<Artifact> {
    let mut sources: BTreeMap<u64, &Source> = BTreeMap::new();
    let mut sessions: BTreeMap<i64, &Source> = BTreeMap::new();
    let mut files: BTreeMap<(NodeId, i64), Playback<'_>> = BTreeMap::new();
    for event in &trace.events {
        let fields = &event.fields;
        match event.name.as_ref() {
            "source" => {
                let (Some(upload), Some(digest)) = (fields.hash("upload"), fields.hash("digest"))
                else {
                    continue;
                };
                if let Some(source) =
                    settings.songs.iter().find(|source| source.file.digest == digest)
                {
                    sources.insert(upload, source);
                }
            }
            "stored" => {
                let (Some(session), Some(upload)) = (fields.int("session"), fields.hash("upload"))
                else {
                    continue;
                };
                if let Some(source) = sources.get(&upload) {
                    sessions.insert(session, source);
                }
            }
            "play" | "conceal" => {
                let Some(source) = fields.int("session").and_then(|session| sessions.get(&session))
                else {
                    continue;
                };
                let key = (event.node, fields.int("session").unwrap_or(0));
                files
                    .entry(key)
                    .or_insert_with(|| Playback::new(source))
                    .hear(event, settings.concealment);
            }
            _ => {}
        }
    }
    let name =
        |(node, session): (NodeId, i64)| format!("{}-session{session}.wav", trace.name(node));
    files
        .into_iter()
        .filter(|((node, _), _)| node.index() < trace.nodes.len())
        .map(|(key, file)| (name(key), file.write()))
        .collect()
}

impl<'a> Playback<'a> {
    fn new(source: &'a Source) -> Playback<'a> {
        let cut: &Cut = &source.cut;
        let frames = (0..cut.len())
            .rev()
            .filter_map(|frame| Some((cut.info(frame)?.digest, frame)))
            .collect();
        Playback { source, frames, samples: vec![], last: vec![], concealed: 0 }
    }

    fn hear(&mut self, event: &Event, concealment: Concealment) {
        if self.samples.len() > SAMPLES_MAX {
            return;
        }
        if event.name == "conceal" {
            self.conceal(concealment);
            return;
        }
        let cut: &Cut = &self.source.cut;
        let numbered = event.fields.int("frame").and_then(|frame| u32::try_from(frame).ok());
        let digest = event.fields.hash("digest");
        let same = numbered
            .filter(|frame| cut.info(*frame).map(|info| info.digest) == digest && digest.is_some());
        let found = same.or_else(|| self.frames.get(&digest?).copied());
        self.last = match (event.fields.text("bytes").and_then(unhex), found) {
            (Some(bytes), _) => samples(&bytes),
            (None, Some(frame)) => samples(cut.bytes(frame)),
            // A song that was stored otherwise than it was sent: its samples are nowhere in the
            // trace.
            (None, None) => vec![0; self.frame_len()],
        };
        self.concealed = 0;
        self.samples.extend_from_slice(&self.last);
    }

    fn frame_len(&self) -> usize {
        self.source.cut.frame_samples as usize * usize::from(self.source.cut.song.channels)
    }

    fn conceal(&mut self, concealment: Concealment) {
        self.concealed = (self.concealed + 1).min(FADED);
        let (len, shift) = (self.frame_len(), self.concealed);
        let repeats = concealment == Concealment::Repeat && shift < FADED && !self.last.is_empty();
        if repeats {
            self.samples.extend(self.last.iter().cycle().take(len).map(|sample| sample >> shift));
        } else {
            self.samples.extend(std::iter::repeat_n(0, len));
        }
    }

    fn write(self) -> Vec<u8> {
        wav(self.source.cut.song.rate, self.source.cut.song.channels, &self.samples)
    }
}

/// Samples as a WAV file.
pub fn wav(rate: u32, channels: u16, samples: &[i16]) -> Vec<u8> {
    let spec = hound::WavSpec {
        channels,
        sample_rate: rate,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut file = Cursor::new(Vec::with_capacity(samples.len() * 2 + 44));
    let mut writer = hound::WavWriter::new(&mut file, spec).expect("memory takes every byte");
    for sample in samples {
        writer.write_sample(*sample).expect("memory takes every byte");
    }
    writer.finalize().expect("memory takes every byte");
    file.into_inner()
}

fn samples(bytes: &[u8]) -> Vec<i16> {
    bytes.as_chunks::<2>().0.iter().map(|sample| i16::from_le_bytes(*sample)).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |digit: u8| char::from(digit).to_digit(16).map(|value| value as u8);
    text.as_bytes()
        .chunks(2)
        .map(|pair| Some(digit(*pair.first()?)? << 4 | digit(*pair.get(1)?)?))
        .collect()
}
