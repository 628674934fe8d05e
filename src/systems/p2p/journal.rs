//! What the directory keeps on its disk: a journal of everything that it has executed, in order.
//!
//! The tables are what the journal says when it is read from the beginning; the same journal is the
//! memory of which requests were executed with which result, and the outbox of the reports to the
//! logging server. One append makes all three durable, so none can be ahead of another.

use super::node::Ctx;
use super::records::{self, record};
use super::service::{Operation, Service};

/// The file.
const JOURNAL: &str = "journal";

/// Which request it is. A peer numbers its requests; the nonce, which it draws when its program
/// starts, tells the numbers of one start from those of another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct RequestId {
    /// Drawn by the peer at its start.
    pub nonce: u64,
    /// Counted by the peer from 1.
    pub counter: u64,
}

impl RequestId {
    /// As it stands in a request.
    pub fn wire(&self) -> String {
        format!("{:016x}-{}", self.nonce, self.counter)
    }

    /// Of a request; `None` if the text is not a number of one.
    pub fn of_wire(text: &str) -> Option<RequestId> {
        let (nonce, counter) = text.split_once('-')?;
        Some(RequestId {
            nonce: u64::from_str_radix(nonce, 16).ok()?,
            counter: counter.parse().ok()?,
        })
    }
}

/// A whole request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Date and time, as the peer was told.
    pub date: String,
    /// Which it is.
    pub id: RequestId,
    /// What it asks.
    pub operation: Operation,
}

/// An entry of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A request of this host was executed.
    Executed(String, Request),
    /// A connection has ended because its lease has.
    Expired(String),
}

/// What is on the disk, oldest first; a record that a crash has torn is cut off. Panics if one is
/// damaged.
pub fn recover(ctx: &mut Ctx<'_>) -> Vec<Entry> {
    records::recover(ctx, JOURNAL)
        .iter()
        .map(|strings| decode(strings).expect("a record with a valid checksum is an entry"))
        .collect()
}

/// Write an entry. What the step sends besides waits until it is durable.
pub fn append(ctx: &mut Ctx<'_>, entry: &Entry) {
    ctx.append(JOURNAL, encode(entry));
}

/// An entry as a record.
pub fn encode(entry: &Entry) -> Vec<u8> {
    match entry {
        Entry::Expired(user) => record(["expired", user.as_str()]),
        Entry::Executed(host, request) => {
            let id = request.id.wire();
            let head =
                ["executed", host.as_str(), &id, &request.date, request.operation.service.wire()];
            record(head.into_iter().chain(request.operation.strings.iter().map(String::as_str)))
        }
    }
}

/// The entry of a record; `None` if it holds none.
pub fn decode(strings: &[String]) -> Option<Entry> {
    match strings {
        [kind, user] if kind == "expired" => Some(Entry::Expired(user.clone())),
        [kind, host, id, date, service, strings @ ..] if kind == "executed" => {
            let operation =
                Operation { service: Service::of_wire(service)?, strings: strings.to_vec() };
            Some(Entry::Executed(
                host.clone(),
                Request { date: date.clone(), id: RequestId::of_wire(id)?, operation },
            ))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is read back is what was written.
    #[test]
    fn entries_are_read_as_they_were_written() {
        let strings = vec!["alice".to_owned(), "song.txt".into(), String::new()];
        let operation = Operation { service: Service::Publish, strings };
        let request = Request {
            date: "01/01/2026 00:00:00".into(),
            id: RequestId { nonce: 77, counter: 3 },
            operation,
        };
        for entry in [Entry::Executed("p1".into(), request), Entry::Expired("bob".into())] {
            let records = records::sound_beginning(&encode(&entry));
            assert_eq!(decode(&records[0]), Some(entry));
        }
    }
}
