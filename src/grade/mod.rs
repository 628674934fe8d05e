//! Grading: programs that were handed in, an assignment, points.
//!
//! An assignment is a TOML file whose items name a scenario, seeds, checks and points. A
//! submission's program takes the places of nodes in those scenarios; the checks judge the traces;
//! verdicts become points. What comes out is one [`model::Graded`] for each submission, and every
//! file that is written is a pure function of it.
//!
//! | file | what |
//! |---|---|
//! | `model` | the result of a grading |
//! | `assignment` | the file of an assignment |
//! | `seeds` | hidden seeds, from the course secret |
//! | `entrant`, `run`, `pool` | who plays, and all runs of it |
//! | `verdict`, `score`, `explain` | what a run says, what it is worth, what is said of a loss |
//! | `last_words` | what a program printed before it ended without an answer |
//! | `submission` | from a folder or an archive to a command that can be started |
//! | `tree`, `archive`, `compile`, `sdk` | its files, within limits; zip and tar; programs that have to be built; the course's SDKs |
//! | `batch` | one submission after the other, and which results still hold |
//! | `defects` | what the items are worth |
//! | `output` | the formats of results |
//! | `page`, `texts`, `rules` | the pages of students and of the class; what is said there, in both languages; the rules of the checks in Spanish |
//!
//! Architecture invariant: virtual time and counted steps decide a grade, never the machine, its
//! load, or the number of jobs. A fault of the testbed is a verdict of its own and costs no point.

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
pub mod page;
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
