//! Log replication (§5.3): what the leader sends to whom, what a follower does with it, and what
//! becomes of the answer.
//!
//! The leader sees each follower in one of two states, as etcd/raft does. While it *probes*, it
//! looks for the last entry on which the two logs agree, one message at a time. Once an answer has
//! shown it, it *streams*: messages follow each other without waiting, up to a limit, and
//! `next_index` runs ahead of what is confirmed. A refusal means that a message was lost, and it
//! probes again.

use std::collections::VecDeque;
use std::rc::Rc;

use super::defects::Defect;
use super::host::Host;
use super::leader::LeaderState;
use super::log::{Bytes, Command, Entry, Payload};
use super::message::{AppendEntries, AppendOutcome, AppendResponse, RaftMessage};
use super::server::{Outcome, Raft, Role};
use super::sessions::Lookup;
use super::snapshot::Snapshot;
use super::state_machine::StateMachine;
use super::types::LogIndex;
use super::vocabulary as events;
use crate::node::{LocalTime, NodeId};
use crate::vocabulary::{Digest64, Optional};

/// A snapshot on its way to a follower.
#[derive(Clone, Debug)]
pub struct Transfer {
    /// Which one.
    pub snapshot: Rc<Snapshot>,
    /// Bytes that the follower has.
    pub offset: usize,
}

/// What the leader knows of a follower.
#[derive(Clone, Debug)]
pub struct FollowerProgress {
    /// The last entry that is known to be in the follower's log, durably. It only grows.
    pub match_index: LogIndex,
    /// The next entry to send.
    pub next_index: LogIndex,
    /// Whether an answer has shown where the two logs agree.
    pub streams: bool,
    /// While it probes: whether a message with entries is on its way.
    pub probe_sent: bool,
    /// While it streams: the last index of each message with entries that is not answered yet.
    pub inflight: VecDeque<LogIndex>,
    /// Messages with entries that may still go to it before the next heartbeat: any number, until a
    /// refusal breaks the stream. Without this bound, late answers could start the stream again and
    /// again, each time with a whole window of messages whose answers do the same.
    pub budget: usize,
    /// The snapshot that it needs before it can have entries.
    pub transfer: Option<Transfer>,
    /// The last round that it has answered.
    pub round: u64,
    /// When it has answered last.
    pub heard: LocalTime,
}

impl FollowerProgress {
    /// Of a follower about which nothing is known.
    pub fn new(last: LogIndex, now: LocalTime) -> FollowerProgress {
        FollowerProgress {
            match_index: LogIndex::ZERO,
            next_index: last.next(),
            streams: false,
            probe_sent: false,
            inflight: VecDeque::new(),
            budget: usize::MAX,
            transfer: None,
            round: 0,
            heard: now,
        }
    }

    /// The transfer that runs, or one of this snapshot where none has come anywhere yet.
    pub fn begin_transfer(&mut self, newest: &Rc<Snapshot>) -> &Transfer {
        if self.transfer.as_ref().is_some_and(|transfer| transfer.offset == 0) {
            self.transfer = None;
        }
        self.transfer.get_or_insert_with(|| Transfer { snapshot: newest.clone(), offset: 0 })
    }

    fn probe(&mut self, next_index: LogIndex) {
        self.next_index = next_index;
        self.streams = false;
        self.probe_sent = false;
        self.inflight.clear();
    }

    fn accepted(&mut self, match_index: LogIndex, last: LogIndex) {
        if self.transfer.as_ref().is_some_and(|transfer| match_index >= transfer.snapshot.index) {
            self.transfer = None;
        }
        let next = match_index.next().min(last.next());
        if self.streams {
            self.next_index = self.next_index.max(next);
            while self.inflight.pop_front_if(|last| *last <= match_index).is_some() {}
        } else {
            self.probe(next);
            self.streams = true;
        }
    }
}

impl<S: StateMachine> Raft<S> {
    // The leader sends.

    /// Send entries to all who can take some.
    pub(super) fn replicate(&mut self, host: &mut impl Host) {
        self.for_each_follower(|raft, peer| raft.replicate_to(host, peer));
    }

