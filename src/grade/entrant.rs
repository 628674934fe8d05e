//! Who plays the nodes of an assignment: a submission's program, or the testbed's own nodes.

use std::path::PathBuf;
use std::time::Duration;

use super::assignment::{Assignment, Played};
use super::last_words::without_addresses;
use super::submission::working_copy;
use crate::error::Error;
use crate::program::sandbox::{Confined, Confinement};
use crate::program::{ProgramSpec, Zygote};
use crate::report::Temporary;
use crate::run::{Run, run_with};
use crate::scenario::{Scenario, read_file};
use crate::sim::RunOptions;
use crate::trace::{Trace, Value};

/// Who plays.
#[derive(Clone, Debug)]
pub enum Entrant {
    /// A program, for the nodes that the assignment gives to submissions.
    Program(Program),
    /// The nodes of the system itself, with or without a defect; one scenario for each of the
    /// assignment.
    BuiltIn(Vec<Scenario>),
}

/// A submission's program.
#[derive(Clone, Debug)]
pub struct Program {
    /// The command that starts it.
    pub command: Vec<String>,
    /// In this folder, which is the same for all runs.
    pub folder: PathBuf,
    /// What it is kept from; `None`: nothing.
    pub confined: Option<Confined>,
    /// How long it may work on one turn.
    pub watchdog: Duration,
}

/// An interpreter that has the program ready.
pub(super) struct Warm {
    zygote: Zygote,
    /// In which it has its own; removed after it.
    _scratch: Temporary,
}

impl Entrant {
    /// The systems' own nodes; those of one system with a defect, where one is named.
    pub fn built_in(
        assignment: &Assignment,
        defect: Option<(&str, &str)>,
    ) -> Result<Entrant, Error> {
        let read = |played: &Played| -> Result<Scenario, Error> {
            let own = defect.filter(|(system, _)| *system == played.scenario.system);
            let defects: Vec<String> =
                own.map(|(_, defect)| defect.to_owned()).into_iter().collect();
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
            Entrant::Program(program) => Some(&program.command),
            Entrant::BuiltIn(_) => None,
        }
    }

    /// What makes the starts of its program cheap, in runs of this thread, where that can be.
    pub(super) fn zygote(&self) -> Option<Warm> {
        let Entrant::Program(program) = self else { return None };
        let scratch = working_copy().ok()?;
        Some(Warm {
            zygote: Zygote::start(&program.spec(scratch.path().to_owned(), None))?,
            _scratch: scratch,
        })
    }

    /// Run a scenario of the assignment. Whatever a program writes goes to a folder of this run
    /// alone, which is gone afterwards.
    ///
    /// # Panics
    ///
    /// Where the testbed is at fault, or cannot make such a folder.
    pub(super) fn run(
        &self,
        assignment: &Assignment,
        position: usize,
        options: &RunOptions,
        warm: Option<&Warm>,
    ) -> Run {
        match self {
            Entrant::BuiltIn(scenarios) => run_with(&scenarios[position], options),
            Entrant::Program(program) => {
                let played = &assignment.scenarios[position];
                let scratch = working_copy()
                    .unwrap_or_else(|cause| panic!("no temporary folder can be made: {cause}"));
                let spec =
                    program.spec(scratch.path().to_owned(), warm.map(|warm| warm.zygote.clone()));
                let mut scenario = played.scenario.clone();
                for node in &played.nodes {
                    scenario.nodes.nodes[*node].program = Some(spec.clone());
                }
                let mut run = run_with(&scenario, options);
                program.hide_places(&mut run);
                run
            }
        }
    }
}

impl Program {
    /// How it is started: the one place that says what it is kept from.
    fn spec(&self, scratch: PathBuf, zygote: Option<Zygote>) -> ProgramSpec {
        let confinement = match &self.confined {
            None => Confinement::None,
            Some(confined) => Confinement::Confined(Box::new(Confined {
                scratch: Some(scratch),
                ..confined.clone()
            })),
        };
        ProgramSpec {
            command: self.command.clone(),
            folder: self.folder.clone(),
            confinement,
            watchdog: self.watchdog,
            in_process: None,
            zygote,
        }
    }

    /// Tracebacks name the files of the working copy, whose folder has another name each time, and
    /// objects have another place in memory: two gradings must tell the same.
    fn hide_places(&self, run: &mut Run) {
        let folder = format!("{}/", self.folder.display());
        let Trace { events, .. } = &mut run.trace;
        for event in events.iter_mut().filter(|event| event.name == "crash") {
            if let Some(Value::Text(text)) = event
                .fields
                .get_mut("message")
                .filter(|value| matches!(value, Value::Text(text) if text.contains(&folder)))
            {
                *text = text.replace(&folder, "").into();
            }
        }
        let printed =
            run.log.iter_mut().filter(|line| line.kind == "node").map(|line| &mut line.text);
        for text in printed.chain(run.last_words.iter_mut().map(|words| &mut words.text)) {
            *text = without_addresses(&text.replace(&folder, ""));
        }
        if let Some(why) = &mut run.aborted {
            *why = why.replace(&folder, "");
        }
    }
}
