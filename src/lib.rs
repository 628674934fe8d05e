//! seedbed: a deterministic simulation testbed for distributed systems.

#[cfg(not(madsim))]
compile_error!(
    "seedbed needs `--cfg madsim`, which .cargo/config.toml gives. An exported RUSTFLAGS replaces it: unset RUSTFLAGS, or add `--cfg madsim` to it."
);

pub mod checkers;
pub mod cli;
pub mod error;
pub mod history;
pub mod models;
pub mod nemesis;
pub mod node;
pub mod plots;
pub mod report;
pub mod run;
pub mod scenario;
pub mod sim;
pub mod sweep;
pub mod systems;
pub mod time;
pub mod trace;

pub use run::{Run, run_scenario};
