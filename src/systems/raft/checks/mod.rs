//! The checks of Raft, and what they share: its events decoded, logs replayed from them,
//! configurations, elections and commits.

pub(crate) mod acknowledged_is_committed;
pub(crate) mod answered_is_applied;
pub(crate) mod applied_without_gaps;
pub(crate) mod commit_on_majority;
pub(crate) mod committed_never_truncated;
mod config;
pub(crate) mod config_barrier;
pub(crate) mod config_quorum_overlap;
pub(crate) mod convergence;
pub(crate) mod elected_by_majority;
pub(crate) mod election_safety;
pub(crate) mod elections;
pub(crate) mod exactly_once;
mod index_map;
pub(crate) mod leader_append_only;
pub(crate) mod leader_completeness;
pub(crate) mod leader_elected;
mod leadership;
pub(crate) mod lease_exclusive;
mod log;
pub(crate) mod log_matching;
pub(crate) mod one_config_in_flight;
pub(crate) mod one_leader_at_last;
pub(crate) mod persist_before_reply;
mod raft_trace;
mod record;
pub(crate) mod state_machine_safety;
pub(crate) mod term_monotonic;
pub(crate) mod terms_stable;
mod timeline;
pub(crate) mod vote_once;

pub use config::{Config, ConfigKind, Membership, last_config};
pub use index_map::IndexMap;
pub use leadership::{Leadership, Terms};
pub use log::{Entry, Held, Log, Logs};
pub use raft_trace::{RaftTrace, judge_raft, raft_trace};
pub use record::{Kind, RaftEvent, Role, kinds};
pub use timeline::{Election, Timeline};

use crate::checkers::{Checker, all_operations_answered, availability, linearizable, no_panic};

/// The checks that make sense for Raft: what the clients saw, the safety of the protocol from its
/// events, then liveness.
pub static CHECKS: &[&Checker] = &[
    &linearizable::CHECKER,
    &election_safety::CHECKER,
    &elected_by_majority::CHECKER,
    &vote_once::CHECKER,
    &term_monotonic::CHECKER,
    &leader_append_only::CHECKER,
    &log_matching::CHECKER,
    &leader_completeness::CHECKER,
    &state_machine_safety::CHECKER,
    &commit_on_majority::CHECKER,
    &committed_never_truncated::CHECKER,
    &applied_without_gaps::CHECKER,
    &acknowledged_is_committed::CHECKER,
    &answered_is_applied::CHECKER,
    &exactly_once::CHECKER,
    &lease_exclusive::CHECKER,
    &one_config_in_flight::CHECKER,
    &config_quorum_overlap::CHECKER,
    &config_barrier::CHECKER,
    &persist_before_reply::CHECKER,
    &no_panic::CHECKER,
    &leader_elected::CHECKER,
    &one_leader_at_last::CHECKER,
    &terms_stable::CHECKER,
    &convergence::CHECKER,
    &all_operations_answered::CHECKER,
    &availability::CHECKER,
    &elections::CHECKER,
];
