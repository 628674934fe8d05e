//! Sequence numbers have 16 bits and begin anywhere (RFC 3550 §5.1): at 50 frames a second they
//! wrap every 22 minutes.

use super::defects::{Defect, Planted};

/// The frame that a sequence number means, counted from the beginning of the session: of all that
/// it can mean the one nearest to the highest frame so far (RFC 3550 A.1 does the same with a count
/// of cycles). `None`: before the beginning.
pub fn frame_of(sequence: u16, first_sequence: u16, highest: u32, planted: Planted) -> Option<u32> {
    let expected = first_sequence.wrapping_add(highest as u16);
    let apart = sequence.wrapping_sub(expected) as i16;
    let frame = u32::try_from(i64::from(highest) + i64::from(apart)).ok();
    let plain = u32::try_from(i64::from(sequence) - i64::from(first_sequence)).ok();
    if plain != frame && planted.plants(Defect::NoWrap) { plain } else { frame }
}

/// The sequence number of a frame.
pub fn sequence_of(frame: u32, first_sequence: u16) -> u16 {
    first_sequence.wrapping_add(frame as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Around the wrap, forwards and backwards, and past a second round.
    #[test]
    fn a_sequence_number_means_the_nearest_frame() {
        let right = Planted::default();
        for (frame, highest) in
            [(0, 0), (200, 199), (190, 200), (70_000, 69_990), (69_990, 70_000), (65_536, 65_530)]
        {
            assert_eq!(
                frame_of(sequence_of(frame, 65_400), 65_400, highest, right),
                Some(frame),
                "{frame} after {highest}"
            );
        }
        assert_eq!(
            frame_of(65_399, 65_400, 0, right),
            None,
            "before the first frame there is none"
        );
    }
}
