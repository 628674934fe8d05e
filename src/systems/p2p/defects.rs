//! The defects that can be planted, and the state that only they need.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use super::directory::Arrived;
use super::journal::{self, Entry};
use super::message::P2pMessage;
use super::node::{Ctx, P2pTimer};
use super::outbox::{self, Outbox};
use super::records::{record, sound_beginning};
use crate::defects::defects;
use crate::node::DiskOp;
use crate::node::{NodeId, StreamId};

defects! {
    // The directory.
    RetryNotIdempotent "retry-not-idempotent" "p2p_directory_linearizable" "p2p/lost-answers" 2
        "A request that is repeated because its answer was lost is executed again: `register` \
            turns into \"in use\"."
    LostOnCrash "lost-on-crash" "p2p_directory_linearizable" "p2p/directory-crashes" 3
        "The directory's tables are rewritten in place, and a crash in the middle leaves a mixture."
    EarlyAnswer "early-answer" "p2p_directory_linearizable" "p2p/directory-crashes" 2
        "The directory answers before what it has done is on the disk."
    GhostUser "ghost-user" "p2p_ghosts_vanish" "p2p/peer-crashes" 2
        "A peer that crashed stays connected for ever."
    GhostFiles "ghost-files" "p2p_directory_linearizable" "p2p/coming-and-going" 2
        "What a user has published is not forgotten when it disconnects."
    AnyHost "any-host" "p2p_directory_linearizable" "p2p/borrowed-names" 2
        "The directory asks whether a user is connected, but not from where: anybody publishes and \
            disconnects in the name of others."
    DoubleConnect "double-connect" "p2p_script" "p2p/table" 2
        "The directory does not look whether a user is connected already: the second connection \
            replaces the first."
    FirstAddress "first-address" "p2p_users_listed" "p2p/coming-and-going" 2
        "A user that connects again is listed at the port of its first connection."
    OneErrorCode "one-error-code" "p2p_statuses" "p2p/coming-and-going" 2
        "Whatever is wrong, the status is the last of the row, \"fail\"."
    LoggerBlocks "logger-blocks" "availability" "p2p/logger-down" 2
        "The directory waits for the logging server before it answers."
    LoggedFirst "logged-first" "p2p_operation_log" "p2p/directory-crashes" 2
        "An operation is reported to the logging server before it is executed."
    OneRead "one-read" "p2p_directory_linearizable" "p2p/bytes-in-pieces" 2
        "The directory takes what one read gives for whole strings, however the bytes were cut on \
            their way."
    MalformedKills "malformed-kills" "no_panic" "p2p/hostile-connections" 2
        "Bytes that are not a request end the directory's process."
    OneAtATime "one-at-a-time" "availability" "p2p/hostile-connections" 2
        "The directory serves one connection after the other, and a silent one keeps all others \
            waiting."
    // Peers.
    StaleAddress "stale-address" "p2p_published_is_fetched" "p2p/moved-peer" 2
        "After a transfer that failed, the peer does not ask for the addresses again."
    PartialFile "partial-file" "p2p_files_whole" "p2p/cut-transfers" 2
        "The peer takes the end of the connection for the end of the file: a broken transfer \
            leaves a short file, reported OK."
    OverwriteFirst "overwrite-first" "p2p_failure_leaves_files" "p2p/cut-transfers" 2
        "The peer writes a file under its final name from the first byte on, over what was there."
    UnpublishedServed "unpublished-served" "p2p_only_published_served" "p2p/coming-and-going" 2
        "The sharing peer does not look at its list of published files before it sends."
    WithdrawnServed "withdrawn-served" "p2p_only_published_served" "p2p/coming-and-going" 2
        "What its user deletes at the directory stays on the sharing peer's own list."
    PathTraversal "path-traversal" "p2p_only_published_served" "p2p/paths" 2
        "The sharing peer compares only the last part of the path with its list, and opens the \
            whole path."
    WaitsForEver "waits-for-ever" "p2p_answered_in_time" "p2p/cut-transfers" 2
        "The peer does not notice the end of a connection while a file comes, and sets no time \
            limit."
    OwnClock "own-clock" "p2p_dates" "p2p/date-service-down" 2
        "When the date service does not answer, a peer writes the date of its own clock."
}

