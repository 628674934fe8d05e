//! The replicated state: songs that are being stored, songs that are, and how far the present one
//! has been sent.
//!
//! Each command says what it continues: a piece its offset, a position its term. So a command that
//! stands in the log twice, because a client or a leader was not sure of the first, takes effect
//! once, without sessions.

use std::collections::BTreeMap;
use std::rc::Rc;

use super::checksum::Checksum;
use super::defects::{Defect, Planted, believes_uploads};
use crate::codec::{Reader, Writer};
use crate::node::NodeId;
use crate::systems::raft::{Bytes, StateMachine};

/// A song that is stored, and with that a session: it is played once, after those before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The upload.
    pub upload: u64,
    /// Whose it is.
    pub uploader: NodeId,
    /// The file.
    pub bytes: Bytes,
    /// The checksum of the file.
    pub digest: u64,
    /// The sequence number of the first frame.
    pub first_sequence: u16,
}

/// A song that is on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Partial {
    uploader: NodeId,
    bytes: Vec<u8>,
}

/// How far the playout has come. Sessions count from 1.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The session; 0 before the first.
    pub session: u32,
    /// The first frame that was not sent yet when this was said.
    pub frame: u32,
    /// The term of the leader that said it.
    pub term: u64,
}

/// What a command asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Bytes of a file from this offset on.
    Piece {
        /// The upload.
        upload: u64,
        /// Whose it is.
        uploader: NodeId,
        /// Where they belong.
        offset: u64,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// The file is complete.
    Finish {
        /// The upload.
        upload: u64,
        /// Whose it is.
        uploader: NodeId,
        /// How long the file is.
        length: u64,
        /// Its checksum.
        digest: u64,
        /// The sequence number of its first frame.
        first_sequence: u16,
    },
    /// The leader has sent all frames before this one.
    Position {
        /// What it says.
        position: Position,
        /// There are no further frames in the session.
        ended: bool,
    },
}

impl Command {
    /// The bytes for the log.
    pub fn encode(&self) -> Bytes {
        let mut writer = Writer(Vec::with_capacity(48));
        match self {
            Command::Piece { upload, uploader, offset, bytes } => {
                writer.byte(1);
                writer.u64(*upload);
                writer.u32(uploader.0);
                writer.u64(*offset);
                writer.bytes(bytes);
            }
            Command::Finish { upload, uploader, length, digest, first_sequence } => {
                writer.byte(2);
                writer.u64(*upload);
                writer.u32(uploader.0);
                writer.u64(*length);
                writer.u64(*digest);
                writer.u32((*first_sequence).into());
            }
            Command::Position { position, ended } => {
                writer.byte(3);
                writer.u32(position.session);
                writer.u32(position.frame);
                writer.u64(position.term);
                writer.byte(u8::from(*ended));
            }
        }
        writer.0.into()
    }

    fn decode(bytes: &[u8]) -> Option<Command> {
        let mut reader = Reader(bytes);
        Some(match reader.byte()? {
            1 => Command::Piece {
                upload: reader.u64()?,
                uploader: NodeId(reader.u32()?),
                offset: reader.u64()?,
                bytes: reader.bytes()?.to_vec(),
            },
            2 => Command::Finish {
                upload: reader.u64()?,
                uploader: NodeId(reader.u32()?),
                length: reader.u64()?,
                digest: reader.u64()?,
                first_sequence: reader.u32()? as u16,
            },
            3 => Command::Position {
                position: Position {
                    session: reader.u32()?,
                    frame: reader.u32()?,
                    term: reader.u64()?,
                },
                ended: reader.byte()? == 1,
            },
            _ => return None,
        })
    }
}

/// The output of a command that was refused: the file is not what its sender said.
pub const REFUSED: &[u8] = b"refused";
/// The output of every other.
pub const DONE: &[u8] = b"done";

/// The state.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Station {
    planted: Planted,
    checksum: Checksum,
    partial: BTreeMap<u64, Partial>,
    stored: Vec<Rc<Stored>>,
    /// Invariant: it never goes back.
    position: Position,
}

