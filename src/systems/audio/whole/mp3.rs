//! MP3 (ISO 11172-3, 13818-3): frames whose headers say how long they are, so that each is followed
//! by the next until the tags or the end.
//!
//! That finds bytes that are missing, inserted or zeroed, and changes of the headers. *What MP3
//! cannot show*: it has no checksum of the sound, so a byte that is changed within a frame is
//! decoded to a crackle; and whole frames can be missing, at the end or in the middle. Both are
//! found where the encoder began the file with a frame that is no sound but says how many follow
//! (Xing, Info, VBRI), and what their checksum is (LAME's extension of it).

use std::ops::Range;

use symphonia::core::checksum::Crc16AnsiLe;
use symphonia::core::io::Monitor;

use super::{Defect, array, before_tags};

/// kbit/s of layer III by the index in the header, from 1 on: MPEG-1, and MPEG-2 and 2.5.
const BITRATES: [[usize; 14]; 2] = [
    [32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320],
    [8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160],
];
const RATES: [usize; 3] = [44_100, 48_000, 32_000];

/// Of a header, what no encoder changes from frame to frame: the mark, version, layer, whether
/// there is a checksum, and the rate.
const CONSTANT: u32 = 0xffff_0c00;
/// The channel mode; one channel is mode 3.
const MODE: u32 = 0xc0;

/// LAME's extension up to its own checksum, and where in it the length and the checksum of the
/// sound stand.
const LAME_BYTES: usize = 36;
const LAME_LENGTH: usize = 28;
const LAME_SOUND: usize = 32;
const LAME_OWN: usize = 34;

pub fn judge(bytes: &[u8]) -> Result<(), Defect> {
    let begin = after_tags(bytes)?;
    let end = before_tags(bytes).max(begin);
    let first = header(bytes, begin)
        .ok_or_else(|| Defect::new(begin, "no frame begins here, where the first should"))?;
    let (mut at, mut frames) = (begin, 0_u32);
    while at < end {
        let next = header(&bytes[..end], at)
            .filter(|next| next & CONSTANT == first & CONSTANT && is_mono(*next) == is_mono(first));
        let Some(length) = next.and_then(frame_bytes) else {
            // Some tools fill the end with zeroes. More than a frame of them was a part of the song
            // once.
            let filled = bytes[at..end].iter().all(|byte| *byte == 0)
                && frame_bytes(first).is_some_and(|length| end - at < length);
            return if filled {
                count(bytes, begin..at, frames)
            } else {
                Err(Defect::new(at, format!("no frame follows frame {frames} here")))
            };
        };
        frames += 1;
        if at + length > end {
            return Err(Defect::new(
                at,
                format!(
                    "frame {frames}, which begins here, has {} of its {length} bytes",
                    end - at
                ),
            ));
        }
        at += length;
    }
    count(bytes, begin..end, frames)
}

/// Whether the file says how many frames it has, and with that where its last sound ends within the
/// last of them.
pub fn notes_length(bytes: &[u8]) -> bool {
    after_tags(bytes).is_ok_and(|begin| first_frame(bytes, begin).and_then(frames_said).is_some())
}

/// ID3v2 at the head says how long it is, in seven bits of each byte; some tools leave zeroes
/// behind it.
fn after_tags(bytes: &[u8]) -> Result<usize, Defect> {
    let mut at = 0;
    while let Some([b'I', b'D', b'3', _, _, flags, a, b, c, d]) = array::<10>(bytes, at) {
        let body = [a, b, c, d].iter().fold(0, |sum, byte| sum << 7 | usize::from(byte & 0x7f));
        let footer = if flags & 0x10 != 0 { 10 } else { 0 };
        at += 10 + body + footer;
        if at > bytes.len() {
            return Err(Defect::new(bytes.len(), "it ends within the tags at its head"));
        }
    }
    Ok(at + bytes[at..].iter().take_while(|byte| **byte == 0).count())
}

fn header(bytes: &[u8], at: usize) -> Option<u32> {
    let header = u32::from_be_bytes(array(bytes, at)?);
    frame_bytes(header).map(|_| header)
}

fn first_frame(bytes: &[u8], begin: usize) -> Option<&[u8]> {
    header(bytes, begin).and_then(frame_bytes).and_then(|length| bytes.get(begin..begin + length))
}