/// What only defects of the directory keep. Without them all of it stays empty.
#[derive(Debug, Default)]
pub struct DefectState {
    /// `one-at-a-time`: open connections in the order in which they came; the first is served.
    turns: VecDeque<StreamId>,
    /// `logger-blocks`, `logged-first`: requests that are whole and not executed.
    waiting: VecDeque<Arrived>,
    /// `logger-blocks`: the answer that waits for the logging server, and where it goes.
    withheld: Option<(StreamId, Vec<u8>)>,
    /// `lost-on-crash`: all records of the file that is overwritten in place, oldest first.
    records: Vec<Vec<u8>>,
}

/// `logged-first`: how long the directory takes a call of the logging server to last.
const CALL: Duration = Duration::from_millis(15);
/// `lost-on-crash`: the file that is overwritten in place.
const TABLES: &str = "tables";

impl DefectState {
    /// A connection waits for its turn.
    pub fn queue(&mut self, stream: StreamId) {
        self.turns.push_back(stream);
    }

    /// Whether a connection is served now: without the defect each one is.
    pub fn has_turn(&self, stream: StreamId) -> bool {
        self.turns.front().is_none_or(|first| *first == stream)
    }

    /// A connection has ended. The one that is served next, if that has changed.
    pub fn next_turn(&mut self, ended: StreamId) -> Option<StreamId> {
        let was_first = self.turns.front() == Some(&ended);
        self.turns.retain(|stream| *stream != ended);
        self.turns.front().copied().filter(|_| was_first)
    }

    /// A request is executed in the step that brings its last byte: it is given back. `None`: a
    /// defect keeps it for later.
    pub fn executed_now(
        &mut self,
        ctx: &mut Ctx<'_>,
        planted: Planted,
        outbox: &Outbox,
        logger: Option<NodeId>,
        arrived: Arrived,
    ) -> Option<Arrived> {
        if self.withheld.is_some() {
            self.waiting.push_back(arrived);
            return None;
        }
        if !planted.plants(Defect::LoggedFirst) {
            return Some(arrived);
        }
        let sequence = outbox.last() + self.waiting.len() as u64 + 1;
        if let Some(logger) = logger {
            let lines = [outbox::line(sequence, &arrived.request)].into();
            ctx.send(logger, P2pMessage::Report { lines });
        }
        self.waiting.push_back(arrived);
        ctx.set_timer(P2pTimer::Execute, CALL);
        None
    }

    /// The requests that were reported first, in order: the call should have returned.
    pub fn reported_first(&mut self) -> VecDeque<Arrived> {
        std::mem::take(&mut self.waiting)
    }

    /// An answer waits until the logging server has all lines.
    pub fn withhold(&mut self, stream: StreamId, answer: Vec<u8>) {
        self.withheld = Some((stream, answer));
    }

    /// Give the answer that waited, if the logging server has all lines now. The request that is
    /// next.
    pub fn answer_withheld(&mut self, ctx: &mut Ctx<'_>, outbox: &Outbox) -> Option<Arrived> {
        if outbox.confirmed() < outbox.last() {
            return None;
        }
        let (stream, answer) = self.withheld.take()?;
        ctx.write(stream, answer);
        ctx.close(stream);
        self.waiting.pop_front()
    }

    /// What the file that is overwritten in place says, up to its first break.
    pub fn recover_tables(&mut self, ctx: &Ctx<'_>) -> Vec<Entry> {
        let mut records = sound_beginning(&ctx.read(TABLES).unwrap_or_default());
        records.reverse();
        self.records =
            records.iter().map(|strings| record(strings.iter().map(String::as_str))).collect();
        records.iter().filter_map(|strings| journal::decode(strings)).collect()
    }

    /// Overwrite the file in place, the newest record first.
    pub fn overwrite_tables(&mut self, ctx: &mut Ctx<'_>, entry: &Entry) {
        self.records.push(journal::encode(entry));
        let bytes = self.records.iter().rev().flatten().copied().collect();
        ctx.save(DiskOp::Overwrite { file: TABLES.into(), bytes });
    }
}

/// What only a defect of the tables keeps.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TablesDefectState {
    /// `first-address`: the port of each user's first connection since it has registered.
    first_ports: BTreeMap<String, u16>,
}

impl TablesDefectState {
    /// A user has connected.
    pub fn connected(&mut self, user: &str, port: u16) {
        self.first_ports.entry(user.to_owned()).or_insert(port);
    }

    /// A user has given its name up.
    pub fn unregistered(&mut self, user: &str) {
        self.first_ports.remove(user);
    }

    /// The port of its first connection, if it is another one than this.
    pub fn other_port(&self, user: &str, port: u16) -> Option<u16> {
        self.first_ports.get(user).copied().filter(|first| *first != port)
    }
}
