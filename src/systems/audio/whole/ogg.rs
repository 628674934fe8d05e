//! Ogg (RFC 3533): pages without a gap, each with its number and a checksum, and a mark on the
//! first and the last of each stream.

use std::collections::BTreeMap;

use symphonia::core::checksum::Crc32;
use symphonia::core::io::Monitor;

use super::{Defect, array};

/// Bytes of a page before the lengths of its segments.
const HEADER: usize = 27;
const BEGINS: u8 = 2;
const ENDS: u8 = 4;

/// A page whose checksum is right.
struct Page {
    flags: u8,
    serial: u32,
    number: u32,
    length: usize,
}

/// What is known of a logical stream.
struct Stream {
    number: u32,
    ended: bool,
}

pub fn judge(bytes: &[u8]) -> Result<(), Defect> {
    let mut streams: BTreeMap<u32, Stream> = BTreeMap::new();
    let (mut at, mut headed) = (0, false);
    while at < bytes.len() {
        let page = page(bytes, at)?;
        let begins = page.flags & BEGINS != 0;
        // All streams that sound together begin before the first page that is none of these (RFC
        // 3533, section 4).
        if begins && headed {
            return Err(Defect::new(
                at,
                "a second song begins here, and only the first would be played",
            ));
        }
        headed |= !begins;
        let expected = streams.get(&page.serial);
        match expected {
            None if !begins => {
                return Err(Defect::new(at, "the first page of this stream is missing"));
            }
            Some(_) if begins => return Err(Defect::new(at, "the stream begins twice")),
            Some(stream) if stream.ended => {
                return Err(Defect::new(at, "a page follows the stream's last"));
            }
            Some(Stream { number, .. }) if page.number != number.wrapping_add(1) => {
                return Err(Defect::new(
                    at,
                    format!("page {} of the stream follows page {number}", page.number),
                ));
            }
            _ => {}
        }
        streams.insert(page.serial, Stream { number: page.number, ended: page.flags & ENDS != 0 });
        at += page.length;
    }
    match streams.values().find(|stream| !stream.ended) {
        Some(stream) => Err(Defect::new(
            at,
            format!("it ends after page {}, which is not marked as the last", stream.number),
        )),
        None => Ok(()),
    }
}

fn page(bytes: &[u8], at: usize) -> Result<Page, Defect> {
    let rest = &bytes[at..];
    let cut = || {
        Defect::new(at, format!("the page that begins here is cut off after {} bytes", rest.len()))
    };
    if !rest.starts_with(&b"OggS"[..rest.len().min(4)]) {
        return Err(Defect::new(at, "no page begins here, where the one before it ends"));
    }
    let header: [u8; HEADER] = array(rest, 0).ok_or_else(cut)?;
    let segments = rest.get(HEADER..HEADER + usize::from(header[26])).ok_or_else(cut)?;
    let length = HEADER
        + segments.len()
        + segments.iter().map(|segment| usize::from(*segment)).sum::<usize>();
    let whole = rest.get(..length).ok_or_else(cut)?;
    let number = |at| u32::from_le_bytes(array(&header, at).expect("a header has them"));
    let mut crc = Crc32::new(0);
    // The checksum is that of the page with zeroes in its own place.
    for part in [&whole[..22], &[0; 4], &whole[26..]] {
        crc.process_buf_bytes(part);
    }
    if crc.crc() != number(22) {
        return Err(Defect::new(at, "the checksum of the page that begins here is wrong"));
    }
    Ok(Page { flags: header[5], serial: number(14), number: number(18), length })
}
