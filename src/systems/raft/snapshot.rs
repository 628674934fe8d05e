//! Snapshots and log compaction (§7): taking them, sending them in pieces, installing them.

use std::rc::Rc;

use xxhash_rust::xxh3::xxh3_64;

use super::configuration::Configuration;
use super::defects::Defect;
use super::host::Host;
use super::log::{Bytes, Log};
use super::message::{InstallSnapshot, InstallSnapshotResponse, RaftMessage};
use super::replication::Transfer;
use super::server::Raft;
use super::sessions::Sessions;
use super::state_machine::StateMachine;
use super::storage::Storage;
use super::types::{LogIndex, Term};
use super::vocabulary as events;
use crate::codec::{Reader, Writer};
use crate::trace::NodeId;
use crate::vocabulary::Digest64;

/// A snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Snapshot {
    /// The last entry that it covers.
    pub index: LogIndex,
    /// The term of that entry.
    pub term: Term,
    /// The hash of all entries up to it, with which the chain goes on.
    pub chain: u64,
    /// The last configuration up to it, and where that stood.
    pub config: (LogIndex, Rc<Configuration>),
    /// The client sessions.
    pub sessions: Sessions,
    /// The state machine.
    pub machine: Bytes,
    /// The hash of sessions and state machine.
    pub state: u64,
    /// All of it as on the disk and on the wire.
    pub encoded: Bytes,
}

impl Snapshot {
    /// A snapshot of this state.
    pub fn new(
        index: LogIndex,
        term: Term,
        chain: u64,
        config: (LogIndex, Rc<Configuration>),
        sessions: Sessions,
        machine: Vec<u8>,
    ) -> Snapshot {
        let mut writer = Writer::default();
        writer.u64(index.0);
        writer.u64(term.0);
        writer.u64(chain);
        writer.u64(config.0.0);
        config.1.encode(&mut writer);
        let state_at = writer.0.len();
        sessions.encode(&mut writer);
        writer.bytes(&machine);
        let state = xxh3_64(&writer.0[state_at..]);
        writer.u64(xxh3_64(&writer.0));
        Snapshot {
            index,
            term,
            chain,
            config,
            sessions,
            machine: machine.into(),
            state,
            encoded: writer.0.into(),
        }
    }

    /// A snapshot from its bytes; `None` where they are damaged.
    pub fn decode(encoded: Bytes) -> Option<Snapshot> {
        let (content, checksum) = encoded.split_at_checked(encoded.len().checked_sub(8)?)?;
        if Reader(checksum).u64()? != xxh3_64(content) {
            return None;
        }
        let mut reader = Reader(content);
        let (index, term, chain) = (LogIndex(reader.u64()?), Term(reader.u64()?), reader.u64()?);
        let config = (LogIndex(reader.u64()?), Rc::new(Configuration::decode(&mut reader)?));
        let state = xxh3_64(reader.0);
        let sessions = Sessions::decode(&mut reader)?;
        let machine = reader.bytes()?.into();
        Some(Snapshot {
            index,
            term,
            chain,
            config,
            sessions,
            machine,
            state,
            encoded: encoded.clone(),
        })
    }
}

/// A snapshot that has arrived in part.
#[derive(Clone, Debug, Default)]
pub struct PartialSnapshot {
    index: LogIndex,
    term: Term,
    bytes: Vec<u8>,
}

impl<S: StateMachine> Raft<S> {
    /// The index of the last snapshot.
    pub fn snapshot_index(&self) -> LogIndex {
        self.snapshot.as_ref().map_or(LogIndex::ZERO, |snapshot| snapshot.index)
    }

    /// Take a snapshot if enough was applied since the last one.
    pub(super) fn maybe_take_snapshot(&mut self, host: &mut impl Host) {
        let threshold = self.settings.snapshot_threshold;
        if threshold == 0 || (self.last_applied.since(self.snapshot_index()) as u64) < threshold {
            return;
        }
        let index = self.last_applied;
        let (Some(term), Some(chain)) = (self.log.term(index), self.log.chain(index)) else {
            unreachable!("entry {index} was applied just now, so it is in the log")
        };
        let config = self.config_at(index).clone();
        let machine = self.machine.snapshot();
        let covered = if self.plants(Defect::SnapshotOffByOne) { index.prev() } else { index };
        let snapshot =
            Rc::new(Snapshot::new(covered, term, chain, config, self.sessions.clone(), machine));
        let (chain, state) = (Digest64(chain), Digest64(snapshot.state));
        host.emit(events::SnapshotTake { index, term, chain, state });
        self.log.compact(LogIndex(index.0.saturating_sub(self.settings.snapshot_trailing)));
        self.save_compaction(host, &snapshot);
        self.snapshot = Some(snapshot);
    }

    /// The snapshot first, then the log that it shortens: a crash in between must not leave a gap.
    fn save_compaction(&mut self, host: &mut impl Host, snapshot: &Snapshot) {
        let log_first = self.plants(Defect::CompactionBeforeSnapshot);
        if log_first {
            self.storage.rewrite_log(host, &self.log);
        }
        Storage::save_snapshot(host, snapshot);
        if !log_first {
            self.storage.rewrite_log(host, &self.log);
        }
    }