fn is_mono(header: u32) -> bool {
    header & MODE == MODE
}

fn is_mpeg1(header: u32) -> bool {
    header >> 19 & 3 == 3
}

/// Bytes of the frame with its header; `None` where this is the header of no frame of layer III.
fn frame_bytes(header: u32) -> Option<usize> {
    let (version, layer) = (header >> 19 & 3, header >> 17 & 3);
    if header >> 21 != 0x7ff || layer != 1 || version == 1 {
        return None;
    }
    let index = (header >> 12 & 15) as usize;
    let bitrate = BITRATES[usize::from(!is_mpeg1(header))].get(index.checked_sub(1)?)?;
    let rate = RATES.get((header >> 10 & 3) as usize)? >> [2, 0, 1, 0][version as usize];
    let factor = if is_mpeg1(header) { 144_000 } else { 72_000 };
    Some(factor * bitrate / rate + (header >> 9 & 1) as usize)
}

/// Compare what the frame that is no sound says with the frames that are there: it and those behind
/// it.
fn count(bytes: &[u8], sound: Range<usize>, frames: u32) -> Result<(), Defect> {
    let Some(info) = header(bytes, sound.start)
        .and_then(frame_bytes)
        .and_then(|length| bytes.get(sound.start..sound.start + length))
    else {
        return Ok(());
    };
    let Some(said) = frames_said(info) else { return Ok(()) };
    // Encoders differ in whether they count that frame, too.
    if said.abs_diff(frames - 1) > 1 {
        return Err(Defect::new(
            sound.end,
            format!("its head says {said} frames, and {} are there", frames - 1),
        ));
    }
    match lame_checksum(info, sound.len()) {
        // What changes the volume of the frames where they stand leaves the checksum as it was, and
        // a note in the tags.
        Some(_)
            if mentions(&bytes[..sound.start], b"MP3GAIN")
                || mentions(&bytes[sound.end..], b"MP3GAIN") =>
        {
            Ok(())
        }
        Some(checksum) if checksum != crc(&bytes[sound.start + info.len()..sound.end]) => {
            Err(Defect::new(
                sound.start + info.len(),
                "the sound from here on does not have the checksum that its encoder noted",
            ))
        }
        _ => Ok(()),
    }
}

/// Where the fields behind the side information of an empty frame begin.
fn info_at(info: &[u8]) -> Option<usize> {
    let header = u32::from_be_bytes(array(info, 0)?);
    let at = 4 + match (is_mpeg1(header), is_mono(header)) {
        (true, false) => 32,
        (false, true) => 9,
        _ => 17,
    };
    matches!(&array::<4>(info, at)?, b"Xing" | b"Info").then_some(at + 4)
}

fn frames_said(info: &[u8]) -> Option<u32> {
    if array::<4>(info, 36)? == *b"VBRI" {
        return array(info, 50).map(u32::from_be_bytes);
    }
    let at = info_at(info)?;
    let flags = u32::from_be_bytes(array(info, at)?);
    (flags & 1 != 0).then(|| array(info, at + 4).map(u32::from_be_bytes))?
}

/// The checksum of the sound, where the extension is there, is undamaged and speaks of a file of
/// this length.
fn lame_checksum(info: &[u8], sound_bytes: usize) -> Option<u16> {
    let at = info_at(info)?;
    let flags = u32::from_be_bytes(array(info, at)?);
    let fields: usize = [(1, 4), (2, 4), (4, 100), (8, 4)]
        .iter()
        .filter(|(flag, _)| flags & flag != 0)
        .map(|(_, bytes)| bytes)
        .sum();
    let lame = at + 4 + fields;
    let extension: [u8; LAME_BYTES] = array(info, lame)?;
    let half = |at| array(&extension, at).map(u16::from_be_bytes);
    let length = array(&extension, LAME_LENGTH).map(u32::from_be_bytes)?;
    (half(LAME_OWN)? == crc(&info[..lame + LAME_OWN]) && length as usize == sound_bytes)
        .then_some(half(LAME_SOUND)?)
}

fn crc(bytes: &[u8]) -> u16 {
    let mut crc = Crc16AnsiLe::new(0);
    crc.process_buf_bytes(bytes);
    crc.crc()
}

fn mentions(bytes: &[u8], word: &[u8]) -> bool {
    bytes.windows(word.len()).any(|each| each == word)
}
