//! A message in the form that programs exchange.

use std::fmt::Write;

use crate::trace::{Detail, Word};

/// A message that a program sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ProgramMessage {
    /// Its `type`.
    pub kind: Word,
    /// The whole object.
    pub body: serde_json::Value,
    /// Its length as JSON.
    pub bytes: u32,
}

/// The trace shows at most this many characters of a message's content.
const DETAIL_MAX: usize = 120;

impl ProgramMessage {
    /// The fields of the message besides its type, shortened.
    pub(crate) fn detail(&self) -> Detail {
        let mut text = String::new();
        for (name, value) in
            self.body.as_object().into_iter().flatten().filter(|(name, _)| *name != "type")
        {
            let space = if text.is_empty() { "" } else { " " };
            // A text takes whatever is written to it.
            let _ = write!(text, "{space}{name}={value}");
        }
        if let Some((end, _)) = text.char_indices().nth(DETAIL_MAX) {
            text.truncate(end);
            text.push('…');
        }
        Detail::Text(text.into())
    }
}
