//! Records of strings on a disk, each with its length and a checksum, in a file that grows at its
//! end.
//!
//! A crash in the middle of an append leaves the beginning of a record: it was never answered for,
//! and the file is cut before it.

use xxhash_rust::xxh3::xxh3_64;

use super::framing::encode;

/// Length of the body (4 bytes) and its checksum (8).
const HEAD_BYTES: usize = 12;

/// A record of these strings, none of which holds a zero byte.
pub fn record<'a>(strings: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let body = encode(strings);
    let mut bytes = Vec::with_capacity(HEAD_BYTES + body.len());
    bytes.extend_from_slice(&(body.len() as u32).to_le_bytes());
    bytes.extend_from_slice(&xxh3_64(&body).to_le_bytes());
    bytes.extend_from_slice(&body);
    bytes
}

/// The intact records from the beginning of a file on, and how many bytes they take.
pub fn read_records(bytes: &[u8]) -> (Vec<Vec<String>>, usize) {
    let mut records = vec![];
    let mut intact = 0;
    while let Some((body, end)) = next(bytes, intact) {
        records.push(body);
        intact = end;
    }
    (records, intact)
}

fn next(bytes: &[u8], from: usize) -> Option<(Vec<String>, usize)> {
    let head = bytes.get(from..from + HEAD_BYTES)?;
    let len = u32::from_le_bytes(head[..4].try_into().expect("four bytes")) as usize;
    let sum = u64::from_le_bytes(head[4..].try_into().expect("eight bytes"));
    let end = from.checked_add(HEAD_BYTES)?.checked_add(len)?;
    let body = bytes.get(from + HEAD_BYTES..end)?;
    if xxh3_64(body) != sum {
        return None;
    }
    let text = std::str::from_utf8(body).ok()?;
    let strings = text
        .strip_suffix('\0')
        .map(|text| text.split('\0').map(str::to_owned).collect())
        .unwrap_or_default();
    Some((strings, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Wherever a crash cuts the last record, the ones before it are read and the rest is not.
    #[test]
    fn a_torn_record_is_not_read() {
        let first = record(["connect", "alice", ""]);
        let second = record(["publish"]);
        let both = [first.clone(), second].concat();
        for cut in first.len()..both.len() {
            let (records, intact) = read_records(&both[..cut]);
            assert_eq!(
                (records, intact),
                (vec![vec!["connect".to_owned(), "alice".into(), String::new()]], first.len())
            );
        }
        assert_eq!(read_records(&both).0.len(), 2);
    }
}
