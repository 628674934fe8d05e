//! How a song is uploaded over a stream: what both sides say.
//!
//! The streamer welcomes whoever connects, or says who leads. The uploader says how long its file
//! is and what its digest is, *before* the file and outside of it; the streamer says how much of it
//! is stored already; and the uploader sends the rest in blocks of 1,024 bytes. With each piece
//! that the replicated log has stored the streamer reports progress, and in the end size and digest
//! of the whole.
//!
//! The original assignment marks the end by the bytes `EOF`, for which each block is searched. They
//! may stand in the song, or straddle two blocks; that is the defect `marker-framing`.

use crate::node::{NodeId, Port};

/// The port that streamers accept uploads on.
pub const PORT: Port = Port(7_000);

/// Bytes of a block.
pub const BLOCK: usize = 1_024;

/// What marks the end of a file in the original assignment.
pub const MARKER: &[u8] = b"EOF";

/// What the uploader says before its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hello {
    /// The uploader's number for this upload, the same in each retry.
    pub upload: u64,
    /// Bytes of the file; `u64::MAX` where its end is marked in it.
    pub length: u64,
    /// The checksum of the file: XXH3, or what the scenario says.
    pub digest: u64,
}

/// Bytes of a [`Hello`] on the wire.
pub const HELLO_BYTES: usize = 24;

impl Hello {
    /// For the wire.
    pub fn encode(&self) -> Vec<u8> {
        [self.upload, self.length, self.digest]
            .iter()
            .flat_map(|number| number.to_le_bytes())
            .collect()
    }

    /// From the wire; `None` where bytes are missing.
    pub fn decode(bytes: &[u8]) -> Option<Hello> {
        let mut numbers = bytes.as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes));
        Some(Hello { upload: numbers.next()?, length: numbers.next()?, digest: numbers.next()? })
    }
}

/// What a streamer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Welcome; say what you have.
    Welcome,
    /// That one leads, as far as is known.
    Moved(Option<NodeId>),
    /// So many bytes are stored; send what follows them.
    From(u64),
    /// So many bytes are stored by now.
    Progress(u64),
    /// The song is stored: its size and digest.
    Stored(u64, u64),
    /// What came is not what was said.
    Refused,
}

/// Bytes of a [`Reply`] on the wire.
pub const REPLY_BYTES: usize = 17;

impl Reply {
    /// For the wire.
    pub fn encode(&self) -> Vec<u8> {
        let (tag, a, b): (u8, u64, u64) = match self {
            Reply::Welcome => (1, 0, 0),
            Reply::Moved(leader) => (2, leader.map_or(0, |leader| u64::from(leader.0) + 1), 0),
            Reply::From(offset) => (3, *offset, 0),
            Reply::Progress(bytes) => (4, *bytes, 0),
            Reply::Stored(size, digest) => (5, *size, *digest),
            Reply::Refused => (6, 0, 0),
        };
        [&[tag][..], &a.to_le_bytes(), &b.to_le_bytes()].concat()
    }

    /// From the wire; `None` where it is none.
    pub fn decode(bytes: &[u8]) -> Option<Reply> {
        let (tag, numbers) = bytes.split_first()?;
        let (a, b) = numbers.split_at_checked(8)?;
        let (a, b) =
            (u64::from_le_bytes(a.try_into().ok()?), u64::from_le_bytes(b.try_into().ok()?));
        Some(match tag {
            1 => Reply::Welcome,
            2 => Reply::Moved(a.checked_sub(1).map(|id| NodeId(id as u32))),
            3 => Reply::From(a),
            4 => Reply::Progress(a),
            5 => Reply::Stored(a, b),
            6 => Reply::Refused,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Both sides must read what the other has written.
    #[test]
    fn what_is_said_is_understood() {
        let hello = Hello { upload: 7, length: 96_044, digest: u64::MAX };
        assert_eq!(Hello::decode(&hello.encode()), Some(hello));
        assert_eq!(hello.encode().len(), HELLO_BYTES);
        let replies = [
            Reply::Welcome,
            Reply::Moved(None),
            Reply::Moved(Some(NodeId(0))),
            Reply::From(9),
            Reply::Stored(1, 2),
            Reply::Refused,
        ];
        for reply in replies {
            assert_eq!(reply.encode().len(), REPLY_BYTES);
            assert_eq!(Reply::decode(&reply.encode()), Some(reply));
        }
    }
}
