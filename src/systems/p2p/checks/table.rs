//! The assignment's table as its document has it, for checks: statuses of each service, and the
//! names that can be.
//!
//! The protocol has read the same document, in `service`. A check that asked the protocol would
//! repeat its errors, so the two have nothing in common.

use crate::systems::p2p::vocabulary::Service;

/// The last status of a row: "fail".
pub fn fail_status(service: Service) -> u8 {
    match service {
        Service::Register => 2,
        Service::Unregister => 2,
        Service::Connect => 3,
        Service::Disconnect => 3,
        Service::Publish => 4,
        Service::Delete => 4,
        Service::ListUsers => 3,
        Service::ListContent => 4,
        Service::GetFile => 2,
    }
}

/// A string of the protocol has at most 256 bytes, and the last one is the zero.
const STRING_BYTES_MAX: usize = 256;

/// Whether a user or a file can have this name: a string that is not empty, in which nothing is
/// blank or invisible, and which stands for one file of one folder. The ending `.part` is kept for
/// files that are on their way.
pub fn can_be_a_name(text: &str) -> bool {
    let one_word = text.split_whitespace().eq([text]);
    let one_file = !matches!(text, "." | "..") && text.split(['/', '\\']).eq([text]);
    one_word && one_file && can_be_sent(text) && !text.ends_with(".part")
}

/// Whether a text fits in a string of a request.
pub fn can_be_sent(text: &str) -> bool {
    text.len() < STRING_BYTES_MAX && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The limit counts the zero at the end, and a name never leads anywhere else.
    #[test]
    fn names_are_words_of_255_bytes() {
        assert!(can_be_a_name(&"n".repeat(255)) && can_be_a_name("song.txt"));
        let long = "n".repeat(256);
        for bad in ["", " ", "a b", "a\u{7}", ".", "..", "a/b", "a\\b", "song.part", &long] {
            assert!(!can_be_a_name(bad), "{bad:?}");
        }
    }
}
