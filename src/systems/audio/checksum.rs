//! The checksum that protects frames and uploads on the wire.
//!
//! XXH3 is the better one: 64 bits, and as fast as memory. CRC-32 is in every language's standard
//! library, and finds what a network does to a frame as surely; it is there for programs that take
//! a node's place.

use xxhash_rust::xxh3::xxh3_64;

use crate::choices;

choices! {
    /// The function by which both sides sum up bytes.
    #[derive(Default)]
    pub enum Checksum {
        /// XXH3, 64 bits.
        #[default]
        Xxh3 "xxh3",
        /// CRC-32 as in zlib, PNG and Ethernet (ISO 3309), 32 bits.
        Crc32 "crc32",
    }
}

impl Checksum {
    /// Of these bytes.
    pub fn of(self, bytes: &[u8]) -> u64 {
        match self {
            Checksum::Xxh3 => xxh3_64(bytes),
            Checksum::Crc32 => crc32fast::hash(bytes).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check value that the catalogues of CRCs give, which is what `zlib.crc32(b"123456789")`
    /// gives in Python.
    #[test]
    fn crc_32_is_that_of_zlib() {
        assert_eq!(Checksum::Crc32.of(b"123456789"), 0xcbf4_3926);
        assert_eq!(Checksum::Xxh3.of(b""), 0x2d06_8005_38d3_94c2);
    }
}
