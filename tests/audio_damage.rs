//! Damaged songs. A player skips what it cannot read; a testbed that did so would run with a
//! different song than intended. So damage is refused before anything runs, if the format reveals
//! it. If it does not (a changed byte within an MP3 frame or among the samples of a WAV), the song
//! keeps its length: nothing is silently shortened.

use std::fs;
use std::path::Path;
use std::time::Duration;

use seedbed::systems::audio::{Damage, decode};

fn song(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios/audio").join(name))
        .expect("readable")
}

/// The number of bytes of the decoded song, or what is wrong with it.
fn heard(bytes: &[u8]) -> Result<usize, String> {
    decode(bytes, Duration::from_secs(600), Damage::Refuse).map(|decoded| decoded.song.pcm.len())
}

/// The same for the first half second, which is quick; the whole container is checked all the same.
fn judged(bytes: &[u8]) -> Result<usize, String> {
    decode(bytes, Duration::from_millis(500), Damage::Refuse).map(|decoded| decoded.song.pcm.len())
}

const SONGS: [&str; 5] =
    ["melody.wav", "melody.mp3", "melody-eof-in-tag.mp3", "melody.ogg", "voice-es.ogg"];

fn refused(name: &str, how: &str, bytes: &[u8]) {
    match judged(bytes) {
        Ok(_) => panic!("{name}, {how}: accepted"),
        Err(why) => assert!(
            why.contains("damaged at byte") || why.contains("no WAV, MP3 or Ogg"),
            "{name}, {how}: {why}"
        ),
    }
}

/// Positions spread over the file, at a boundary only by chance.
fn places(bytes: &[u8], count: usize) -> impl Iterator<Item = usize> {
    let step = bytes.len() / (count + 1);
    (1..=count).map(move |place| place * step + place % 7)
}

/// An interrupted download.
#[test]
fn songs_that_are_cut_short_are_refused() {
    for name in SONGS {
        let bytes = song(name);
        for at in places(&bytes, 10) {
            refused(name, &format!("cut at {at}"), &bytes[..at]);
        }
        refused(name, "without its last byte", &bytes[..bytes.len() - 1]);
    }
}

/// A missing slice, an insertion, and a part that a disk returned as zeroes.
#[test]
fn songs_with_a_wrong_middle_are_refused() {
    for name in SONGS {
        let bytes = song(name);
        for at in places(&bytes, 5) {
            let insert = |what: &[u8]| [&bytes[..at], what, &bytes[at..]].concat();
            refused(
                name,
                &format!("1,000 bytes missing at {at}"),
                &[&bytes[..at], &bytes[at + 1_000..]].concat(),
            );
            refused(
                name,
                &format!("text at {at}"),
                &insert(&b"nothing of this is sound ".repeat(20)),
            );
            refused(name, &format!("zeroes at {at}"), &insert(&[0; 777]));
            refused(name, &format!("one byte at {at}"), &insert(&[0x55]));
            if !name.ends_with("wav") {
                let zeroed = [&bytes[..at], &[0; 1_000], &bytes[at + 1_000..]].concat();
                refused(name, &format!("zeroes instead of 1,000 bytes at {at}"), &zeroed);
            }
        }
        refused(name, "text behind it", &[&bytes[..], b"nothing of this is sound"].concat());
    }
}

/// Every Ogg page has a checksum.
#[test]
fn each_changed_byte_of_an_ogg_file_is_found() {
    for name in ["melody.ogg", "voice-es.ogg"] {
        let bytes = song(name);
        for at in places(&bytes, 30).chain(0..200) {
            let mut changed = bytes.clone();
            changed[at] ^= 0x10;
            refused(name, &format!("byte {at} changed"), &changed);
        }
    }
}

/// MP3 and WAV have no checksum of the sound: a changed byte is refused, or heard for a moment in a
/// song of the same length.
#[test]
fn a_changed_byte_never_shortens_a_song() {
    for (name, count) in [("melody.mp3", 30), ("melody.wav", 30)] {
        let bytes = song(name);
        let length = heard(&bytes).expect("it is whole");
        for at in places(&bytes, count) {
            let mut changed = bytes.clone();
            changed[at] ^= 0x10;
            if let Ok(found) = heard(&changed) {
                assert_eq!(found, length, "{name}, byte {at}");
            }
        }
    }
}

/// Each byte of each MP3 frame's header, which has the frame's length, and of a WAV's header, which
/// has everything.
#[test]
fn a_changed_header_is_refused_or_changes_nothing() {
    let bytes = song("melody.mp3");
    let length = judged(&bytes).expect("it is whole");
    let second = bytes
        .windows(2)
        .skip(2)
        .position(|pair| pair == [0xff, 0xf3])
        .expect("frames follow each other")
        + 2;
    for at in [second, second + 1, second + 2] {
        for bit in 0..8 {
            let mut changed = bytes.clone();
            changed[at] ^= 1 << bit;
            // The lowest bit of the third byte is for private use.
            if (at, bit) == (second + 2, 0) {
                assert_eq!(judged(&changed), Ok(length));
            } else {
                refused("melody.mp3", &format!("bit {bit} of byte {at}"), &changed);
            }
        }
    }
    let bytes = song("melody.wav");
    let length = heard(&bytes).expect("it is whole");
    for (at, bit) in (0..44).flat_map(|at| (0..8).map(move |bit| (at, bit))) {
        let mut changed = bytes.clone();
        changed[at] ^= 1 << bit;
        assert!(
            heard(&changed).is_err() || heard(&changed) == Ok(length),
            "bit {bit} of byte {at}: {:?}",
            heard(&changed)
        );
    }
}

