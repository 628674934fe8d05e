//! Records in a file that grows at its end.
//!
//! A record is a head and a body. The head holds the length of the body (4 bytes), its checksum
//! (8), and a checksum of these twelve bytes (4).
//!
//! A crash in the middle of an append leaves a beginning of what was appended, so the last head or
//! the last body ends early. No message of that step has left the node, and the remains are cut
//! off. Anything else that does not fit was durable once and is [`Damage`]. The checksum of the
//! head tells the two apart: without it, a flipped bit in a length would make the record seem to
//! reach beyond the end of the file, as a torn one does, and all records from there on would vanish
//! without a word.

use std::fmt;

use xxhash_rust::xxh3::xxh3_64;

use super::{Ctx, Node};
use crate::codec::{Reader, Writer};

/// The length of a head, bytes.
pub const HEAD_BYTES: usize = 16;

/// A record with this body.
pub fn record(body: &[u8]) -> Vec<u8> {
    let mut writer = Writer(Vec::with_capacity(HEAD_BYTES + body.len()));
    write(&mut writer, |writer| {
        writer.put(body);
    });
    writer.0
}

/// Append a record whose body `body` writes.
pub fn write(writer: &mut Writer, body: impl FnOnce(&mut Writer)) {
    let at = writer.0.len();
    writer.put(&[0; HEAD_BYTES]);
    body(writer);
    let body = &writer.0[at + HEAD_BYTES..];
    let mut head = Writer(Vec::with_capacity(HEAD_BYTES));
    head.u32(u32::try_from(body.len()).expect("a record is shorter than 4 GiB"));
    head.u64(xxh3_64(body));
    head.u32(xxh3_64(&head.0) as u32);
    writer.0[at..at + HEAD_BYTES].copy_from_slice(&head.0);
}

/// A whole record of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Where it begins, bytes.
    pub at: usize,
    /// Where it ends.
    pub end: usize,
    /// What it holds.
    pub body: &'a [u8],
}

/// A record that was whole once and is not any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// The head of the record at this byte does not fit its checksum.
    Head(usize),
    /// The body of the record at this byte does not fit its checksum.
    Body(usize),
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, at) = match self {
            Damage::Head(at) => ("the head of the record", at),
            Damage::Body(at) => ("the record", at),
        };
        write!(f, "{what} at byte {at} does not fit its checksum")
    }
}

/// The whole records of a file, from its beginning on. It ends before a torn record.
#[derive(Clone, Debug)]
pub struct Records<'a> {
    bytes: &'a [u8],
    intact: usize,
}

impl<'a> Records<'a> {
    /// The records of a file with this content.
    pub fn new(bytes: &'a [u8]) -> Records<'a> {
        Records { bytes, intact: 0 }
    }

    /// How many bytes the records take that were read.
    pub fn intact(&self) -> usize {
        self.intact
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, Damage>;

    fn next(&mut self) -> Option<Self::Item> {
        let at = self.intact;
        let mut reader = Reader(&self.bytes[at..]);
        let head = reader.take(HEAD_BYTES)?;
        let mut fields = Reader(head);
        let (len, checksum, of_head) = (fields.u32()?, fields.u64()?, fields.u32()?);
        if xxh3_64(&head[..HEAD_BYTES - 4]) as u32 != of_head {
            return Some(Err(Damage::Head(at)));
        }
        let body = reader.take(len as usize)?;
        if xxh3_64(body) != checksum {
            return Some(Err(Damage::Body(at)));
        }
        self.intact = at + HEAD_BYTES + body.len();
        Some(Ok(Record { at, end: self.intact, body }))
    }
}

/// The bodies of all records of a file, which loses what a crash has torn at its end.
///
/// Panics if a record is damaged: see [`refuse_to_start`].
pub fn recover<N: Node>(ctx: &mut Ctx<'_, N>, file: &'static str) -> Vec<Vec<u8>> {
    let content = ctx.read(file).unwrap_or_default();
    let (bodies, intact) = bodies(file, &content);
    if intact < content.len() {
        ctx.truncate(file, intact as u64);
    }
    bodies
}

fn bodies(file: &str, content: &[u8]) -> (Vec<Vec<u8>>, usize) {
    let mut records = Records::new(content);
    let mut bodies = vec![];
    for record in records.by_ref() {
        let record = record.unwrap_or_else(|damage| refuse_to_start(file, damage));
        bodies.push(record.body.to_vec());
    }
    (bodies, records.intact())
}

/// Panic because a file is damaged.
///
/// A node that has lost what it promised must not take part: it would vote twice, or give away
/// again what it has given away. The panic is recorded as a crash of the node, with this message.
pub fn refuse_to_start(file: &str, damage: impl fmt::Display) -> ! {
    panic!(
        "the file `{file}` is damaged: {damage}; a node that has lost what it promised must not \
            start"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file() -> Vec<u8> {
        [record(b"one"), record(b""), record(b"three")].concat()
    }

    /// All records up to the first that is damaged, and that damage.
    fn read(content: &[u8]) -> (Vec<&[u8]>, usize, Option<Damage>) {
        let mut records = Records::new(content);
        let mut bodies = vec![];
        loop {
            match records.next() {
                Some(Ok(record)) => bodies.push(record.body),
                Some(Err(damage)) => return (bodies, records.intact(), Some(damage)),
                None => return (bodies, records.intact(), None),
            }
        }
    }

    #[test]
    fn records_are_read_as_they_were_written() {
        let file = file();
        assert_eq!(read(&file), (vec![&b"one"[..], b"", b"three"], file.len(), None));
    }

    /// A crash in the middle of an append may leave any beginning of the record. It was never
    /// answered for, so it is not damage.
    #[test]
    fn a_torn_record_is_cut_off() {
        let file = file();
        let last = file.len() - HEAD_BYTES - 5;
        for len in last..file.len() {
            assert_eq!(read(&file[..len]), (vec![&b"one"[..], b""], last, None), "cut at {len}");
        }
    }

    /// Whichever bit flips, in a length too, the record in which it lies is reported.
    #[test]
    fn a_flipped_bit_is_found() {
        let starts = [0, HEAD_BYTES + 3, 2 * HEAD_BYTES + 3];
        for bit in 0..8 * file().len() {
            let mut file = file();
            file[bit / 8] ^= 1 << (bit % 8);
            let at = *starts.iter().rfind(|start| **start <= bit / 8).expect("the first is 0");
            let damage =
                if bit / 8 < at + HEAD_BYTES { Damage::Head(at) } else { Damage::Body(at) };
            let (_, intact, found) = read(&file);
            assert_eq!((intact, found), (at, Some(damage)), "bit {bit}");
        }
    }

    #[test]
    #[should_panic(expected = "the file `log` is damaged: the head of the record at byte 0")]
    fn a_node_with_a_damaged_length_does_not_start() {
        let mut file = file();
        file[0] ^= 1 << 6;
        bodies("log", &file);
    }
}
