//! Bytes for disks and for commands: numbers in little-endian order, texts with their length,
//! nothing else.

/// Appends values to a buffer.
#[derive(Clone, Debug, Default)]
pub struct Writer(pub Vec<u8>);

impl Writer {
    /// A byte.
    pub fn byte(&mut self, value: u8) -> &mut Writer {
        self.put(&[value])
    }

    /// 32 bits.
    pub fn u32(&mut self, value: u32) -> &mut Writer {
        self.put(&value.to_le_bytes())
    }

    /// 64 bits.
    pub fn u64(&mut self, value: u64) -> &mut Writer {
        self.put(&value.to_le_bytes())
    }

    /// 64 bits with a sign.
    pub fn i64(&mut self, value: i64) -> &mut Writer {
        self.put(&value.to_le_bytes())
    }

    /// Bytes, with their number before them.
    pub fn bytes(&mut self, value: &[u8]) -> &mut Writer {
        self.u32(u32::try_from(value.len()).expect("a field is shorter than 4 GiB"));
        self.put(value)
    }

    /// Bytes as they are.
    pub fn put(&mut self, value: &[u8]) -> &mut Writer {
        self.0.extend_from_slice(value);
        self
    }
}

/// Takes values from the front of a slice; `None` if it is too short.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    /// This many bytes.
    pub fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// As many bytes as the array holds.
    pub fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    /// A byte.
    pub fn byte(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// 32 bits.
    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    /// 64 bits.
    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    /// 64 bits with a sign.
    pub fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    /// Bytes with their number before them.
    pub fn bytes(&mut self) -> Option<&'a [u8]> {
        let len = self.u32()?;
        self.take(len as usize)
    }

    /// Text with its length before it.
    pub fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What was written is read back, and every beginning of it is too short for the last value.
    #[test]
    fn values_are_read_as_they_were_written() {
        let mut writer = Writer::default();
        writer.byte(7).u32(8).u64(9).i64(-10).bytes("ñandú".as_bytes());
        let read = |bytes| {
            let mut reader = Reader(bytes);
            let numbers = (reader.byte()?, reader.u32()?, reader.u64()?, reader.i64()?);
            Some((numbers, reader.text()?.to_owned()))
        };
        assert_eq!(read(writer.0.as_slice()), Some(((7, 8, 9, -10), "ñandú".to_owned())));
        for len in 0..writer.0.len() {
            assert_eq!(read(&writer.0[..len]), None);
        }
    }

    /// A length that the bytes do not have reads nothing, however large it is.
    #[test]
    fn a_length_beyond_the_end_reads_nothing() {
        let mut reader = Reader(&[0xff; 12]);
        assert_eq!(reader.bytes(), None);
    }
}
