//! The faults: each a value, in a file of its own that holds all of it.
//!
//! A [`Fault`] says what people read of it and how its keys are read. Reading gives its parameters
//! ([`FaultParameters`]), and these say what the fault model has to know and make a plan when its
//! time has come: all draws made, an [`Action`] to be done and undone, what it takes from the
//! cluster ([`Impact`]). Everything else derives from the list [`FAULTS`]: `list`, `explain`, the
//! reference, hints for misspelt names, colours of plots.
//!
//! | files | what |
//! |---|---|
//! | `world`, `link_rules` | what faults can do to the world |
//! | `holds` | who wants a node down, paused, slow; nothing is undone directly |
//! | `targets`, `shapes`, `faulty` | whom a fault hits |
//! | `plan`, `names`, `fault` | what a fault is made of |
//! | `holding`, `membership`, `keys` | what several faults share |
//! | `links`, `processes`, `clocks`, `disks`, `composed` | the faults |
//!
//! When one begins and ends is the nemesis' affair.
//!
//! Architecture invariant: all draws come from the nemesis' own stream, and a plan makes all of
//! them before anything is done.

mod clocks;
mod composed;
mod disks;
mod fault;
mod faulty;
mod holding;
mod holds;
pub(crate) mod keys;
mod link_rules;
mod links;
mod membership;
mod names;
mod plan;
mod processes;
mod shapes;
mod targets;
mod world;

use std::time::Duration;

pub use clocks::bump::ClockBump;
pub use clocks::drift::ClockDrift;
pub use clocks::freeze::ClockFreeze;
pub use clocks::reset::ClockReset;
pub use clocks::strobe::ClockStrobe;
pub use composed::random::Random;
pub use composed::swarm::Swarm;
pub use composed::swizzle::Swizzle;
pub use disks::crash::{DiskLoss, TornWrite};
pub use disks::damage::{Bitflip, Truncate};
pub use disks::error::DiskError;
pub use disks::full::DiskFull;
pub use disks::slow::DiskSlow;
pub use disks::stale_restore::StaleRestore;
pub use disks::stall::DiskStall;
pub use fault::{Composition, Fault, FaultParameters, FaultSpec, Hits, Lasting, Occurrences};
pub use faulty::{Members, Taken};
pub use link_rules::{LinkEffect, LinkRule, LinkSet, RuleId};
pub use links::bandwidth::Bandwidth;
pub use links::corrupt::Corrupt;
pub use links::duplicate::Duplicate;
pub use links::flap::Flap;
pub use links::latency::SlowLinks;
pub use links::loss::Loss;
pub use links::messages::{DelayMessages, DropMessages, HoldMessages, Which};
pub use links::partition::Partition;
pub use links::reorder::Reorder;
pub use names::Names;
pub use plan::{Plan, PlanRequest};
pub use processes::command::Command;
pub use processes::kill::Kill;
pub use processes::membership::{Join, Leave};
pub use processes::pause::Pause;
pub use processes::restart::Restart;
pub use processes::slow::Slow;
pub use processes::stop::Stop;
pub use processes::wipe::Wipe;
pub use shapes::{Direction, PartitionShape};
pub use targets::TargetSpec;

pub(crate) use holding::{Holding, down_for, faulty, slowed};
pub(crate) use holds::{Hold, Holds, How};
pub(crate) use membership::{ask, join};
pub(crate) use names::named;
pub(crate) use plan::{Action, Alarms, FaultContext, Groups, Impact, Lasts};
pub(crate) use shapes::{around, between, direction_words, split, without};
pub(crate) use targets::{
    TARGETS, everybody, followers, is_meant, leader_or_any, may_be_fewer, named_participants, pick,
    words,
};
pub(crate) use world::{Status, World};

/// Links go up and down, and clocks to and fro, no faster than this.
pub(crate) const FLAP_MIN: Duration = Duration::from_micros(100);

/// All faults, by group, in the order of the documentation.
pub static FAULTS: &[&Fault] = &[
    &links::partition::PARTITION,
    &links::flap::FLAP,
    &links::latency::LATENCY,
    &links::loss::LOSS,
    &links::duplicate::DUPLICATE,
    &links::reorder::REORDER,
    &links::corrupt::CORRUPT,
    &links::bandwidth::BANDWIDTH,
    &links::messages::HOLD,
    &links::messages::DROP,
    &links::messages::DELAY,
    &processes::kill::KILL,
    &processes::restart::RESTART,
    &processes::pause::PAUSE,
    &processes::slow::SLOW,
    &processes::wipe::WIPE,
    &processes::stop::STOP,
    &processes::command::COMMAND,
    &processes::membership::JOIN,
    &processes::membership::LEAVE,
    &clocks::bump::CLOCK_BUMP,
    &clocks::drift::CLOCK_DRIFT,
    &clocks::strobe::CLOCK_STROBE,
    &clocks::freeze::CLOCK_FREEZE,
    &clocks::reset::CLOCK_RESET,
    &disks::crash::DISK_LOSS,
    &disks::crash::TORN_WRITE,
    &disks::damage::BITFLIP,
    &disks::damage::TRUNCATE,
    &disks::full::DISK_FULL,
    &disks::error::DISK_ERROR,
    &disks::slow::DISK_SLOW,
    &disks::stall::DISK_STALL,
    &disks::stale_restore::STALE_RESTORE,
    &composed::random::RANDOM,
    &composed::swarm::SWARM,
    &composed::swizzle::SWIZZLE,
];

/// The fault of this name.
pub fn find(name: &str) -> Option<&'static Fault> {
    FAULTS.iter().copied().find(|fault| fault.name == name)
}
