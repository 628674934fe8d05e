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
//! ## Layers
//!
//! From the ground up. A module imports only from floors below its own, and within a floor only
//! from those that are listed before it; `tests/tidy` follows every path and enforces that.
//!
//! | floor | modules | what they hold |
//! |---|---|---|
//! | 1 | `time`, `codec`, `error`, `rng` | units of time; numbers and texts as bytes; the user's mistakes; named random streams |
//! | 2 | `trace`, `defects`, `history`, `models`, `vocabulary`, `wire` | what a run leaves; how a system declares its defects, events, metrics and messages |
//! | 3 | `node` | what an implementer touches: [`node::Node`], the state machine, and [`node::Ctx`], its way to the world; the disk |
//! | 4 | `language`, `system_names`, `faults`, `scenario` | the reader of TOML files; the names by which scenarios are checked; each fault as a value; the scenario |
//! | 5 | `program` | programs that take the place of nodes |
//! | 6 | `nemesis`, `sim` | when faults begin and end; the driver, the network, streams and clocks |
//! | 7 | `checkers`, `plots` | their cores, and those that serve several systems |
//! | 8 | `systems/*` | a room for each system: protocol, vocabulary, defects, checks, plots |
//! | 9 | `run`, `shipped`, `report`, `sweep`, `grade` | one run judged, files, many seeds, submissions and points |
//! | 10 | `cli`, `main` | the command line |
//!
//! ## Architecture invariants
//!
//! 1. A run is a function of (binary, scenario, seed, programs). Nothing else is read after the
//!    start; files are written from a trace that the simulation never reads.
//! 2. Nodes know nothing of madsim, files or true time; only clients are async. A node sees only
//!    its own clock, and handles one input at a time, to completion; all effects of a step are
//!    applied before the next input.
//! 3. Within a step, saves become durable before anything of that step leaves the node, unless the
//!    node asked for otherwise. With a disk latency, messages and observations wait for the sync;
//!    a crash in between loses both.
//! 4. Checks and plots are pure functions of a trace, and never panic on a bad system. A verdict
//!    needs evidence: `valid`, `invalid`, or `unknown`, which is never a pass.
//! 5. A client operation ends `ok`, `fail` (it certainly did not happen) or `info` (unknown). A
//!    timeout is `info`.
//! 6. Randomness comes in named ChaCha streams, one for each node by *name* and purpose, so that
//!    adding a consumer or a node shifts no other.
//! 7. The user's mistakes are [`error::Error`] values with file, line, key path and hint. Broken
//!    invariants are `assert!`, kept in release. A node's panic is a recorded crash of that node,
//!    never of the testbed.
//! 8. Every loop, queue and search has a limit, and meeting it is `unknown`, never a pass. Nothing
//!    that a program does makes the testbed's memory grow without bound.
//! 9. The same bytes on every machine: floating point only by operations that IEEE 754 makes exact,
//!    or from the `libm` crate; no locale, no environment, no working directory, no order of a
//!    directory, no real time.
//! 10. Infrastructure never costs points, and a program cannot fake it. What a program says about
//!     itself proves nothing.
//! 11. What never took effect is reported: a fault that hit nobody, a key that nobody reads, a
//!     command that no system has.
//! 12. A stranger's program reaches nothing but the simulation: allowed calls are listed,
//!     everything else is refused, and a missing measure stops a grading.
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

// In the order of the table: a blank line keeps rustfmt from sorting across it.

pub mod time;

pub mod codec;
pub mod error;
pub mod rng;

pub mod trace;

pub mod defects;
pub mod history;
pub mod models;
pub mod vocabulary;
pub mod wire;

pub mod node;

pub mod language;

pub mod system_names;

pub mod faults;
pub mod scenario;

pub mod program;

pub mod nemesis;
pub mod sim;

pub mod checkers;
pub mod plots;

pub mod systems;

pub mod run;
pub mod shipped;

pub mod report;
pub mod sweep;

#[cfg(feature = "grading")]
pub mod grade;

pub mod cli;

pub use cli::main_with;
pub use run::{Run, run_scenario};

/// The examples of `docs/library.md`, compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../docs/library.md")]
struct Library;
