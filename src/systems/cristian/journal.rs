//! Records on the disk: frames with a length and a checksum, so that a torn end is known for what
//! it is.

use xxhash_rust::xxh3::xxh3_64;

use crate::node::{Ctx, Node};

/// Length and checksum.
const HEADER: usize = 12;

/// A record as it stands in a file.
pub fn frame(record: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(HEADER + record.len());
    bytes.extend_from_slice(&(record.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&xxh3_64(record).to_le_bytes());
    bytes.extend_from_slice(record);
    bytes
}

/// All whole records of a file. What follows them was torn by a crash and is cut off: nothing was
/// ever told of it.
pub fn recover<N: Node>(ctx: &mut Ctx<'_, N>, file: &'static str) -> Vec<Vec<u8>> {
    let content = ctx.read(file).unwrap_or_default();
    let (records, len) = whole(&content);
    if len < content.len() {
        ctx.truncate(file, len as u64);
    }
    records
}

/// The whole records at the beginning of a file, and how long they are together.
fn whole(content: &[u8]) -> (Vec<Vec<u8>>, usize) {
    let mut records = Vec::new();
    let mut at = 0;
    while let Some(record) = record_at(&content[at..]) {
        records.push(record.to_vec());
        at += HEADER + record.len();
    }
    (records, at)
}

fn record_at(bytes: &[u8]) -> Option<&[u8]> {
    let (header, rest) = bytes.split_at_checked(HEADER)?;
    let (len, sum) = header.split_at(4);
    let len = u32::from_le_bytes(len.try_into().ok()?) as usize;
    let record = rest.get(..len)?;
    (xxh3_64(record).to_le_bytes() == sum).then_some(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever a crash leaves of the last record, the ones before it are found and nothing else.
    #[test]
    fn a_torn_record_is_none() {
        let mut file = frame(b"one");
        file.extend(frame(b"two"));
        let second = file.len() - HEADER - 3;
        for cut in second..file.len() {
            let (records, len) = whole(&file[..cut]);
            assert_eq!((records.len(), len), (1, second));
        }
        assert_eq!(whole(&file).0, [b"one".to_vec(), b"two".to_vec()]);
    }
}
