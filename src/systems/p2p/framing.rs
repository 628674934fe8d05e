//! How requests and answers are written on a stream: strings that end in a zero byte, at most 256
//! bytes each with the zero.
//!
//! A stream is a sequence of bytes, and how they are cut into pieces on their way means nothing: a
//! string may come in ten pieces, and ten strings in one. So what has arrived is kept until a zero
//! comes, and what follows the zero is kept for the next string.

use super::service::NAME_BYTES_MAX;
use super::vocabulary::MalformedReason;

/// The bytes that have arrived and have not been read.
#[derive(Clone, Debug, Default)]
pub struct Strings {
    bytes: Vec<u8>,
    /// Bytes before this position are read.
    read: usize,
    /// Bytes before this position are known to hold no zero that is unread.
    searched: usize,
}

impl Strings {
    /// More bytes have arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.read == self.bytes.len() {
            *self = Strings::default();
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The next byte, such as a status.
    pub fn byte(&mut self) -> Option<u8> {
        let byte = *self.bytes.get(self.read)?;
        self.read += 1;
        self.searched = self.read;
        Some(byte)
    }

    /// The next string, once its zero has come.
    pub fn string(&mut self) -> Result<Option<String>, MalformedReason> {
        let unsearched = self.bytes.get(self.searched..).unwrap_or_default();
        let Some(zero) = unsearched.iter().position(|byte| *byte == 0).map(|at| self.searched + at)
        else {
            self.searched = self.bytes.len();
            return if self.bytes.len() - self.read > NAME_BYTES_MAX {
                Err(MalformedReason::TooLong)
            } else {
                Ok(None)
            };
        };
        if zero - self.read > NAME_BYTES_MAX {
            return Err(MalformedReason::TooLong);
        }
        let text = std::str::from_utf8(&self.bytes[self.read..zero])
            .map_err(|_| MalformedReason::NotText)?
            .to_owned();
        self.read = zero + 1;
        self.searched = self.read;
        Ok(Some(text))
    }

    /// All bytes that are left: what follows the strings.
    pub fn rest(&mut self) -> Vec<u8> {
        let rest = self.bytes.split_off(self.read);
        *self = Strings::default();
        rest
    }

    /// Whether nothing is left.
    pub fn is_empty(&self) -> bool {
        self.read == self.bytes.len()
    }
}

/// Strings as bytes, a zero behind each.
pub fn encode<'a>(strings: impl IntoIterator<Item = &'a str>) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(96);
    for string in strings {
        bytes.extend_from_slice(string.as_bytes());
        bytes.push(0);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(strings: &mut Strings) -> Vec<String> {
        std::iter::from_fn(|| strings.string().expect("well formed")).collect()
    }

    /// Whatever the pieces, the strings are the same: cut at every position, and byte by byte.
    #[test]
    fn pieces_mean_nothing() {
        let bytes = encode(["REGISTER", "", "01/01/2026 00:00:00", "ñandú"]);
        let mut whole = Strings::default();
        whole.push(&bytes);
        let wanted = all(&mut whole);
        assert_eq!(wanted.len(), 4);
        for cut in 0..=bytes.len() {
            let mut strings = Strings::default();
            strings.push(&bytes[..cut]);
            let mut got = all(&mut strings);
            strings.push(&bytes[cut..]);
            got.extend(all(&mut strings));
            assert_eq!(got, wanted, "cut at {cut}");
        }
        let mut strings = Strings::default();
        let mut got = vec![];
        for byte in &bytes {
            strings.push(&[*byte]);
            got.extend(all(&mut strings));
        }
        assert_eq!(got, wanted);
    }

    /// 255 bytes and the zero fit; one more is refused, and as soon as it is there, for the zero
    /// may never come.
    #[test]
    fn a_string_has_at_most_256_bytes_with_its_zero() {
        let mut strings = Strings::default();
        strings.push(&[b'n'; 255]);
        assert_eq!(strings.string(), Ok(None));
        strings.push(&[0]);
        assert_eq!(strings.string().map(|string| string.map(|string| string.len())), Ok(Some(255)));
        strings.push(&[b'n'; 256]);
        assert_eq!(strings.string(), Err(MalformedReason::TooLong));
    }

    /// A status and what follows the strings are bytes of the same stream.
    #[test]
    fn bytes_before_and_after_strings_are_kept() {
        let mut strings = Strings::default();
        strings.push(b"0");
        assert_eq!(strings.byte(), Some(b'0'));
        strings.push(b"5\0ab\0cd");
        assert_eq!(strings.string(), Ok(Some("5".to_owned())));
        assert_eq!(strings.rest(), b"ab\0cd");
        assert!(strings.is_empty());
    }
}
