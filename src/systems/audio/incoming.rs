//! An upload as the streamer that receives it sees it: bytes of a stream, gathered to blocks and
//! pieces.

use super::defects::{Defect, Planted};
use super::upload::{BLOCK, HELLO_BYTES, Hello, MARKER};
use crate::node::NodeId;

/// The receiving side of an upload.
#[derive(Debug)]
pub struct Incoming {
    /// Who uploads.
    pub from: NodeId,
    /// What it said of its file; `None` before.
    pub hello: Option<Hello>,
    /// Bytes of the stream that are not yet used.
    buffer: Vec<u8>,
    /// Whole blocks that do not make a piece yet.
    gathered: Vec<u8>,
    /// Where `gathered` begins in the file.
    pub offset: u64,
    /// Nothing follows.
    pub complete: bool,
    /// With [`Defect::MarkerFraming`] alone: the bytes of the file, of which nobody has said how
    /// many they are.
    pub seen: Vec<u8>,
}

/// Bytes of a file from an offset on.
pub type Piece = (u64, Vec<u8>);

impl Incoming {
    /// A stream that has just been accepted.
    pub fn new(from: NodeId) -> Incoming {
        Incoming {
            from,
            hello: None,
            buffer: vec![],
            gathered: vec![],
            offset: 0,
            complete: false,
            seen: vec![],
        }
    }

    /// The first bytes are what the uploader says of its file. `Some` when they are all there,
    /// once.
    pub fn greet(&mut self, bytes: &[u8]) -> Option<Hello> {
        self.buffer.extend_from_slice(bytes);
        if self.hello.is_some() || self.buffer.len() < HELLO_BYTES {
            return None;
        }
        let rest = self.buffer.split_off(HELLO_BYTES);
        self.hello = Hello::decode(&self.buffer);
        self.buffer = rest;
        self.hello
    }

    /// The uploader was told to begin here.
    pub fn begin_at(&mut self, offset: u64) {
        self.offset = offset;
        self.complete = self.hello.is_some_and(|hello| hello.length == offset);
    }

    /// Take the whole blocks out of what has come, and give the pieces that they make.
    pub fn pieces(&mut self, piece: usize, planted: Planted) -> Vec<Piece> {
        let Some(hello) = self.hello else { return vec![] };
        let mut pieces = vec![];
        while !self.complete {
            let missing = hello.length.saturating_sub(self.offset + self.gathered.len() as u64);
            let block = usize::try_from(missing).unwrap_or(BLOCK).min(BLOCK);
            // A stream has no borders: bytes are gathered until a block is whole.
            let mut bytes = if self.buffer.len() != block && planted.plants(Defect::PiecePerRead) {
                self.read_as_block(block)
            } else {
                if self.buffer.len() < block {
                    break;
                }
                self.buffer.drain(..block).collect()
            };
            if bytes.is_empty() && missing > 0 {
                break;
            }
            // Length and digest are said before the file; the end is where that many bytes are.
            if planted.plants(Defect::MarkerFraming) {
                self.look_for_the_marker(&mut bytes);
            } else {
                self.complete = bytes.len() as u64 == missing;
            }
            self.gathered.extend_from_slice(&bytes);
            if self.gathered.len() >= piece || self.complete {
                let gathered = std::mem::take(&mut self.gathered);
                self.offset += gathered.len() as u64;
                pieces.push((self.offset - gathered.len() as u64, gathered));
            }
        }
        pieces
    }

    /// The peer has closed: where the end is marked, what is left is the last block, in which the
    /// mark should be.
    pub fn last_block(&mut self, piece: usize, planted: Planted) -> Vec<Piece> {
        if self.complete || self.hello.is_none() || !planted.plants(Defect::MarkerFraming) {
            return vec![];
        }
        self.buffer.resize(BLOCK, 0);
        self.pieces(piece, planted)
    }

    /// [`Defect::MarkerFraming`]: the end is where the marker is.
    fn look_for_the_marker(&mut self, bytes: &mut Vec<u8>) {
        if let Some(end) = bytes.windows(MARKER.len()).position(|window| window == MARKER) {
            bytes.truncate(end);
            self.complete = true;
        }
        self.seen.extend_from_slice(bytes);
    }

    /// [`Defect::PiecePerRead`]: what one call of `recv` gave is written out as a buffer of fixed
    /// size.
    fn read_as_block(&mut self, block: usize) -> Vec<u8> {
        if self.buffer.is_empty() {
            return vec![];
        }
        let mut bytes = std::mem::take(&mut self.buffer);
        bytes.resize(block, 0);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The outcome must not depend on how the network cuts a stream into reads.
    #[test]
    fn the_same_bytes_make_the_same_pieces_however_they_come() {
        let file: Vec<u8> = (0..10_000_u32).map(|i| (i / 7) as u8).collect();
        let hello = Hello { upload: 1, length: file.len() as u64, digest: 0 };
        let stream = [hello.encode(), file.clone()].concat();
        for read in [1, 7, 1_024, 1_400, 20_000] {
            let mut incoming = Incoming::new(NodeId(0));
            let mut pieces = vec![];
            for bytes in stream.chunks(read) {
                if incoming.greet(bytes).is_some() {
                    incoming.begin_at(0);
                }
                pieces.extend(incoming.pieces(4_096, Planted::default()));
            }
            assert!(incoming.complete, "reads of {read}");
            assert_eq!(
                pieces.iter().map(|(offset, bytes)| (*offset, bytes.len())).collect::<Vec<_>>(),
                [(0, 4_096), (4_096, 4_096), (8_192, 1_808)]
            );
            assert_eq!(pieces.into_iter().flat_map(|(_, bytes)| bytes).collect::<Vec<_>>(), file);
        }
    }

    /// Bytes of the song are taken for its end: the classic defect, as it is.
    #[test]
    fn a_marker_in_the_song_cuts_it_short() {
        let planted = Planted::with(["marker-framing"]);
        let hello = Hello { upload: 1, length: u64::MAX, digest: 0 };
        let mut incoming = Incoming::new(NodeId(0));
        incoming.greet(&hello.encode());
        incoming.greet(&[b"TITEOFLE".as_slice(), &[1; 3_000], MARKER].concat());
        let pieces = incoming.pieces(4_096, planted);
        assert_eq!(pieces, [(0, b"TIT".to_vec())]);
    }
}