impl Station {
    /// An empty station.
    pub fn new(planted: Planted, checksum: Checksum) -> Station {
        Station { planted, checksum, ..Station::default() }
    }

    /// How far the playout has come.
    pub fn position(&self) -> Position {
        self.position
    }

    /// The song of a session.
    pub fn session(&self, session: u32) -> Option<&Rc<Stored>> {
        self.stored.get((session as usize).checked_sub(1)?)
    }

    /// How many sessions there are.
    pub fn sessions(&self) -> u32 {
        self.stored.len() as u32
    }

    /// A song that is stored.
    pub fn stored(&self, upload: u64) -> Option<&Rc<Stored>> {
        self.stored.iter().find(|stored| stored.upload == upload)
    }

    /// How many bytes of an upload are there.
    pub fn received(&self, upload: u64) -> u64 {
        self.partial.get(&upload).map_or(0, |partial| partial.bytes.len() as u64)
    }

    fn piece(&mut self, upload: u64, uploader: NodeId, offset: u64, bytes: &[u8]) {
        if self.stored(upload).is_some() && !self.planted.plants(Defect::UploadStoredAgain) {
            return;
        }
        let partial = self.partial.entry(upload).or_insert(Partial { uploader, bytes: vec![] });
        let there = partial.bytes.len() as u64;
        if self.planted.plants(Defect::RetryDuplicates) {
            partial.bytes.extend_from_slice(bytes);
        } else if offset <= there {
            let known = usize::try_from(there - offset).unwrap_or(usize::MAX).min(bytes.len());
            partial.bytes.extend_from_slice(&bytes[known..]);
        }
    }

    fn finish(
        &mut self,
        upload: u64,
        uploader: NodeId,
        length: u64,
        digest: u64,
        first_sequence: u16,
    ) -> &'static [u8] {
        if self.stored(upload).is_some() && !self.planted.plants(Defect::UploadStoredAgain) {
            return DONE;
        }
        let bytes = self.partial.get(&upload).map_or(&[][..], |partial| &partial.bytes);
        let found = self.checksum.of(bytes);
        // A file is stored only if it has the length and the digest that its sender said.
        let differs = bytes.len() as u64 != length || found != digest;
        if differs && !believes_uploads(self.planted) {
            return REFUSED;
        }
        self.stored.push(Rc::new(Stored {
            upload,
            uploader,
            bytes: bytes.into(),
            digest: found,
            first_sequence,
        }));
        self.partial.remove(&upload);
        if self.position.session == 0 {
            self.position.session = 1;
        }
        DONE
    }

    fn advance(&mut self, to: Position, ended: bool) {
        let (now, then) = ((self.position.session, self.position.frame), (to.session, to.frame));
        if then < now || to.session > self.sessions() {
            return;
        }
        self.position = to;
        if ended {
            self.position = Position { session: to.session + 1, frame: 0, term: to.term };
        }
    }
}

impl StateMachine for Station {
    fn apply(&mut self, command: &[u8]) -> Bytes {
        let output = match Command::decode(command).expect("only commands are proposed") {
            Command::Piece { upload, uploader, offset, bytes } => {
                self.piece(upload, uploader, offset, &bytes);
                DONE
            }
            Command::Finish { upload, uploader, length, digest, first_sequence } => {
                self.finish(upload, uploader, length, digest, first_sequence)
            }
            Command::Position { position, ended } => {
                self.advance(position, ended);
                DONE
            }
        };
        output.into()
    }

    /// Nobody asks: the node reads its own machine.
    fn query(&self, _query: &[u8]) -> Bytes {
        DONE.into()
    }

    fn snapshot(&self) -> Vec<u8> {
        let mut writer = Writer::default();
        writer.u32(self.position.session);
        writer.u32(self.position.frame);
        writer.u64(self.position.term);
        writer.u32(self.stored.len() as u32);
        for stored in &self.stored {
            writer.u64(stored.upload);
            writer.u32(stored.uploader.0);
            writer.bytes(&stored.bytes);
            writer.u32(stored.first_sequence.into());
        }
        writer.u32(self.partial.len() as u32);
        for (upload, partial) in &self.partial {
            writer.u64(*upload);
            writer.u32(partial.uploader.0);
            writer.bytes(&partial.bytes);
        }
        writer.0
    }

