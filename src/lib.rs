//! seedbed: a deterministic simulation testbed for distributed systems.

#[cfg(not(madsim))]
compile_error!(
    "seedbed needs `--cfg madsim`, which .cargo/config.toml gives. An exported RUSTFLAGS replaces it: unset RUSTFLAGS, or add `--cfg madsim` to it."
);

pub mod checkers;
pub mod error;
pub mod history;
pub mod models;
pub mod nemesis;
pub mod node;
pub mod plots;
pub mod scenario;
pub mod sim;
pub mod systems;
pub mod time;
pub mod trace;