/// The header that modern encoders put before the sound: the number of frames and their checksum.
/// With it, all damage is found.
fn with_info(sound: &[u8]) -> Vec<u8> {
    let crc = |bytes: &[u8]| {
        bytes.iter().fold(0_u16, |crc, byte| {
            (0..8).fold(crc ^ u16::from(*byte), |crc, _| (crc >> 1) ^ ((crc & 1) * 0xa001))
        })
    };
    let mut info = vec![0_u8; 208];
    info[..4].copy_from_slice(&sound[..4]);
    // At 22,050 Hz: 72,000 · 64 kbit/s / 22,050 Hz = 208 bytes, without the padding byte of every
    // other frame.
    info[2] = info[2] & !2 & 0x0f | 0x80;
    info[13..17].copy_from_slice(b"Info");
    info[20] = 1;
    info[21..25].copy_from_slice(&615_u32.to_be_bytes());
    info[25..34].copy_from_slice(b"LAME3.100");
    info[53..57].copy_from_slice(&(sound.len() as u32 + 208).to_be_bytes());
    info[57..59].copy_from_slice(&crc(sound).to_be_bytes());
    let own = crc(&info[..59]).to_be_bytes();
    info[59..61].copy_from_slice(&own);
    [&info[..], sound].concat()
}

#[test]
fn what_the_encoder_notes_at_the_head_of_an_mp3_shows_all_damage() {
    let sound = song("melody.mp3");
    let file = with_info(&sound);
    heard(&file).expect("it is whole");
    for at in places(&file, 30) {
        let mut changed = file.clone();
        changed[at] ^= 0x10;
        refused("with info", &format!("byte {at} changed"), &changed);
    }
    // Whole frames: of the first two, one of three has a byte more than 157.
    let frames: Vec<usize> = sound
        .windows(2)
        .enumerate()
        .filter(|(_, pair)| *pair == [0xff, 0xf3])
        .map(|(at, _)| at)
        .collect();
    refused("with info", "cut between frames", &file[..208 + frames[300]]);
    refused(
        "with info",
        "frames missing",
        &[&file[..208 + frames[100]], &file[208 + frames[103]..]].concat(),
    );
    refused("with info", "another song behind it", &[&file[..], &file].concat());
    // A tool that changes the volume in place notes that in the tags, and leaves the encoder's
    // checksum.
    let mut louder = file.clone();
    louder[30_000] ^= 1;
    refused("with info", "louder", &louder);
    let ape = [
        &b"MP3GAIN_MINMAX"[..],
        b"APETAGEX",
        &2_000_u32.to_le_bytes(),
        &46_u32.to_le_bytes(),
        &[0; 16],
    ]
    .concat();
    judged(&[&louder[..], &ape].concat()).expect("the tags say that the frames were changed");
}

/// Valid files with peculiarities of other tools.
#[test]
fn unusual_songs_are_accepted() {
    let (mp3, wav, eof) = (song("melody.mp3"), song("melody.wav"), song("melody-eof-in-tag.mp3"));
    let length = heard(&mp3).expect("it is whole");
    let lyrics = b"LYRICSBEGININD0000210000021LYRICS200";
    let id3v1 = &eof[eof.len() - 128..];
    for (what, file) in [
        ("tags behind tags", [&eof[..eof.len() - 128], lyrics, id3v1].concat()),
        ("zeroes at the end", [&mp3[..], &[0; 100]].concat()),
        (
            "zeroes behind the tags at the head",
            [&b"ID3\x03\0\0\0\0\0\x10"[..], &[0; 16], &[0; 300], &mp3].concat(),
        ),
    ] {
        assert_eq!(heard(&file), Ok(length), "{what}");
    }
    // A bit rate that falls after the start, with nothing that tells the number of frames: silence
    // at 160 kbit/s, 522 bytes per frame.
    let mut silence = [0_u8; 522];
    silence[..4].copy_from_slice(&[0xff, 0xf3, 0xe0, 0xc4]);
    assert_eq!(
        heard(&[&silence.repeat(20)[..], &mp3].concat()),
        Ok(20 * 576 * 2 + length),
        "the end is not left out"
    );
    let length = heard(&wav).expect("it is whole");
    let mut streamed = wav.clone();
    streamed[4..8].fill(0xff);
    streamed[40..44].fill(0xff);
    let mut counted = wav.clone();
    counted[4..8].copy_from_slice(&(wav.len() as u32).to_le_bytes());
    for (what, file) in [
        ("written to a pipe", streamed),
        ("a length that counts itself", counted),
        ("a chunk behind the samples", [&wav[..], b"LIST\x04\0\0\0INFO"].concat()),
        ("a tag of another format", [&wav[..], id3v1].concat()),
    ] {
        assert_eq!(heard(&file), Ok(length), "{what}");
    }
}