    fn restore(&mut self, snapshot: &[u8]) {
        *self = read(snapshot, self.planted, self.checksum)
            .expect("a snapshot with a valid checksum holds a station");
    }
}

fn read(snapshot: &[u8], planted: Planted, checksum: Checksum) -> Option<Station> {
    let mut reader = Reader(snapshot);
    let position = Position { session: reader.u32()?, frame: reader.u32()?, term: reader.u64()? };
    let mut station = Station { position, ..Station::new(planted, checksum) };
    for _ in 0..reader.u32()? {
        let (upload, uploader) = (reader.u64()?, NodeId(reader.u32()?));
        let bytes: Bytes = reader.bytes()?.into();
        let digest = checksum.of(&bytes);
        station.stored.push(Rc::new(Stored {
            upload,
            uploader,
            bytes,
            digest,
            first_sequence: reader.u32()? as u16,
        }));
    }
    for _ in 0..reader.u32()? {
        let (upload, uploader) = (reader.u64()?, NodeId(reader.u32()?));
        station.partial.insert(upload, Partial { uploader, bytes: reader.bytes()?.to_vec() });
    }
    Some(station)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(station: &mut Station, offset: u64, bytes: &[u8]) {
        station.apply(
            &Command::Piece { upload: 7, uploader: NodeId(5), offset, bytes: bytes.to_vec() }
                .encode(),
        );
    }

    fn finish(station: &mut Station, file: &[u8]) -> Bytes {
        let (length, digest) = (file.len() as u64, Checksum::Xxh3.of(file));
        station.apply(
            &Command::Finish { upload: 7, uploader: NodeId(5), length, digest, first_sequence: 9 }
                .encode(),
        )
    }

    /// A leader that took over sends what its predecessor may have stored already: in whole, in
    /// part, or twice.
    #[test]
    fn a_retried_piece_adds_nothing_twice() {
        let mut station = Station::default();
        for (offset, bytes) in
            [(0, "abcd"), (0, "abcd"), (2, "cdef"), (9, "never"), (6, "gh"), (4, "ef")]
        {
            piece(&mut station, offset, bytes.as_bytes());
        }
        assert_eq!(finish(&mut station, b"abcdefg"), REFUSED.into());
        assert_eq!(finish(&mut station, b"abcdefgh"), DONE.into());
        assert_eq!(
            finish(&mut station, b"abcdefgh"),
            DONE.into(),
            "the answer was lost, and the song is stored once"
        );
        assert_eq!(station.sessions(), 1);
    }

    /// A position that was delayed in the log of an old leader takes nothing back, and the end of a
    /// session begins the next.
    #[test]
    fn the_position_never_goes_back() {
        let mut station = Station::default();
        piece(&mut station, 0, b"x");
        finish(&mut station, b"x");
        let mut say = |session, frame, term, ended| {
            station.apply(
                &Command::Position { position: Position { session, frame, term }, ended }.encode(),
            );
            (station.position().session, station.position().frame)
        };
        assert_eq!(say(1, 40, 3, false), (1, 40));
        assert_eq!(say(1, 35, 2, false), (1, 40));
        assert_eq!(say(1, 50, 3, true), (2, 0));
        assert_eq!(say(3, 0, 3, false), (2, 0), "a session that there is not");
    }

    /// A server that installs a snapshot goes on where the one that took it was.
    #[test]
    fn a_snapshot_holds_everything() {
        let mut station = Station::default();
        piece(&mut station, 0, b"song");
        finish(&mut station, b"song");
        station.apply(
            &Command::Piece { upload: 8, uploader: NodeId(6), offset: 0, bytes: b"half".to_vec() }
                .encode(),
        );
        let mut other = Station::default();
        other.restore(&station.snapshot());
        assert_eq!(station, other);
    }
}
