//! Whether a file of sound is whole, by what it says of itself.
//!
//! Players, and the crate that decodes here, leave out what they cannot read, and a damaged song is
//! merely shorter. So each container is walked from its first byte to its last before anything is
//! decoded. How much that finds depends on the format: an Ogg page has a checksum, a number and a
//! mark on the last one, so all is found; a WAV file says its length and has nothing for the
//! samples; MP3 has headers that must follow each other without a gap, and more only where the
//! encoder left it.

mod mp3;
mod ogg;
mod wave;

use std::fmt;

/// What is wrong, and where.
#[derive(Debug, PartialEq, Eq)]
struct Defect {
    /// The byte at which it is seen.
    at: usize,
    what: String,
}

impl Defect {
    fn new(at: usize, what: impl fmt::Display) -> Defect {
        Defect { at, what: what.to_string() }
    }
}

/// Judge a file of one of the formats that [`super::Decoded`] names. The error says what is wrong,
/// and at which byte.
pub fn judge(format: &str, bytes: &[u8]) -> Result<(), String> {
    let judged = match format {
        "wave" => wave::judge(bytes),
        "mp3" => mp3::judge(bytes),
        "ogg" => ogg::judge(bytes),
        _ => Ok(()),
    };
    judged.map_err(|Defect { at, what }| {
        format!("it is damaged at byte {at} of {}: {what}", bytes.len())
    })
}

/// Whether a file says itself how long it is. Of an MP3 that does not, the crate that decodes
/// estimates it by the first frames, and leaves out what is behind that: of a file with a variable
/// bit rate perhaps a part of the song.
pub fn notes_length(format: &str, bytes: &[u8]) -> bool {
    format != "mp3" || mp3::notes_length(bytes)
}

/// The bytes of an array at this place, if they are all there.
fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}

/// The tags that may stand behind the sound of any format, last ones first: ID3v1, Lyrics3, APE.
/// Returns where they begin.
fn before_tags(bytes: &[u8]) -> usize {
    let mut end = bytes.len();
    loop {
        let shown = &bytes[..end];
        let tag = id3v1(shown).or_else(|| lyrics(shown)).or_else(|| ape(shown));
        match tag.and_then(|length| end.checked_sub(length)) {
            Some(begin) => end = begin,
            None => return end,
        }
    }
}

/// ID3v1: 128 bytes, and 227 before them where a tool extended it.
fn id3v1(bytes: &[u8]) -> Option<usize> {
    let starts = |length: usize, mark: &[u8]| {
        bytes.len().checked_sub(length).is_some_and(|at| bytes[at..].starts_with(mark))
    };
    starts(128, b"TAG").then(|| if starts(355, b"TAG+") { 355 } else { 128 })
}

/// Lyrics3 v2: the length of all before it in six digits, then its mark.
fn lyrics(bytes: &[u8]) -> Option<usize> {
    let digits = bytes.strip_suffix(b"LYRICS200")?.last_chunk::<6>()?;
    Some(std::str::from_utf8(digits).ok()?.parse::<usize>().ok()? + 15)
}

/// APE: a footer of 32 bytes that counts itself and the items, and perhaps a header of 32 more.
fn ape(bytes: &[u8]) -> Option<usize> {
    let footer = bytes.last_chunk::<32>()?;
    let length = u32::from_le_bytes(array(footer, 12)?) as usize;
    let header = if u32::from_le_bytes(array(footer, 20)?) >> 31 == 1 { 32 } else { 0 };
    (footer.starts_with(b"APETAGEX") && length >= 32).then_some(length + header)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each tag is found behind each other one, and what only looks like the beginning of one is
    /// sound.
    #[test]
    fn tags_behind_the_sound_are_found() {
        let id3v1 = [&b"TAG"[..], &[0; 125]].concat();
        let lyrics = b"LYRICSBEGININD0000210000022LYRICS200".to_vec();
        let mut ape =
            [&b"APETAGEX"[..], &2_000_u32.to_le_bytes(), &40_u32.to_le_bytes(), &[0; 16]].concat();
        ape = [&b"12345678"[..], &ape].concat();
        let lyrics_length = lyrics.len() - 15;
        assert_eq!(lyrics_length, 21);
        let lyrics = [&lyrics[..lyrics_length], b"000021LYRICS200"].concat();
        for tags in [
            vec![&id3v1],
            vec![&lyrics, &id3v1],
            vec![&ape, &id3v1],
            vec![&ape],
            vec![&ape, &lyrics, &id3v1],
        ] {
            let file =
                [&b"sound"[..], &tags.into_iter().flatten().copied().collect::<Vec<u8>>()].concat();
            assert_eq!(before_tags(&file), 5);
        }
        assert_eq!(before_tags(b"TAG"), 3);
        assert_eq!(before_tags(b"999999LYRICS200"), 15, "longer than the file");
    }
}
