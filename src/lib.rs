//! # seedbed: a deterministic simulation testbed for distributed systems
//!
//! One TOML scenario and one seed decide everything that happens in a run; the same pair gives the
//! same bytes on every machine. A run leaves a trace; checkers judge it, plots draw it.
//!
//! ```text
//! scenario + seed --> sim: driver x (nodes, network, clocks, disks, nemesis, clients) --> Trace
//!                     report <-- checkers, plots <--------------------------------------- |
//! ```
//!
//! ## Architecture invariants
//!
//! 1. A run is a function of (binary, scenario, seed). Nothing else is read after the start; files
//!    are written after the simulation.
//! 2. [`systems`] knows nothing of madsim, files or true time, and only its clients are async. A
//!    node sees only its own clock.
//! 3. One input at a time, to completion; all effects of a step are applied before the next input.
//! 4. Within a step, saves become durable before anything of that step leaves the node. With a disk
//!    latency, messages and observations wait for the sync; a crash in between loses both.
//! 5. Checkers and plots are pure functions of a trace. They never panic on a bad system.
//! 6. A client operation ends `ok`, `fail` (it certainly did not happen) or `info` (unknown). A
//!    timeout is `info`.
//! 7. One seed is split into named ChaCha streams, one for each node by *name* and purpose, so that
//!    adding a consumer or a node shifts no other.
//! 8. The user's mistakes are [`error::Error`] values with file, line and key path; broken
//!    invariants are `assert!`, kept in release; a node's panic is a recorded crash of that node,
//!    never of the testbed.
//! 9. Every loop, queue and search has a limit, and meeting it is a third verdict, `unknown`, never
//!    a pass.
//! 10. The same bytes on every machine: floating point only by operations that IEEE 754 makes
//!     exact, or from the `libm` crate; no locale, no
//!     environment, no directory order.
//! 11. Verdicts are `valid`, `invalid`, `unknown`; a fault of the testbed is a fourth thing and
//!     never counts against a system.
//!
//! ## Code map
//!
//! | module | what it holds |
//! |---|---|
//! | [`scenario`] | the scenario file: types, reading, every mistake at its place |
//! | [`node`] | what an implementer sees: [`node::Node`], the state machine, and [`node::Ctx`], its way to the world |
//! | [`sim`] | the driver, the network, streams, clocks, disks, named randomness |
//! | [`nemesis`] | the faults: when, to whom, and what they do |
//! | [`systems`] | the systems that run inside, with their defects |
//! | [`codec`] | numbers and texts as bytes, for disks and commands |
//! | [`trace`] | what a run leaves: four lists, their CSV files and their digest |
//! | [`checkers`], [`history`], [`models`] | one property each, judged over a trace |
//! | [`plots`] | one plot each, drawn from a trace |
//! | [`report`], [`sweep`], [`cli`] | files, many seeds, commands |
//! | [`grade`] | programs that were handed in, assignments, points |
//!
//! How to extend it is in `docs/extending.md`; the scenario language in
//! `docs/scenario-reference.md`, printed from the code.

// What only grading needs of other modules stays there, unused, where grading is left out.
#![cfg_attr(not(feature = "grading"), allow(dead_code, unused_imports))]

#[cfg(not(madsim))]
compile_error!(
    "seedbed needs `--cfg madsim`, which .cargo/config.toml gives. An exported RUSTFLAGS replaces \
        it: unset RUSTFLAGS, or add `--cfg madsim` to it."
);

pub mod checkers;
pub mod cli;
pub mod codec;
pub mod defects;
pub mod error;
#[cfg(feature = "grading")]
pub mod grade;
pub mod history;
pub mod language;
pub mod models;
pub mod nemesis;
pub mod node;
pub mod plots;
pub mod program;
pub mod report;
pub mod rng;
pub mod run;
pub mod scenario;
pub mod shipped;
pub mod sim;
pub mod sweep;
pub mod systems;
pub mod time;
pub mod trace;
pub mod vocabulary;
pub mod wire;

pub use run::{Run, run_scenario};

/// The examples of `docs/library.md`, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../docs/library.md")]
struct Library;
