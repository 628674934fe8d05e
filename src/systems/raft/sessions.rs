//! Client sessions: a command that a client sends again takes effect once (dissertation §6.3).
//!
//! The table is a part of the replicated state. It changes only by entries of the log, and it
//! travels in snapshots. Were a server to forget a session by its own clock, it would execute a
//! duplicate that others discard, and the states would part for ever.
//!
//! A client has one command open at a time, so the last serial number and its output are enough.

use std::collections::BTreeMap;

use super::log::{Bytes, Command};
use super::types::LogIndex;
use crate::codec::{Reader, Writer};
use crate::trace::NodeId;

/// What is remembered of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Whose it is.
    pub client: NodeId,
    /// The last command that took effect; 0 before the first.
    pub serial: u64,
    /// Where it stood in the log.
    pub index: LogIndex,
    /// What it gave.
    pub output: Bytes,
    /// The last entry that used the session.
    pub used: LogIndex,
}

/// What a session knows of a command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// It has not taken effect yet.
    New,
    /// It has, there, with that output.
    Done(LogIndex, Bytes),
    /// The client has gone on since.
    Outdated,
    /// There is no such session, or no longer; whether the command took effect is unknown.
    Expired,
}

/// The sessions, by the index of the entry that opened them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sessions {
    table: BTreeMap<LogIndex, Session>,
}

impl Sessions {
    /// Open a session by the entry at `index`, and forget those that no entry has used for `expiry`
    /// entries (0: none).
    pub fn open(&mut self, index: LogIndex, client: NodeId, expiry: u64) {
        if expiry > 0 {
            self.table.retain(|_, session| session.used.0 + expiry >= index.0);
        }
        self.table.insert(
            index,
            Session { client, serial: 0, index, output: Bytes::from([]), used: index },
        );
    }

    /// What is known of a command.
    pub fn lookup(&self, session: LogIndex, serial: u64) -> Lookup {
        match self.table.get(&session) {
            None => Lookup::Expired,
            Some(session) if serial > session.serial => Lookup::New,
            Some(session) if serial == session.serial => {
                Lookup::Done(session.index, session.output.clone())
            }
            Some(_) => Lookup::Outdated,
        }
    }

    /// An entry at `index` repeats an old command: that keeps the session alive.
    pub fn touch(&mut self, session: LogIndex, index: LogIndex) {
        if let Some(session) = self.table.get_mut(&session) {
            session.used = index;
        }
    }

    /// A command has taken effect at `index`.
    pub fn record(&mut self, command: &Command, index: LogIndex, output: Bytes) {
        if let Some(session) = self.table.get_mut(&command.session) {
            (session.serial, session.index, session.output, session.used) =
                (command.serial, index, output, index);
        }
    }

    /// Forget a session.
    pub fn end(&mut self, session: LogIndex) {
        self.table.remove(&session);
    }

    /// For the snapshot.
    pub fn encode(&self, writer: &mut Writer) {
        writer.u32(self.table.len() as u32);
        for (id, session) in &self.table {
            writer.u64(id.0);
            writer.u32(session.client.0);
            writer.u64(session.serial);
            writer.u64(session.index.0);
            writer.bytes(&session.output);
            writer.u64(session.used.0);
        }
    }

    /// Read what [`Sessions::encode`] wrote.
    pub fn decode(reader: &mut Reader<'_>) -> Option<Sessions> {
        let count = reader.u32()?;
        let table = (0..count).map(|_| {
            let id = LogIndex(reader.u64()?);
            let client = NodeId(reader.u32()?);
            let (serial, index) = (reader.u64()?, LogIndex(reader.u64()?));
            let output = reader.bytes()?.into();
            Some((id, Session { client, serial, index, output, used: LogIndex(reader.u64()?) }))
        });
        Some(Sessions { table: table.collect::<Option<_>>()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(serial: u64) -> Command {
        Command { client: NodeId(5), session: LogIndex(1), serial, bytes: Bytes::from([]) }
    }

    /// The one rule: a serial number that is not greater than the last one is not a new command.
    #[test]
    fn a_repeated_command_is_recognised() {
        let mut sessions = Sessions::default();
        assert_eq!(sessions.lookup(LogIndex(1), 1), Lookup::Expired);
        sessions.open(LogIndex(1), NodeId(5), 0);
        assert_eq!(sessions.lookup(LogIndex(1), 4), Lookup::New, "serial numbers may have gaps");
        sessions.record(&command(4), LogIndex(9), b"ok".as_slice().into());
        assert_eq!(
            sessions.lookup(LogIndex(1), 4),
            Lookup::Done(LogIndex(9), b"ok".as_slice().into())
        );
        assert_eq!(sessions.lookup(LogIndex(1), 3), Lookup::Outdated);
    }

    /// Expiry counts entries, which are the same on every server.
    #[test]
    fn only_the_log_ends_a_session() {
        let mut sessions = Sessions::default();
        sessions.open(LogIndex(1), NodeId(5), 10);
        sessions.touch(LogIndex(1), LogIndex(8));
        sessions.open(LogIndex(18), NodeId(6), 10);
        assert_eq!(sessions.lookup(LogIndex(1), 1), Lookup::New);
        sessions.open(LogIndex(19), NodeId(7), 10);
        assert_eq!(sessions.lookup(LogIndex(1), 1), Lookup::Expired);
    }

    /// A server that installs a snapshot knows the same duplicates as the one that took it.
    #[test]
    fn sessions_travel_in_snapshots() {
        let mut sessions = Sessions::default();
        sessions.open(LogIndex(1), NodeId(5), 0);
        sessions.record(&command(4), LogIndex(9), b"ok".as_slice().into());
        let mut writer = Writer::default();
        sessions.encode(&mut writer);
        assert_eq!(Sessions::decode(&mut Reader(&writer.0)), Some(sessions));
    }
}
