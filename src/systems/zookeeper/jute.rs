//! Records as bytes, in the manner of jute, ZooKeeper's serialisation: numbers big-endian, buffers
//! and strings with their length before them.

pub use crate::codec::{Reader, Writer};

/// Appends the values of jute to a buffer.
pub trait JuteWriter {
    /// 32 bits.
    fn int(&mut self, value: i32);
    /// 64 bits.
    fn long(&mut self, value: u64);
    /// Bytes, with their number before them.
    fn buffer(&mut self, value: &[u8]);

    /// Text, with its length before it.
    fn string(&mut self, value: &str) {
        self.buffer(value.as_bytes());
    }
}

impl JuteWriter for Writer {
    fn int(&mut self, value: i32) {
        self.put(&value.to_be_bytes());
    }

    fn long(&mut self, value: u64) {
        self.put(&value.to_be_bytes());
    }

    fn buffer(&mut self, value: &[u8]) {
        self.int(i32::try_from(value.len()).expect("a field is shorter than 2 GiB"));
        self.put(value);
    }
}

/// Takes the values of jute from the front of a slice; `None` if it is too short.
pub trait JuteReader<'a> {
    /// 32 bits.
    fn int(&mut self) -> Option<i32>;
    /// 64 bits.
    fn long(&mut self) -> Option<u64>;
    /// Bytes with their number before them.
    fn buffer(&mut self) -> Option<&'a [u8]>;

    /// Text with its length before it.
    fn string(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.buffer()?).ok()
    }
}

impl<'a> JuteReader<'a> for Reader<'a> {
    fn int(&mut self) -> Option<i32> {
        self.array().map(i32::from_be_bytes)
    }

    fn long(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    fn buffer(&mut self) -> Option<&'a [u8]> {
        let len = usize::try_from(self.int()?).ok()?;
        self.take(len)
    }
}
