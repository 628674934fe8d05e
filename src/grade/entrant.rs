//! Who plays the nodes of an assignment: a submission's program, or the testbed's own nodes.

use std::path::{Path, PathBuf};

use super::assignment::Assignment;
use crate::error::Error;
use crate::program::ProgramSpec;
use crate::run::{Run, run_with};
use crate::scenario::{Scenario, read_file};
use crate::sim::RunOptions;

/// Who plays.
#[derive(Clone, Debug)]
pub enum Entrant {
    /// A program, for the nodes that the assignment gives to submissions.
    Program {
        /// The command that starts it.
        command: Vec<String>,
        /// In this folder.
        folder: PathBuf,
    },
    /// The nodes of the system itself, with or without a defect; one scenario for each of the assignment.
    BuiltIn(Vec<Scenario>),
}

impl Entrant {
    /// The systems' own nodes; those of one system with a defect, where one is named.
    pub fn built_in(assignment: &Assignment, defect: Option<(&str, &str)>) -> Result<Entrant, Error> {
        let read = |played: &super::assignment::Played| -> Result<Scenario, Error> {
            let own = defect.filter(|(system, _)| *system == played.scenario.system);
            let defects: Vec<String> = own.map(|(_, defect)| defect.to_owned()).into_iter().collect();
            let mut scenario = read_file(&played.file, &[], &defects)?;
            scenario.checks.clone_from(&played.scenario.checks);
            for position in &played.nodes {
                scenario.nodes.nodes[*position].program = None;
            }
            Ok(scenario)
        };
        Ok(Entrant::BuiltIn(assignment.scenarios.iter().map(read).collect::<Result<_, _>>()?))
    }

    /// How to start the program at home, where it is one.
    pub fn command(&self) -> Option<&[String]> {
        match self {
            Entrant::Program { command, .. } => Some(command),
            Entrant::BuiltIn(_) => None,
        }
    }

    /// Run a scenario of the assignment. Whatever a program writes goes to a folder of this run alone, which is gone afterwards.
    pub(super) fn run(&self, assignment: &Assignment, position: usize, options: &RunOptions) -> Run {
        match self {
            Entrant::BuiltIn(scenarios) => run_with(&scenarios[position], options),
            Entrant::Program { command, folder } => {
                let played = &assignment.scenarios[position];
                let mut scenario = played.scenario.clone();
                for node in &played.nodes {
                    scenario.nodes.nodes[*node].program = Some(program(command, folder));
                }
                run_with(&scenario, options)
            }
        }
    }
}

/// How a submission's program is started: the one place that says what it is kept from.
fn program(command: &[String], folder: &Path) -> ProgramSpec {
    ProgramSpec { command: command.to_vec(), folder: folder.to_owned() }
}
