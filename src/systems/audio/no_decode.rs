//! What stands in for the decoder where the library is built without its feature `sound`: no file
//! can be played, and a scenario that names one is told so.

use std::time::Duration;

use super::song::Song;

/// See the decoder.
pub struct Decoded {
    /// The sound.
    pub song: Song,
    /// `wave`, `mp3`, `ogg`.
    pub format: &'static str,
}

/// See the decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// Give up.
    Refuse,
    /// Leave it out.
    Skip,
}

/// No file is decoded.
pub fn decode(_bytes: &[u8], _until: Duration, _damage: Damage) -> Result<Decoded, String> {
    Err("seedbed was built without its feature `sound`, which decodes it".to_owned())
}
