//! The services of the assignment and their statuses, as the protocol knows them.
//!
//! | service | 0 | 1 | 2 | 3 | 4 |
//! |---|---|---|---|---|---|
//! | register | OK | user name in use | fail | | |
//! | unregister | OK | user does not exist | fail | | |
//! | connect | OK | user does not exist | already connected | fail | |
//! | disconnect | OK | user does not exist | not connected | fail | |
//! | publish | OK | user does not exist | not connected | already published | fail |
//! | delete | OK | user does not exist | not connected | not published | fail |
//! | list_users | OK | user does not exist | not connected | fail | |
//! | list_content | OK | user does not exist | not connected | remote user does not exist | fail |
//! | get_file | OK | file does not exist | fail | | |
//!
//! The checks have read the same document and have a table of their own, `checks/table`: a check
//! that asked this one would repeat its errors.

pub use super::vocabulary::Service;

impl Service {
    /// All, in the order of the table.
    const ALL: [Service; 9] = [
        Service::Register,
        Service::Unregister,
        Service::Connect,
        Service::Disconnect,
        Service::Publish,
        Service::Delete,
        Service::ListUsers,
        Service::ListContent,
        Service::GetFile,
    ];

    /// Its name in a request.
    pub(super) fn wire(self) -> &'static str {
        match self {
            Service::Register => "REGISTER",
            Service::Unregister => "UNREGISTER",
            Service::Connect => "CONNECT",
            Service::Disconnect => "DISCONNECT",
            Service::Publish => "PUBLISH",
            Service::Delete => "DELETE",
            Service::ListUsers => "LIST_USERS",
            Service::ListContent => "LIST_CONTENT",
            Service::GetFile => "GET_FILE",
        }
    }

    /// The service that a request to the directory names.
    pub(super) fn of_wire(name: &str) -> Option<Service> {
        Service::ALL
            .into_iter()
            .find(|service| service.wire() == name && *service != Service::GetFile)
    }

    /// The status that only says that it did not work: the last of the row.
    pub(super) fn fail(self) -> u8 {
        match self {
            Service::Register | Service::Unregister | Service::GetFile => 2,
            Service::Connect | Service::Disconnect | Service::ListUsers => 3,
            Service::Publish | Service::Delete | Service::ListContent => 4,
        }
    }

    /// How many strings each entry of its list has; 0 if it answers with a status alone.
    pub(super) fn width(self) -> usize {
        match self {
            Service::ListUsers => 3,
            Service::ListContent => 1,
            _ => 0,
        }
    }

    /// How many strings follow the date and the number of a request to the directory.
    pub(super) fn arity(self) -> usize {
        match self {
            Service::Register | Service::Unregister | Service::Disconnect | Service::ListUsers => 1,
            Service::Connect | Service::Delete | Service::ListContent => 2,
            Service::Publish => 3,
            Service::GetFile => 0,
        }
    }
}

/// An operation as the directory gets it: the user first, then a port, a file, a description or
/// another user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The service.
    pub service: Service,
    /// As many strings as [`Service::arity`] says.
    pub strings: Vec<String>,
}

impl Operation {
    /// The user that asks.
    pub fn user(&self) -> &str {
        self.strings.first().map_or("", String::as_str)
    }

    /// What comes after the user; empty if nothing does.
    pub fn argument(&self) -> &str {
        self.strings.get(1).map_or("", String::as_str)
    }

    /// The file that the operation is about; empty for the others.
    pub fn file(&self) -> &str {
        match self.service {
            Service::Publish | Service::Delete => self.argument(),
            _ => "",
        }
    }
}

/// What the directory answers: a digit, and for the lists what follows it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The digit of the table.
    pub status: u8,
    /// Of `list_users` name, host and port of each, one after the other; of `list_content` the
    /// files.
    pub items: Vec<String>,
}

impl Reply {
    /// A digit alone.
    pub fn status(status: u8) -> Reply {
        Reply { status, items: vec![] }
    }
}

/// The longest name, file name or description, bytes, without the zero behind it.
pub const NAME_BYTES_MAX: usize = 255;

/// Whether a user or a file may have this name: 1 to 255 bytes, no blanks, no control characters,
/// and nothing that leads out of a folder. The ending `.part` belongs to files that are still on
/// their way.
pub fn good_name(name: &str) -> bool {
    let letters =
        !name.contains(|c: char| c.is_whitespace() || c.is_control() || c == '/' || c == '\\');
    (1..=NAME_BYTES_MAX).contains(&name.len())
        && letters
        && name != "."
        && name != ".."
        && !name.ends_with(".part")
}

/// Whether a text can stand in a request at all.
pub fn good_text(text: &str) -> bool {
    text.len() <= NAME_BYTES_MAX && !text.contains(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name of 255 bytes is the longest; one byte more, a blank or a way out of the folder is
    /// refused.
    #[test]
    fn names_have_limits() {
        assert!(good_name(&"n".repeat(255)) && !good_name(&"n".repeat(256)));
        assert!(
            !good_name("")
                && !good_name("a b")
                && !good_name("../secret")
                && !good_name("..")
                && !good_name("song.part")
        );
    }

    /// Wire names lead back to their services, but for `GET_FILE`, which peers ask of each other.
    #[test]
    fn wire_names_lead_back_to_services() {
        assert_eq!(Service::ALL.map(Service::word), Service::WORDS);
        for service in Service::ALL {
            assert_eq!(
                Service::of_wire(service.wire()),
                Some(service).filter(|service| *service != Service::GetFile)
            );
        }
    }
}
