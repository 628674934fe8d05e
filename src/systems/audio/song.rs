//! A song as samples, and its cut into frames of equal length.

use std::fmt;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use xxhash_rust::xxh3::xxh3_64;

/// Decoded sound: 16-bit samples, channels interleaved, little-endian.
#[derive(Clone, PartialEq, Eq)]
pub struct Song {
    /// Samples a second of each channel.
    pub rate: u32,
    /// Channels.
    pub channels: u16,
    /// The samples.
    pub pcm: Arc<[u8]>,
}

/// Bytes of a sample.
pub const SAMPLE_BYTES: usize = 2;

impl Song {
    /// Bytes of one sample of all channels.
    pub fn block(&self) -> usize {
        SAMPLE_BYTES * usize::from(self.channels.max(1))
    }

    /// XXH3 of the samples.
    pub fn digest(&self) -> u64 {
        xxh3_64(&self.pcm)
    }

    /// The bytes from the beginning to this time, a whole number of samples.
    fn offset(&self, time: Duration) -> usize {
        let samples = u128::from(self.rate) * time.as_nanos() / 1_000_000_000;
        let most = self.pcm.len() / self.block();
        usize::try_from(samples).unwrap_or(most).min(most) * self.block()
    }
}

impl fmt::Debug for Song {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Song({} Hz, {} channels, {} bytes, #{:016x})",
            self.rate,
            self.channels,
            self.pcm.len(),
            self.digest()
        )
    }
}

/// What is known of a frame besides its samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameInfo {
    /// XXH3 of its bytes.
    pub digest: u64,
    /// Its loudest sample, 0 to 32,768.
    pub peak: u16,
}

/// The part of a song that is played, cut into frames. Only the last frame may be shorter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The song.
    pub song: Song,
    /// The part that is played, in bytes of the samples.
    part: Range<usize>,
    /// Samples of a frame in each channel, at least 1.
    pub frame_samples: u32,
    /// Its frames.
    frames: Vec<FrameInfo>,
}

impl Cut {
    /// Cut what lies between two times of a song.
    pub fn new(song: Song, frame: Duration, play: (Duration, Duration)) -> Cut {
        let frame_samples =
            (u128::from(song.rate) * frame.as_nanos() / 1_000_000_000).clamp(1, 1 << 20) as u32;
        let part = song.offset(play.0)..song.offset(play.1);
        let bytes = frame_samples as usize * song.block();
        let frames = song.pcm[part.clone()].chunks(bytes).map(info).collect();
        Cut { song, part, frame_samples, frames }
    }

    /// How many frames there are.
    pub fn len(&self) -> u32 {
        self.frames.len() as u32
    }

    /// Whether nothing is to be played.
    pub fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    /// Digest and peak of a frame.
    pub fn info(&self, frame: u32) -> Option<FrameInfo> {
        self.frames.get(frame as usize).copied()
    }

    /// Where a frame lies in the samples of the song; empty for one that there is not.
    pub fn range(&self, frame: u32) -> Range<usize> {
        let bytes = self.frame_samples as usize * self.song.block();
        let from = (self.part.start + frame as usize * bytes).min(self.part.end);
        from..(from + bytes).min(self.part.end)
    }

    /// The samples of a frame.
    pub fn bytes(&self, frame: u32) -> &[u8] {
        &self.song.pcm[self.range(frame)]
    }

    /// How long a frame lasts.
    pub fn frame_time(&self) -> Duration {
        frame_time(self.frame_samples, self.song.rate)
    }
}

/// How long so many samples last.
pub fn frame_time(samples: u32, rate: u32) -> Duration {
    Duration::from_nanos(u64::from(samples) * 1_000_000_000 / u64::from(rate.max(1)))
}

fn info(bytes: &[u8]) -> FrameInfo {
    FrameInfo { digest: xxh3_64(bytes), peak: peak(bytes) }
}

/// The loudest sample of some bytes.
pub fn peak(bytes: &[u8]) -> u16 {
    let samples = bytes.as_chunks::<SAMPLE_BYTES>().0;
    samples.iter().map(|sample| i16::from_le_bytes(*sample).unsigned_abs()).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 8,000 samples a second make 160 of them in 20 ms; what is left over is a frame of its own,
    /// and not padded.
    #[test]
    fn only_the_last_frame_is_shorter() {
        let song =
            Song { rate: 8_000, channels: 1, pcm: (0..2 * 1_000).map(|i| i as u8).collect() };
        let cut = Cut::new(
            song.clone(),
            Duration::from_millis(20),
            (Duration::ZERO, Duration::from_secs(9)),
        );
        let lengths: Vec<usize> = (0..=cut.len()).map(|frame| cut.bytes(frame).len()).collect();
        assert_eq!(lengths, [320, 320, 320, 320, 320, 320, 80, 0]);
        let whole: Vec<u8> = (0..cut.len()).flat_map(|frame| cut.bytes(frame).to_vec()).collect();
        assert_eq!(whole, song.pcm.to_vec());
        assert_eq!(cut.frame_time(), Duration::from_millis(20));
    }

    /// The loudest negative sample has no positive counterpart of 16 bits.
    #[test]
    fn the_peak_of_the_least_sample_does_not_overflow() {
        assert_eq!(peak(&i16::MIN.to_le_bytes()), 32_768);
    }
}
