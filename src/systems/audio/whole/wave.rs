//! WAV: chunks that say how long they are. Nothing vouches for the samples themselves, so a changed
//! one is played as it is.

use super::{Defect, array, before_tags};

/// Samples as they are, without a coding: what the format chunk says can be recomputed.
const PCM: u16 = 1;

pub fn judge(bytes: &[u8]) -> Result<(), Defect> {
    let Some(promised) = length(bytes, 4) else {
        return Err(Defect::new(bytes.len(), "it ends within its header"));
    };
    // Some tools count the eight bytes before the length, too.
    if is_known(promised) && promised as usize > bytes.len() {
        return Err(Defect::new(
            bytes.len(),
            format!(
                "it ends here, and its header says that {promised} bytes follow the first eight"
            ),
        ));
    }
    let end = before_tags(bytes);
    let (mut at, mut has_samples) = (12, false);
    while at < end {
        let (Some(name), Some(length)) = (array::<4>(bytes, at), length(bytes, at + 4)) else {
            return Err(Defect::new(at, "something stands behind the last chunk"));
        };
        if !name.iter().all(|letter| (b' '..=b'~').contains(letter)) {
            return Err(Defect::new(at, "no chunk begins here, where the one before it ends"));
        }
        let (body, samples) = (at + 8, name == *b"data");
        // Written to a pipe by a tool that did not know yet; the samples go on to the end.
        if samples && !is_known(length) {
            return Ok(());
        }
        let there = end.saturating_sub(body);
        if length as usize > there {
            let what = if samples { "samples" } else { "a chunk" };
            return Err(Defect::new(
                bytes.len(),
                format!("it ends after {there} bytes of {what}, and {length} should be there"),
            ));
        }
        if name == *b"fmt " {
            format(bytes, body, length)?;
        }
        has_samples |= samples;
        // A chunk of odd length is followed by a byte of nothing, which some tools leave out at the
        // end of the file.
        at = body + length as usize + (length % 2) as usize;
    }
    if has_samples { Ok(()) } else { Err(Defect::new(bytes.len(), "it ends before any samples")) }
}

fn length(bytes: &[u8], at: usize) -> Option<u32> {
    array(bytes, at).map(u32::from_le_bytes)
}

/// Tools that write to a pipe put in the greatest length that there is, or one a little below 2
/// GiB.
fn is_known(length: u32) -> bool {
    length != u32::MAX && !(0x7fff_f000..=0x7fff_ffff).contains(&length)
}

/// The format chunk says the same thing several times.
fn format(bytes: &[u8], at: usize, length: u32) -> Result<(), Defect> {
    let body = &bytes[at..at + length as usize];
    let half = |at| array(body, at).map(u16::from_le_bytes);
    let whole = |at| array(body, at).map(u32::from_le_bytes);
    let (Some(coding), Some(channels), Some(rate), Some(speed), Some(block), Some(bits)) =
        (half(0), half(2), whole(4), whole(8), half(12), half(14))
    else {
        return Err(Defect::new(at, "the format of the samples is cut short"));
    };
    let of_block = u32::from(channels) * u32::from(bits.div_ceil(8));
    let of_speed = u64::from(rate) * u64::from(block);
    if coding == PCM && (u32::from(block) != of_block || u64::from(speed) != of_speed) {
        let said = format!(
            "{channels} channels of {bits} bits at {rate} Hz do not make {block} bytes a time and \
                {speed} a second"
        );
        return Err(Defect::new(at, said));
    }
    Ok(())
}
