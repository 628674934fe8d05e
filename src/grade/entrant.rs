//! The nodes under test in an assignment: a submission's program, or the built-in nodes.

use std::path::PathBuf;
use std::time::Duration;

use super::assignment::{Assignment, Played};
use super::last_words::without_addresses;
use super::tree::working_copy;
use crate::error::Error;
use crate::program::sandbox::{Confined, Confinement};
use crate::program::{ProgramSpec, Zygote};
use crate::report::Temporary;
use crate::run::{Run, run_with};
use crate::scenario::Scenario;
use crate::sim::RunOptions;
use crate::systems::read_file;
use crate::trace::{Trace, Value};

/// What is under test.
#[derive(Clone, Debug)]
pub enum Entrant {
    /// A program, in the nodes that the assignment leaves to submissions.
    Program(Program),
    /// The system's built-in nodes, with or without a defect: one scenario for each scenario of the
    /// assignment.
    BuiltIn(Vec<Scenario>),
}

/// A submission's program.
#[derive(Clone, Debug)]
pub struct Program {
    /// The command that starts it.
    pub command: Vec<String>,
    /// The folder in which it is started, the same for all runs.
    pub folder: PathBuf,
    /// Its sandbox; `None` for none.
    pub confined: Option<Confined>,
    /// How long it may take for one turn.
    pub watchdog: Duration,
}

/// An interpreter that has already compiled the program.
pub(super) struct Warm {
    zygote: Zygote,
    /// Its scratch folder, removed after it.
    _scratch: Temporary,
}

impl Entrant {
    /// The built-in nodes; if a defect is named, those of its system have it.
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

    /// The command that starts the program, if it is a program.
    pub fn command(&self) -> Option<&[String]> {
        match self {
            Entrant::Program(program) => Some(&program.command),
            Entrant::BuiltIn(_) => None,
        }
    }

    /// Makes starting the program cheap for the runs of this thread, if possible.
    pub(super) fn zygote(&self) -> Option<Warm> {
        let Entrant::Program(program) = self else { return None };
        let scratch = working_copy().ok()?;
        Some(Warm {
            zygote: Zygote::start(&program.spec(scratch.path().to_owned(), None))?,
            _scratch: scratch,
        })
    }

    /// Run a scenario of the assignment. A program can write only to a folder of this run, which is
    /// removed afterwards.
    ///
    /// # Panics
    ///
    /// If the testbed has a bug, or cannot create such a folder.
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
                    .unwrap_or_else(|cause| panic!("cannot create a temporary folder: {cause}"));
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
    /// How it is started: the only place that decides its confinement.
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
            zygote: zygote.map(Into::into),
        }
    }

    /// Remove paths and addresses: tracebacks name files of the working copy, whose folder has a
    /// new name each time, and objects have new addresses, but two gradings must show the same
    /// text.
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
