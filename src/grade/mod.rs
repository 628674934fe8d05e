//! Grading: programs that were handed in, an assignment, points.
//!
//! An assignment is a TOML file whose items name a scenario, seeds, checks and points. A submission's program takes the places of nodes in those
//! scenarios; the checks judge the traces; verdicts become points. What comes out is one [`model::Graded`] for each submission, and every file
//! that is written is a pure function of it.
//!
//! | file | what |
//! |---|---|
//! | `model` | the result of a grading |
//! | `submission` | from a folder or an archive to a command that can be started |
//! | `tree`, `archive`, `compile` | its files, within limits; zip and tar; programs that have to be built |
//! | `output` | the formats of results |
//! | `page`, `texts` | the pages of students and of the class; what is said there, in both languages |
//! | `slice` | what is shown of a run that lost points |
//!
//! Architecture invariant: virtual time and counted steps decide a grade, never the machine, its load, or the number of jobs. A fault of the testbed is
//! a verdict of its own and costs no point.

pub mod archive;
mod compile;
pub mod model;
pub mod output;
pub mod page;
pub mod slice;
pub mod submission;
mod texts;
pub mod tree;
