//! The assignment: one TOML file that says which scenarios a submission has to stand, and what each
//! is worth.
//!
//! It is read as scenarios are: every mistake at its place with a hint, all of them at once, and
//! those of the scenarios that it names too.

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
    /// Its title; the name where it gives none.
    pub title: Text,
    /// The files with its instructions, relative to its folder.
    pub instructions: Option<Text>,
    /// The folder in which it lies.
    pub folder: PathBuf,
    /// The languages that it takes; empty: all.
    pub languages: Vec<Language>,
    /// Whether programs in Python may import what is installed beside its standard library.
    pub python_packages: bool,
    /// Whether each student has hidden seeds of their own.
    pub per_student: bool,
    /// Roles, groups or names of the nodes that a submission plays; empty: those of the system's
    /// first role.
    pub plays: Vec<String>,
    /// The scenarios, each once, in the order in which items name them first.
    pub scenarios: Vec<Played>,
    /// The items.
    pub items: Vec<Item>,
    /// Over its text and its scenarios with the files that they name, 32 hexadecimal digits.
    pub digest: String,
}

impl Assignment {
    /// The points of all items.
    pub fn points(&self) -> Points {
        self.items.iter().map(|item| item.points).sum()
    }

    /// Whether any item has hidden seeds.
    pub fn has_hidden_seeds(&self) -> bool {
        self.items.iter().any(|item| item.hidden_seeds > 0)
    }

    /// What results say of it.
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
    /// The scenario. It names every check that an item of it wants, with the parameters that its
    /// own text gives them.
    pub scenario: Scenario,
    /// The positions of the nodes that a submission plays, ascending.
    pub nodes: Vec<usize>,
}

/// An item of an assignment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    /// Its name.
    pub name: String,
    /// Its title; the name where it gives none.
    pub title: Text,
    /// The position of its scenario in [`Assignment::scenarios`].
    pub scenario: usize,
    /// Its public seeds, in the order of the file.
    pub seeds: Vec<u64>,
    /// How many hidden seeds it has besides.
    pub hidden_seeds: u32,
    /// The checks that decide, in the order of the system.
    pub checks: Vec<String>,
    /// What it is worth.
    pub points: Points,
    /// How its points come from its seeds.
    pub scoring: Scoring,
    /// The position of the item that must have full points first.
    pub gate: Option<usize>,
    /// When a student sees it.
    pub visibility: Visibility,
    /// What is said where points are lost.
    pub feedback: Option<Text>,
}
