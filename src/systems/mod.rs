//! The systems that run inside the testbed: a room for each, and the list of them.
//!
//! Architecture invariant: no protocol below this module knows of madsim, files or true time, and
//! only clients are async.

mod builder;
mod client_mix;
mod client_pace;
mod reading;
mod system;

#[cfg(test)]
pub(crate) mod plot_tests;

pub mod audio;
pub mod cristian;
pub mod p2p;
pub mod raft;
pub mod replication;
pub mod zookeeper;

use std::sync::OnceLock;

pub use builder::ScenarioBuilder;
pub use reading::{known, read_file, read_text, read_text_with};
pub use system::{Artifact, System};

pub use crate::scenario::Complaint;

use crate::checkers::Checker;
use crate::plots::Plot;

/// The systems of the testbed, in the order of the documentation.
pub static SYSTEMS: &[&System] = &[
    &raft::SYSTEM,
    &audio::SYSTEM,
    &cristian::SYSTEM,
    &zookeeper::SYSTEM,
    &replication::SYSTEM,
    &p2p::SYSTEM,
];

static ALL: OnceLock<Vec<&'static System>> = OnceLock::new();

/// Add systems to those of the testbed, for the whole process. To be called once, before any
/// scenario is read.
///
/// # Panics
///
/// When systems are known already, or when two have the same name.
pub fn register(more: &[&'static System]) {
    let all: Vec<&System> = SYSTEMS.iter().chain(more).copied().collect();
    for (i, system) in all.iter().enumerate() {
        let twice = all[..i].iter().any(|other| other.name == system.name);
        assert!(!twice, "two systems are named {}", system.name);
    }
    assert!(ALL.set(all).is_ok(), "systems are registered once, before any is asked for");
}

/// All systems that this process knows.
pub fn all() -> &'static [&'static System] {
    ALL.get_or_init(|| SYSTEMS.to_vec())
}

/// All checks, each once, in the order of the systems.
pub fn checks() -> Vec<&'static Checker> {
    each_once(all().iter().flat_map(|system| system.checks).copied())
}

/// All plots, each once, in the order of the systems.
pub fn plots() -> Vec<&'static Plot> {
    each_once(all().iter().flat_map(|system| system.plots).copied())
}

/// The check of this name.
pub fn find_check(name: &str) -> Option<&'static Checker> {
    checks().into_iter().find(|checker| checker.name == name)
}

fn each_once<T>(all: impl Iterator<Item = &'static T>) -> Vec<&'static T> {
    let mut known: Vec<&T> = vec![];
    for each in all {
        if !known.iter().any(|one| std::ptr::eq(*one, each)) {
            known.push(each);
        }
    }
    known
}