    /// A message to all, with or without entries.
    pub(super) fn show_leadership(&mut self, host: &mut impl Host) {
        self.for_each_follower(|raft, peer| {
            raft.send_append(host, peer, true);
        });
    }

    fn for_each_follower(&mut self, mut each: impl FnMut(&mut Self, NodeId)) {
        let mut after = None;
        loop {
            let next = match after {
                None => self.leader.progress.first_key_value(),
                Some(peer) => self
                    .leader
                    .progress
                    .range((std::ops::Bound::Excluded(peer), std::ops::Bound::Unbounded))
                    .next(),
            };
            let Some((&peer, _)) = next else { return };
            each(self, peer);
            after = Some(peer);
        }
    }

    fn replicate_to(&mut self, host: &mut impl Host, peer: NodeId) {
        while self.send_append(host, peer, false) {}
    }

    /// Send one `AppendEntries` (or `Heartbeat`, or piece of a snapshot) if there is something to
    /// send, as a heartbeat in any case. Returns whether more may follow.
    fn send_append(&mut self, host: &mut impl Host, peer: NodeId, heartbeat: bool) -> bool {
        let Some(progress) = self.leader.progress.get(&peer) else { return false };
        if progress.transfer.is_some() {
            // The piece is sent again with each heartbeat, and else only when the one before was
            // answered.
            if heartbeat {
                self.send_snapshot(host, peer);
            }
            return false;
        }
        let prev_log_index = progress.next_index.prev();
        let Some(prev_log_term) = self.log.term(prev_log_index) else {
            self.send_snapshot(host, peer);
            return false;
        };
        let window = if progress.streams {
            progress.inflight.len() < self.settings.max_inflight
        } else {
            heartbeat || !progress.probe_sent
        };
        let free = window && progress.budget > 0;
        let separate = heartbeat && self.settings.separate_heartbeats;
        let carries = free && !separate && progress.next_index <= self.log.last_index();
        if !carries && !heartbeat {
            return false;
        }
        let entries = if carries {
            self.log.entries(progress.next_index, self.settings.max_entries)
        } else {
            Vec::new()
        };
        let last = prev_log_index.plus(entries.len());
        let append = AppendEntries {
            term: self.current_term,
            prev_log_index,
            prev_log_term,
            leader_commit: self.commit_index,
            round: self.leader.round,
            entries,
        };
        host.send(
            peer,
            if separate {
                RaftMessage::Heartbeat(append)
            } else {
                RaftMessage::AppendEntries(append)
            },
        );
        if !carries {
            return false;
        }
        let progress = self.leader.progress.get_mut(&peer).expect("it was there above");
        progress.budget = progress.budget.saturating_sub(1);
        if progress.streams {
            progress.next_index = last.next();
            progress.inflight.push_back(last);
        } else {
            progress.probe_sent = true;
        }
        progress.streams
    }

    // The follower takes.

    /// Returns the answer; `None` where a defect keeps silent.
    pub(super) fn on_append_entries(
        &mut self,
        host: &mut impl Host,
        from: NodeId,
        append: AppendEntries,
    ) -> Option<AppendResponse> {
        if append.term < self.current_term && !self.plants(Defect::OldLeaderAccepted) {
            // This server's term in the answer tells the old leader that it is deposed. That leader
            // must not put an election off.
            if self.plants(Defect::OldLeaderResetsTimer) {
                self.reset_election_timer(host);
            }
            let outcome = self.reject(append.prev_log_index);
            return Some(AppendResponse { term: self.current_term, round: append.round, outcome });
        }
        self.follow(host, append.term, from);
        let outcome = self.take_entries(
            host,
            append.prev_log_index,
            append.prev_log_term,
            append.leader_commit,
            &append.entries,
        );
        Some(AppendResponse { term: self.current_term, round: append.round, outcome })
    }