    /// Send the piece of the snapshot that `peer` lacks next, beginning a transfer if there is
    /// none.
    pub(super) fn send_snapshot(&mut self, host: &mut impl Host, peer: NodeId) {
        let Some(newest) = &self.snapshot else {
            unreachable!("only a snapshot can make the log begin later than it did")
        };
        let progress = self.leader.progress.get_mut(&peer).expect("the caller has looked");
        let transfer = progress.begin_transfer(newest);
        let chunk = self.settings.snapshot_chunk;
        let bytes = &transfer.snapshot.encoded;
        let end = bytes.len().min(transfer.offset + chunk);
        let piece = InstallSnapshot {
            term: self.current_term,
            round: self.leader.round,
            last_included_index: transfer.snapshot.index,
            last_included_term: transfer.snapshot.term,
            offset: transfer.offset,
            data: bytes[transfer.offset..end].into(),
            done: end == bytes.len(),
        };
        host.send(peer, RaftMessage::InstallSnapshot(piece));
    }

    pub(super) fn on_install_snapshot(
        &mut self,
        host: &mut impl Host,
        from: NodeId,
        piece: InstallSnapshot,
    ) {
        if piece.term < self.current_term {
            return self.answer_snapshot(host, from, &piece, 0, None);
        }
        self.follow(host, piece.term, from);
        if piece.last_included_index <= self.commit_index
            && !self.plants(Defect::OldSnapshotInstalled)
        {
            // What is committed here is the same there: the snapshot is not needed, and taking it
            // would throw applied entries away.
            let committed = self.commit_index;
            return self.answer_snapshot(host, from, &piece, 0, Some(committed));
        }
        let partial = &mut self.partial;
        if piece.offset == 0
            && (partial.index, partial.term)
                != (piece.last_included_index, piece.last_included_term)
        {
            *partial = PartialSnapshot {
                index: piece.last_included_index,
                term: piece.last_included_term,
                bytes: Vec::new(),
            };
        }
        let expected =
            (partial.index, partial.term) == (piece.last_included_index, piece.last_included_term);
        if !expected || piece.offset != partial.bytes.len() {
            let next = if expected { partial.bytes.len() } else { 0 };
            return self.answer_snapshot(host, from, &piece, next, None);
        }
        partial.bytes.extend_from_slice(&piece.data);
        if !piece.done {
            let next = partial.bytes.len();
            return self.answer_snapshot(host, from, &piece, next, None);
        }
        let partial = std::mem::take(partial);
        match Snapshot::decode(partial.bytes.into()) {
            Some(snapshot) => {
                let index = snapshot.index;
                self.install(host, snapshot);
                self.answer_snapshot(host, from, &piece, 0, Some(index));
            }
            // The pieces came from two leaders whose snapshots are not the same byte by byte: once
            // more from the beginning.
            None => self.answer_snapshot(host, from, &piece, 0, None),
        }
    }

    fn answer_snapshot(
        &self,
        host: &mut impl Host,
        to: NodeId,
        piece: &InstallSnapshot,
        next_offset: usize,
        match_index: Option<LogIndex>,
    ) {
        let (term, round, last_included_index) =
            (self.current_term, piece.round, piece.last_included_index);
        let answer =
            InstallSnapshotResponse { term, round, last_included_index, next_offset, match_index };
        host.send(to, RaftMessage::InstallSnapshotResponse(answer));
    }

    /// Replace the state by a snapshot's.
    fn install(&mut self, host: &mut impl Host, snapshot: Snapshot) {
        let (index, term) = (snapshot.index, snapshot.term);
        if self.log.term(index) == Some(term) {
            // "If existing log entry has same index and term as snapshot's last included entry,
            // retain log entries following it" (figure 13).
            self.log.compact(index);
        } else {
            // A log that contradicts the snapshot is discarded as a whole.
            let suffix = self.log.entries(index.next(), usize::MAX);
            self.log = Log::after(index, term, snapshot.chain);
            if !suffix.is_empty() && self.plants(Defect::SuffixKept) {
                self.append(host, &suffix);
            }
        }
        self.adopt_snapshot_config(host, &snapshot);
        self.machine.restore(&snapshot.machine);
        self.sessions = snapshot.sessions.clone();
        (self.commit_index, self.last_applied) = (index, index);
        let (chain, state) = (Digest64(snapshot.chain), Digest64(snapshot.state));
        host.emit(events::SnapshotInstall { index, term, chain, state });
        Storage::save_snapshot(host, &snapshot);
        self.storage.rewrite_log(host, &self.log);
        self.snapshot = Some(Rc::new(snapshot));
        self.after_applying(host);
    }

    pub(super) fn on_install_snapshot_response(
        &mut self,
        host: &mut impl Host,
        from: NodeId,
        answer: InstallSnapshotResponse,
    ) {
        if !self.is_answer_to_leader(host, from, answer.term, answer.round) {
            return;
        }
        if let Some(match_index) = answer.match_index {
            return self.on_match(host, from, match_index);
        }
        let Some(progress) = self.leader.progress.get_mut(&from) else { return };
        let Some(Transfer { snapshot, offset }) = &mut progress.transfer else { return };
        // Only an answer that moves the transfer on is followed by a piece: else each doubled
        // message would double all that follow.
        if snapshot.index == answer.last_included_index
            && answer.next_offset != *offset
            && answer.next_offset < snapshot.encoded.len()
        {
            *offset = answer.next_offset;
            self.send_snapshot(host, from);
        }
    }
}
