//! The pictures of audio: what was buffered, played and heard.

pub(crate) mod audio_buffer;
pub(crate) mod audio_playout;
pub(crate) mod audio_waveform;

#[cfg(test)]
mod tests;

pub use audio_buffer::AUDIO_BUFFER;
pub use audio_playout::AUDIO_PLAYOUT;
pub use audio_waveform::AUDIO_WAVEFORM;

use crate::plots::{CLOCK_OFFSETS, MESSAGES, Plot, REPLICATION_LAG, ROLES, SPACE_TIME};

/// The plots that make sense for this system, in the order of a report.
pub static PLOTS: &[&Plot] = &[
    &AUDIO_PLAYOUT,
    &AUDIO_BUFFER,
    &AUDIO_WAVEFORM,
    &ROLES,
    &REPLICATION_LAG,
    &SPACE_TIME,
    &MESSAGES,
    &CLOCK_OFFSETS,
];