    fn take_entries(
        &mut self,
        host: &mut impl Host,
        prev_index: LogIndex,
        prev_term: super::types::Term,
        leader_commit: LogIndex,
        mut entries: &[Rc<Entry>],
    ) -> AppendOutcome {
        let match_index = prev_index.plus(entries.len());
        let mut prev_index = prev_index;
        if prev_index < self.log.base() {
            // What a snapshot covers is committed, and so the same as the leader's.
            let covered = self.log.base().since(prev_index).min(entries.len());
            entries = &entries[covered..];
            prev_index = prev_index.plus(covered);
            if entries.is_empty() {
                return AppendOutcome::Accepted { match_index };
            }
        } else if self.log.term(prev_index) != Some(prev_term)
            && !(entries.is_empty() && self.plants(Defect::HeartbeatUnchecked))
        {
            return self.reject(prev_index);
        }
        self.merge(host, prev_index, entries);
        // What follows the last entry that the message confirms may be a remnant of another time.
        let commit = leader_commit.min(match_index);
        let up_to_last = leader_commit.min(self.log.last_index());
        let goes_too_far = up_to_last > commit.max(self.commit_index);
        self.maybe_advance_follower_commit(
            host,
            if goes_too_far && self.plants(Defect::CommitToLastIndex) {
                up_to_last
            } else {
                commit
            },
        );
        AppendOutcome::Accepted { match_index }
    }

    fn maybe_advance_follower_commit(&mut self, host: &mut impl Host, index: LogIndex) {
        if index > self.commit_index {
            self.advance_commit(host, index);
        }
    }

    /// "If an existing entry conflicts with a new one (same index but different terms), delete the
    /// existing entry and all that follow it. Append any new entries not already in the log"
    /// (figure 2). What does not conflict stays: a late message must not take away what a later one
    /// has brought.
    fn merge(&mut self, host: &mut impl Host, prev: LogIndex, entries: &[Rc<Entry>]) {
        let mut known = entries
            .iter()
            .enumerate()
            .take_while(|(i, entry)| self.log.term(prev.plus(i + 1)) == Some(entry.term))
            .count();
        let nothing_conflicts = known > 0 || entries.is_empty();
        if prev < self.log.last_index() && nothing_conflicts && self.plants(Defect::TruncateAlways)
        {
            self.truncate(host, prev.next());
            known = 0;
        }
        let mut new = &entries[known..];
        if new.is_empty() {
            return;
        }
        let first = prev.plus(known + 1);
        if first <= self.log.last_index() {
            new = self.resolve_conflict(host, first, new);
        }
        if !new.is_empty() {
            self.append(host, new);
        }
    }

