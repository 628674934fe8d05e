//! Records as bytes, in the manner of jute, ZooKeeper's serialisation: numbers big-endian, buffers
//! and strings with their length before them.

/// Appends values to a buffer.
#[derive(Clone, Debug, Default)]
pub struct Writer(pub Vec<u8>);

impl Writer {
    /// A byte.
    pub fn byte(&mut self, value: u8) {
        self.0.push(value);
    }

    /// 32 bits.
    pub fn int(&mut self, value: i32) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    /// 64 bits.
    pub fn long(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }

    /// Bytes, with their number before them.
    pub fn buffer(&mut self, value: &[u8]) {
        self.int(i32::try_from(value.len()).expect("a field is shorter than 2 GiB"));
        self.0.extend_from_slice(value);
    }

    /// Text, with its length before it.
    pub fn string(&mut self, value: &str) {
        self.buffer(value.as_bytes());
    }
}

/// Takes values from the front of a slice; `None` where it is too short.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    /// A byte.
    pub fn byte(&mut self) -> Option<u8> {
        Some(self.take(1)?[0])
    }

    /// 32 bits.
    pub fn int(&mut self) -> Option<i32> {
        Some(i32::from_be_bytes(self.take(4)?.try_into().expect("four bytes were taken")))
    }

    /// 64 bits.
    pub fn long(&mut self) -> Option<u64> {
        Some(u64::from_be_bytes(self.take(8)?.try_into().expect("eight bytes were taken")))
    }

    /// Bytes with their number before them.
    pub fn buffer(&mut self) -> Option<&'a [u8]> {
        let len = usize::try_from(self.int()?).ok()?;
        self.take(len)
    }

    /// Text with its length before it.
    pub fn string(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.buffer()?).ok()
    }
}
