//! Grading: from an assignment and submitted programs to points.
//!
//! An assignment is a TOML file whose items name a scenario, seeds, checks and points. A
//! submission's program replaces nodes in those scenarios, the checks judge the traces, and
//! verdicts become points. The outcome is one [`model::Graded`] for each submission, and every
//! written file is a pure function of it.
//!
//! | file | what |
//! |---|---|
//! | `model` | the result of a grading |
//! | `assignment` | the assignment file |
//! | `seeds` | hidden seeds, derived from the course secret |
//! | `entrant`, `run`, `pool` | the nodes under test, and all their runs |
//! | `verdict`, `score`, `explain` | what a run shows, what it is worth, and how a loss is explained |
//! | `last_words` | what a program printed before it exited without an answer |
//! | `submission` | turns a folder or an archive into a command that can be started |
//! | `tree`, `archive`, `compile`, `sdk` | its files, within limits; zip and tar; builds; the course's SDKs |
//! | `batch` | one submission after another, and which stored results are still current |
//! | `defects` | which defects the items catch |
//! | `output` | the result formats, with the pages of students and of the class |
//! | `texts`, `rules` | the texts of the pages in both languages; the rules of the checks in Spanish |
//!
//! Architecture invariant: virtual time and counted steps decide a grade, never the machine, its
//! load, or the number of jobs. An internal error of the testbed is a verdict of its own and costs
//! no points.

pub mod archive;
pub mod assignment;
pub mod batch;
mod compile;
pub mod defects;
pub mod entrant;
pub mod explain;
mod last_words;
pub mod model;
pub mod output;
mod pool;
mod rules;
pub mod run;
pub mod score;
pub(crate) mod sdk;
pub mod seeds;
pub mod submission;
mod texts;
pub mod tree;
pub mod verdict;
