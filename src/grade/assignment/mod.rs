//! The assignment: a TOML file that says which scenarios a submission has to pass, and what each is
//! worth.
//!
//! It is read as scenarios are: every mistake is reported at its place with a hint, all of them
//! together, including those of the scenarios it names.

mod items;
mod played;
mod read;

use std::path::PathBuf;

use super::model::{AssignmentInfo, Language, Points, Scoring, Text, Visibility};
use crate::scenario::Scenario;

pub use read::{ASSIGNMENTS_FOLDER, find, read_file};

/// An assignment, read and checked.
#[derive(Clone, Debug)]
pub struct Assignment {
    /// The file's name without `.toml`.
    pub name: String,
    /// Its title; by default the name.
    pub title: Text,
    /// The instruction files, relative to its folder.
    pub instructions: Option<Text>,
    /// The folder that contains it.
    pub folder: PathBuf,
    /// The languages it accepts; empty means all.
    pub languages: Vec<Language>,
    /// Whether Python programs may import installed packages besides the standard library.
    pub python_packages: bool,
    /// Whether each student has their own hidden seeds.
    pub per_student: bool,
    /// Roles, groups or names of the nodes that a submission plays; empty means those of the
    /// system's first role.
    pub plays: Vec<String>,
    /// The scenarios, each once, in the order in which items first name them.
    pub scenarios: Vec<Played>,
    /// The items.
    pub items: Vec<Item>,
    /// Digest of its text and its scenarios, including the files they name, 32 hexadecimal digits.
    pub digest: String,
}

impl Assignment {
    /// The total points of all items.
    pub fn points(&self) -> Points {
        self.items.iter().map(|item| item.points).sum()
    }

    /// Whether any item has hidden seeds.
    pub fn has_hidden_seeds(&self) -> bool {
        self.items.iter().any(|item| item.hidden_seeds > 0)
    }

    /// Its description in results.
    pub fn info(&self) -> AssignmentInfo {
        AssignmentInfo {
            name: self.name.clone(),
            title: self.title.clone(),
            digest: self.digest.clone(),
        }
    }
}

/// A scenario of an assignment.
#[derive(Clone, Debug)]
pub struct Played {
    /// As the assignment names it, relative to its folder.
    pub written: String,
    /// Where it is.
    pub file: PathBuf,
    /// The scenario. It names every check that one of its items uses, with the parameters that the
    /// scenario sets.
    pub scenario: Scenario,
    /// The positions of the nodes that a submission plays, ascending.
    pub nodes: Vec<usize>,
}

/// An item of an assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its name.
    pub name: String,
    /// Its title; by default the name.
    pub title: Text,
    /// The position of its scenario in [`Assignment::scenarios`].
    pub scenario: usize,
    /// Its public seeds, in the order of the file.
    pub seeds: Vec<u64>,
    /// How many additional hidden seeds it has.
    pub hidden_seeds: u32,
    /// The deciding checks, in the system's order.
    pub checks: Vec<String>,
    /// What it is worth.
    pub points: Points,
    /// How its seeds become points.
    pub scoring: Scoring,
    /// The position of the item that must have full points before this one counts.
    pub gate: Option<usize>,
    /// Whether and when a student sees it.
    pub visibility: Visibility,
    /// What a student is told when points are lost.
    pub feedback: Option<Text>,
}