    /// The entry at `first` conflicts with the first new one: it goes, and all that follow it.
    /// Returns what is left to be appended, which is everything.
    fn resolve_conflict<'a>(
        &mut self,
        host: &mut impl Host,
        first: LogIndex,
        new: &'a [Rc<Entry>],
    ) -> &'a [Rc<Entry>] {
        let overlap = self.log.last_index().next().since(first).min(new.len());
        if self.plants(Defect::ConflictKept) {
            return &new[overlap..];
        }
        if self.plants(Defect::TailKept) {
            self.overwrite(host, first, &new[..overlap]);
            return &new[overlap..];
        }
        self.truncate(host, first);
        new
    }

    /// Remove the entry at `from` and all that follow.
    pub(super) fn truncate(&mut self, host: &mut impl Host, from: LogIndex) {
        assert!(
            from > self.commit_index || self.planted.may_diverge(),
            "entry {from} is committed ({}) and cannot go",
            self.commit_index
        );
        self.log.truncate(from);
        self.storage.truncate(host, from);
        host.emit(events::Truncate { from });
        self.forget_configs(from);
    }

    /// Put entries at the end of the log. A configuration is in force from here on.
    pub(super) fn append(&mut self, host: &mut impl Host, entries: &[Rc<Entry>]) {
        if self.plants(Defect::AckBeforeSync) {
            host.without_sync();
        }
        self.storage.append(host, entries);
        for entry in entries {
            let chain = self.log.append(entry.clone());
            let index = self.log.last_index();
            host.emit(appended(index, entry, chain));
            if let Payload::Config(config) = &entry.payload {
                self.adopt_config(host, index, entry.term, config.clone());
            }
        }
        if self.plants(Defect::ApplyBeforeCommit) {
            self.apply_committed(host);
        }
    }

    fn reject(&self, prev_log_index: LogIndex) -> AppendOutcome {
        let conflict_term = self.log.term(prev_log_index);
        let conflict_index = match conflict_term {
            Some(term) => self.log.first_of_term(term).min(prev_log_index),
            None => self.log.last_index().next(),
        };
        AppendOutcome::Rejected { prev_log_index, conflict_term, conflict_index }
    }

    // The leader hears.

    pub(super) fn on_append_entries_response(
        &mut self,
        host: &mut impl Host,
        from: NodeId,
        answer: AppendResponse,
    ) {
        if !self.is_answer_to_leader(host, from, answer.term, answer.round) {
            return;
        }
        match answer.outcome {
            AppendOutcome::Accepted { match_index } => {
                let from = self.credited(from, answer.round);
                self.on_match(host, from, match_index);
            }
            AppendOutcome::Rejected { prev_log_index, conflict_term, conflict_index } => {
                let next = match conflict_term.and_then(|term| self.log.last_of_term(term)) {
                    Some(last_of_term) => last_of_term.next(),
                    None => conflict_index,
                };
                self.on_mismatch(host, from, prev_log_index, next);
            }
        }
    }

    /// An answer counts for its sender.
    fn credited(&self, from: NodeId, round: u64) -> NodeId {
        let place = (round % self.leader.progress.len() as u64) as usize;
        let other = self.leader.progress.keys().nth(place).copied();
        other
            .filter(|other| *other != from && self.plants(Defect::AnswerMiscredited))
            .unwrap_or(from)
    }

    /// A follower's log equals the leader's up to `match_index`.
    pub(super) fn on_match(&mut self, host: &mut impl Host, from: NodeId, match_index: LogIndex) {
        let (last, planted) = (self.log.last_index(), self.planted);
        let Some(progress) = self.leader.progress.get_mut(&from) else { return };
        // An answer proves what its message held, whatever was sent since; and what was proved
        // before stays proved.
        let before = progress.match_index;
        let (proved, sent) = (before.max(match_index), progress.next_index.prev());
        progress.match_index =
            if sent > proved && planted.plants(Defect::MatchFromState) { sent } else { proved };
        progress.accepted(match_index, last);
        if progress.match_index > before {
            self.maybe_commit(host);
        }
        if self.role == Role::Leader {
            self.replicate_to(host, from);
            self.maybe_hand_over(host);
        }
    }

    /// A follower's log does not have the leader's entry at `rejected`.
    fn on_mismatch(
        &mut self,
        host: &mut impl Host,
        from: NodeId,
        rejected: LogIndex,
        next: LogIndex,
    ) {
        let Some(progress) = self.leader.progress.get_mut(&from) else { return };
        // A late answer to a message of another time is recognised by the index that it rejects.
        // One that rejects what has matched already comes from a server that has lost entries, or
        // is itself late; to probe again does no harm in either case.
        let late = if progress.streams {
            rejected < progress.match_index
        } else {
            rejected != progress.next_index.prev()
        };
        if late || progress.transfer.is_some() {
            return;
        }
        if progress.streams {
            progress.budget = progress.budget.min(2 * self.settings.max_inflight);
        }
        progress.probe(next.min(rejected).max(LogIndex(1)));
        self.replicate_to(host, from);
    }

    // Committed entries are applied.

    /// Apply everything up to the commit index.
    pub(super) fn apply_committed(&mut self, host: &mut impl Host) {
        let last = self.log.last_index();
        let too_far = last > self.commit_index && self.plants(Defect::ApplyBeforeCommit);
        let to = if too_far { last } else { self.commit_index };
        if to <= self.last_applied {
            return;
        }
        while self.last_applied < to {
            let index = self.last_applied.next();
            let Some(entry) = self.log.get(index).cloned() else {
                assert!(
                    self.planted.may_diverge(),
                    "entry {index} is to be applied, but the log holds {} to {}",
                    self.log.base(),
                    self.log.last_index()
                );
                return;
            };
            self.apply(host, index, &entry);
            self.last_applied = index;
        }
        self.after_applying(host);
    }

    pub(super) fn after_applying(&mut self, host: &mut impl Host) {
        self.serve_follower_reads(host);
        self.maybe_take_snapshot(host);
    }

    fn apply(&mut self, host: &mut impl Host, index: LogIndex, entry: &Entry) {
        let mut identity = None;
        let mut effect = false;
        let mut known = None;
        match &entry.payload {
            Payload::Noop => {}
            Payload::Config(_) => self.on_config_applied(host, index, entry.term),
            Payload::OpenSession { client } => {
                self.sessions.open(index, *client, self.settings.session_expiry);
            }
            Payload::Command(command) => {
                identity = Some((command.client, command.serial));
                let (executed, lookup) = self.execute(host, index, command);
                (effect, known) = (executed, Some(lookup));
            }
        }
        host.emit(events::Apply {
            index,
            term: entry.term,
            digest: Optional(Some(Digest64(entry.digest))),
            client: Optional(Some(identity.map(|(client, _)| client))),
            serial: Optional(Some(identity.map_or(0, |(_, serial)| serial))),
            effect: Optional(Some(effect)),
        });
        let Some(waiter) = self.leader.waiting.remove(&index) else { return };
        // Another entry may have come to stand where the client's was.
        if waiter.term != entry.term && !self.plants(Defect::ReplyByIndex) {
            return;
        }
        let (client, serial) = (waiter.client, waiter.serial);
        match known {
            Some(lookup) => self.outcomes.extend(outcome(lookup, client, serial)),
            None => self.outcomes.push(Outcome::SessionOpened { client, serial, session: index }),
        }
    }

    /// Execute a command unless its session has seen it. Returns whether it was executed.
    fn execute(&mut self, host: &impl Host, index: LogIndex, command: &Command) -> (bool, Lookup) {
        // Only entries of the log end a session: by their own clocks, servers would not agree.
        if self.has_session(command)
            && self.defect.is_idle_by_clock(self.planted, command.session, host)
            && self.plants(Defect::SessionExpiresByClock)
        {
            self.sessions.end(command.session);
        }
        let known = self.look_up(command);
        if known != Lookup::New {
            self.sessions.touch(command.session, index);
            return (false, known);
        }
        let output: Bytes = self.machine.apply(&command.bytes);
        self.sessions.record(command, index, output.clone());
        (true, Lookup::Done(index, output))
    }

    fn has_session(&self, command: &Command) -> bool {
        self.settings.sessions && command.session != LogIndex::ZERO
    }

    /// What its session knows of a command. One without a session is always new.
    fn look_up(&self, command: &Command) -> Lookup {
        if !self.has_session(command) {
            return Lookup::New;
        }
        let known = self.sessions.lookup(command.session, command.serial);
        if known != Lookup::New && self.plants(Defect::NoDuplicateDetection) {
            return Lookup::New;
        }
        known
    }

    /// What can be said to a client without putting its command into the log (again).
    pub(super) fn known_outcome(&self, command: &Command) -> Option<Outcome> {
        match self.look_up(command) {
            // The session may be opened by an entry that this server has yet to apply.
            Lookup::New | Lookup::Expired => None,
            known => outcome(known, command.client, command.serial),
        }
    }
}

/// What is shown of an entry that has come into the log.
pub fn appended(index: LogIndex, entry: &Entry, chain: u64) -> events::Append {
    let (digest, chain) = (Digest64(entry.digest), Digest64(chain));
    events::Append { index, term: entry.term, digest, chain }
}

fn outcome(known: Lookup, client: NodeId, serial: u64) -> Option<Outcome> {
    match known {
        Lookup::Done(index, output) => Some(Outcome::Applied { client, serial, index, output }),
        Lookup::Expired => Some(Outcome::Expired { client, serial }),
        // The client has gone on, and waits for nothing.
        Lookup::New | Lookup::Outdated => None,
    }
}

impl LeaderState {
    /// What the leader knows of a follower.
    pub fn match_index(&self, node: NodeId) -> LogIndex {
        self.progress.get(&node).map_or(LogIndex::ZERO, |progress| progress.match_index)
    }
}
