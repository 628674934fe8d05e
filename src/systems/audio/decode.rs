//! From the bytes of a file to samples: WAV, MP3 and Ogg Vorbis, by the crate `symphonia`.
//!
//! The decoder is pure Rust and is built without its SIMD code, so that every processor computes
//! the same operations in the same order. What remains of the machine is the mathematical library
//! behind the sines and powers from which MP3 and Vorbis make their tables at the start: each is
//! computed in 64 bits and rounded to 32, which hides the last place in which libraries differ.
//! Samples are rounded to 16 bits in the end. A test pins the digests of all songs of the project;
//! WAV holds the samples themselves and needs none of this.

use std::io::{Cursor, ErrorKind};
use std::time::Duration;

use symphonia::core::codecs::audio::AudioDecoderOptions;
use symphonia::core::errors::Error;
use symphonia::core::formats::probe::Hint;
use symphonia::core::formats::{FormatOptions, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::meta::MetadataOptions;

use super::song::Song;
use super::whole;

/// Samples of all channels together that are kept at the most: ten minutes at 48,000 Hz in stereo.
const SAMPLES_MAX: usize = 58_000_000;

/// What a file holds, as far as it was asked for.
pub struct Decoded {
    /// The sound up to the time that was asked for.
    pub song: Song,
    /// `wave`, `mp3`, `ogg`.
    pub format: &'static str,
}

/// How to take what is damaged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// Give up, and say what is wrong, even behind the part that is asked for.
    Refuse,
    /// Leave it out, as a player does.
    Skip,
}

/// Decode the beginning of a file, up to `until`. The error says what is wrong with it.
pub fn decode(bytes: &[u8], until: Duration, damage: Damage) -> Result<Decoded, String> {
    if bytes.is_empty() {
        return Err("it is empty".into());
    }
    let source = MediaSourceStream::new(Box::new(Cursor::new(bytes.to_vec())), Default::default());
    let probed = symphonia::default::get_probe().probe(
        &Hint::new(),
        source,
        FormatOptions::default(),
        MetadataOptions::default(),
    );
    let mut format = probed.map_err(|_| "no WAV, MP3 or Ogg Vorbis is found in it".to_owned())?;
    let kind = format.format_info().short_name;
    if damage == Damage::Refuse {
        whole::judge(kind, bytes)?;
    }
    let track = format.default_track(TrackType::Audio).ok_or("it has no sound in it")?;
    let (id, params) = (track.id, track.codec_params.clone());
    let params =
        params.as_ref().and_then(|params| params.audio()).ok_or("it has no sound in it")?;
    let options = AudioDecoderOptions::default().gapless(whole::notes_length(kind, bytes));
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(params, &options)
        .map_err(|error| format!("its coding is not known: {error}"))?;
    let mut pcm: Vec<u8> = vec![];
    let mut samples: Vec<i16> = vec![];
    let mut spec: Option<(u32, u16)> = None;
    let damaged = |pcm: &[u8], spec: Option<(u32, u16)>, error: Error| {
        let (rate, channels) = spec.unwrap_or((1, 1));
        let second = pcm.len() as f64 / f64::from(rate) / f64::from(2 * channels);
        format!("it is damaged at second {second:.2}: {error}")
    };
    loop {
        let packet = match format.next_packet() {
            Ok(Some(packet)) => packet,
            Ok(None) => break,
            // A WAV that says no length, because it was written to a pipe, is over with its last
            // byte.
            Err(Error::IoError(error))
                if kind == "wave" && error.kind() == ErrorKind::UnexpectedEof =>
            {
                break;
            }
            Err(error) if damage == Damage::Refuse => return Err(damaged(&pcm, spec, error)),
            Err(_) => break,
        };
        if packet.track_id != id {
            continue;
        }
        let buffer = match decoder.decode(&packet) {
            Ok(buffer) => buffer,
            Err(Error::DecodeError(_)) if damage == Damage::Skip => continue,
            Err(error) if damage == Damage::Refuse => return Err(damaged(&pcm, spec, error)),
            Err(_) => break,
        };
        let found =
            (buffer.spec().rate(), u16::try_from(buffer.spec().channels().count()).unwrap_or(0));
        if *spec.get_or_insert(found) != found || found.0 == 0 || found.1 == 0 {
            return Err("its rate or its channels change on the way".into());
        }
        buffer.copy_to_vec_interleaved::<i16>(&mut samples);
        pcm.extend(samples.iter().flat_map(|sample| sample.to_le_bytes()));
        let wanted = u128::from(found.0) * until.as_nanos() / 1_000_000_000 * u128::from(found.1);
        if (pcm.len() / 2) as u128 >= wanted {
            pcm.truncate(2 * wanted as usize);
            break;
        }
        if pcm.len() / 2 > SAMPLES_MAX {
            return Err(format!("it has more than {SAMPLES_MAX} samples"));
        }
    }
    let (rate, channels) = spec.filter(|_| !pcm.is_empty()).ok_or("there is no sound in it")?;
    Ok(Decoded { song: Song { rate, channels, pcm: pcm.into() }, format: kind })
}
