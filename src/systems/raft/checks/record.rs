//! One event, decoded: names and fields are compared once here, and never again by a check.

use super::config::{self, Config};
use crate::systems::raft::vocabulary::{
    Append, Apply, Commit, ConfigAppend, ConfigCommit, Elected, NewTerm, Read, ReadMode, Recover,
    Reply, RoleChange, ShownRole, SnapshotInstall, SnapshotTake, Truncate, Vote,
};
use crate::trace::{Event, NodeId, Trace};
use crate::vocabulary::Event as _;

/// One decoded event.
#[derive(Clone, Debug)]
pub struct RaftEvent {
    /// The event's index: the order that history and events share.
    pub order: u64,
    pub time_us: u64,
    pub node: NodeId,
    pub kind: Kind,
}

/// The role that a node says it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    Leader,
    Candidate,
    /// It has no vote in the configuration that it goes by.
    Learner,
    /// Follower or pre-candidate, or a word that only a program knows.
    Other,
}

/// Declares what can have happened, and for each kind its bit in a set of kinds.
macro_rules! kinds {
    ($($(#[$meta:meta])* $variant:ident $bit:ident $({$($body:tt)*})? $(($($tuple:tt)*))?,)+) => {
        /// What happened. The fields are those of the system's vocabulary.
        #[derive(Clone, Debug)]
        pub enum Kind {
            $($(#[$meta])* $variant $({$($body)*})? $(($($tuple)*))?,)+
        }

        /// The position of each kind in a set.
        #[allow(non_camel_case_types, clippy::upper_case_acronyms, reason = "named as its bit")]
        enum Place { $($bit),+ }

        impl Kind {
            /// The bit position of this kind in [`mod@kinds`].
            pub fn tag(&self) -> u8 {
                match self { $(Kind::$variant { .. } => Place::$bit as u8),+ }
            }
        }

        /// Sets of kinds, as sums of bits.
        #[allow(missing_docs, reason = "each is the kind of the same name")]
        pub mod kinds {
            $(pub const $bit: u32 = 1 << super::Place::$bit as u32;)+

            /// What changes a log.
            pub const LOG: u32 = RECOVER | APPEND | TRUNCATE | SNAPSHOT_TAKE | SNAPSHOT_INSTALL;
            /// What changes the configuration that a node goes by.
            pub const MEMBERSHIP: u32 =
                RECOVER | TRUNCATE | SNAPSHOT_INSTALL | CONFIG_APPEND | CONFIG_COMMIT;
            /// What shows or ends leadership.
            pub const LEADERSHIP: u32 = RECOVER | TERM | ROLE | LEADER | START | CRASH;
            /// What shows a node's current term.
            pub const TERMS: u32 = RECOVER | TERM | VOTE | LEADER;
            /// What shows whether a node works.
            pub const PROCESS: u32 = START | CRASH | PAUSE | RESUME;
            /// What only a Raft node says, as against the testbed.
            pub const PROTOCOL: u32 =
                RECOVER | TERM | VOTE | ROLE | LEADER | APPEND | COMMIT | APPLY;
        }
    };
}

kinds! {
    Recover RECOVER {
        term: u64,
        voted_for: Option<NodeId>,
        snapshot_index: u64,
        last_index: u64,
        last_term: u64,
    },
    Term TERM { term: u64 },
    Vote VOTE { term: u64, candidate: NodeId },
    Role ROLE (Role),
    Leader LEADER { term: u64, last_index: u64 },
    Append APPEND { index: u64, term: u64, digest: u64, chain: u64 },
    Truncate TRUNCATE { from: u64 },
    Commit COMMIT { index: u64, term: u64, leader: bool, entry_term: u64 },
    Apply APPLY {
        index: u64,
        term: u64,
        digest: u64,
        command: Option<(NodeId, u64)>,
        effect: bool,
    },
    SnapshotTake SNAPSHOT_TAKE { index: u64, term: u64, chain: u64, state: u64 },
    SnapshotInstall SNAPSHOT_INSTALL {
        index: u64,
        term: u64,
        chain: u64,
        state: u64,
        /// Whether the log held the snapshot's last entry, so that what came after it stays.
        keeps: bool,
    },
    ConfigAppend CONFIG_APPEND { index: u64, term: u64, config: u32 },
    ConfigCommit CONFIG_COMMIT { index: u64, term: u64 },
    LeaseRead LEASE_READ,
    Reply REPLY { client: NodeId, serial: u64, index: u64 },
    Start START,
    Crash CRASH,
    Pause PAUSE,
    Resume RESUME,
}

/// Decode an event; `None` for what no check reads, and for what is damaged.
pub fn decode(trace: &Trace, event: &Event, configs: &mut Vec<Config>) -> Option<RaftEvent> {
    let fields = &event.fields;
    // The frequent ones first.
    let kind = match &*event.name {
        Append::NAME => {
            let Append { index, term, digest, chain } = Append::read(fields)?;
            Kind::Append { index: index.0, term: term.0, digest: digest.0, chain: chain.0 }
        }
        Apply::NAME => {
            let Apply { index, term, digest, client, serial, effect } = Apply::read(fields)?;
            let command = client.0.flatten().zip(serial.0);
            // A client and its serial number tell commands apart as well as a digest does, and a
            // program need not make one.
            let digest = digest.0.map_or_else(
                || command.map_or(0, |(client, serial)| (u64::from(client.0) + 1) << 48 | serial),
                |digest| digest.0,
            );
            let effect = effect.0 == Some(true);
            Kind::Apply { index: index.0, term: term.0, digest, command, effect }
        }
        Commit::NAME => {
            let Commit { index, term, role, entry_term } = Commit::read(fields)?;
            let leader = role.0 == Some(ShownRole::Leader);
            Kind::Commit { index: index.0, term: term.0, leader, entry_term: entry_term.0 }
        }
        Reply::NAME => {
            let Reply { client, serial, index } = Reply::read(fields)?;
            Kind::Reply { client, serial, index: index.0 }
        }
        Read::NAME => match Read::read(fields)?.mode {
            ReadMode::Lease => Kind::LeaseRead,
            ReadMode::ReadIndex | ReadMode::Local => return None,
        },
        NewTerm::NAME => Kind::Term { term: NewTerm::read(fields)?.term.0 },
        Vote::NAME => {
            let Vote { term, candidate } = Vote::read(fields)?;
            Kind::Vote { term: term.0, candidate }
        }
        RoleChange::NAME => Kind::Role(match RoleChange::read(fields)?.role.0 {
            Some(ShownRole::Leader) => Role::Leader,
            Some(ShownRole::Candidate) => Role::Candidate,
            Some(ShownRole::Learner) => Role::Learner,
            Some(ShownRole::Follower | ShownRole::PreCandidate) | None => Role::Other,
        }),
        // A program that only elects has no log.
        Elected::NAME => {
            let Elected { term, last_index, .. } = Elected::read(fields)?;
            Kind::Leader { term: term.0, last_index: last_index.0.map_or(0, |index| index.0) }
        }
        Truncate::NAME => Kind::Truncate { from: Truncate::read(fields)?.from.0 },
        Recover::NAME => {
            let Recover { term, voted_for, snapshot_index, last_index, last_term } =
                Recover::read(fields)?;
            Kind::Recover {
                term: term.0,
                voted_for,
                snapshot_index: snapshot_index.0,
                last_index: last_index.0,
                last_term: last_term.0,
            }
        }
        SnapshotTake::NAME => {
            let SnapshotTake { index, term, chain, state } = SnapshotTake::read(fields)?;
            Kind::SnapshotTake { index: index.0, term: term.0, chain: chain.0, state: state.0 }
        }
        SnapshotInstall::NAME => {
            let SnapshotInstall { index, term, chain, state } = SnapshotInstall::read(fields)?;
            let (index, term, chain, state) = (index.0, term.0, chain.0, state.0);
            // Only a replay of the logs shows what is kept.
            Kind::SnapshotInstall { index, term, chain, state, keeps: true }
        }
        ConfigAppend::NAME => {
            let ConfigAppend { index, term, kind, voters, learners, voters_old } =
                ConfigAppend::read(fields)?;
            configs.push(config::decode(trace, kind, &voters, &learners, &voters_old)?);
            let config = u32::try_from(configs.len() - 1).ok()?;
            Kind::ConfigAppend { index: index.0, term: term.0, config }
        }
        ConfigCommit::NAME => {
            let ConfigCommit { index, term } = ConfigCommit::read(fields)?;
            Kind::ConfigCommit { index: index.0, term: term.0 }
        }
        "start" => Kind::Start,
        "crash" => Kind::Crash,
        "pause" => Kind::Pause,
        "resume" => Kind::Resume,
        _ => return None,
    };
    let known = |node: Option<NodeId>| node.is_none_or(|node| node.index() < trace.nodes.len());
    let fits = match &kind {
        Kind::Vote { candidate, .. } => known(Some(*candidate)),
        Kind::Reply { client, .. } => known(Some(*client)),
        Kind::Apply { command, .. } => known(command.map(|(client, _)| client)),
        Kind::Recover { voted_for, .. } => known(*voted_for),
        _ => true,
    };
    fits.then_some(RaftEvent { order: event.index, time_us: event.time_us, node: event.node, kind })
}
