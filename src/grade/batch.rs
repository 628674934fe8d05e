//! Grades one submission after another, and decides which results of an earlier batch are still
//! current.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use super::assignment::Assignment;
use super::entrant::{Entrant, Program};
use super::model::{
    FORMAT, Graded, HiddenSeeds, ItemState, Language, Outcome, OutcomeKind, Points, Student,
    SubmissionInfo, Text,
};
use super::run::{Plan, Results, item_result, run_assignment};
use super::submission::{Handed, Submission, Unusable, open_confined};
use crate::program::sandbox::Confined;
use crate::sweep::panic_text;

/// This version, as recorded in results: another version may judge differently.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The path of a submission's stored result.
pub fn stored_file(out: &Path, id: &str) -> PathBuf {
    out.join("results").join(format!("{id}.json"))
}

/// The stored result of a submission; `None` if there is none that this version can read.
pub fn stored(out: &Path, id: &str) -> Option<Graded> {
    let bytes = fs::read(stored_file(out, id)).ok()?;
    serde_json::from_slice(&bytes).ok().filter(|graded: &Graded| graded.format == FORMAT)
}

/// A submission that was opened, whether or not it can be run.
pub struct Opened {
    id: String,
    /// Its number in the batch: each runs under its own user id if possible.
    number: u32,
    content: Result<Submission, Box<Unusable>>,
}

impl Opened {
    /// Open what was handed in. This terminates whatever the content is.
    pub fn new(handed: &Handed, number: u32, assignment: &Assignment, plan: &Plan) -> Opened {
        let opened = catch_unwind(AssertUnwindSafe(|| {
            open_confined(&handed.path, &assignment.languages, plan.confined.as_ref())
        }));
        let content = opened.unwrap_or_else(|_| {
            let outcome = internal_error("the submission could not be opened");
            Err(Box::new(Unusable {
                digest: String::new(),
                language: None,
                student: Student::default(),
                outcome,
            }))
        });
        let alone = |mut submission: Submission| {
            if !assignment.python_packages {
                submission.without_packages();
            }
            submission
        };
        Opened { id: handed.id.clone(), number, content: content.map(alone) }
    }

    /// Digest of all files of the submission; empty if they could not be read.
    fn digest(&self) -> &str {
        match &self.content {
            Ok(submission) => &submission.digest,
            Err(unusable) => &unusable.digest,
        }
    }

    /// Whether grading again would give the stored result.
    pub fn holds(&self, stored: &Graded, assignment: &Assignment, plan: &Plan) -> bool {
        let same = stored.seedbed == VERSION
            && stored.assignment.digest == assignment.digest
            && stored.submission.digest == self.digest()
            && !self.digest().is_empty()
            && stored.hidden == plan.hidden(assignment)
            && stored.provisional == plan.provisional(assignment);
        // Problems caused by the machine may be solved by now.
        let settled = stored.infra.is_empty()
            && !matches!(stored.outcome.kind, OutcomeKind::NotStarted | OutcomeKind::InternalError);
        // The same program may have been refused because of its archive, or may not have compiled
        // because there was no compiler.
        let usable = self.content.is_ok() == (stored.outcome.kind == OutcomeKind::Graded);
        same && settled && usable
    }

    /// Grade it. `progress` receives the number of runs completed.
    pub fn grade(
        &self,
        assignment: &Assignment,
        plan: &Plan,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Graded {
        let graded = catch_unwind(AssertUnwindSafe(|| match &self.content {
            Ok(submission) => self.run(submission, assignment, plan, progress),
            Err(unusable) => self.unusable(unusable, assignment, plan),
        }));
        graded.unwrap_or_else(|payload| {
            let failed = Unusable {
                digest: self.digest().to_owned(),
                language: None,
                student: Student::default(),
                outcome: internal_error(&panic_text(payload.as_ref())),
            };
            self.unusable(&failed, assignment, plan)
        })
    }

    fn run(
        &self,
        submission: &Submission,
        assignment: &Assignment,
        plan: &Plan,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Graded {
        let confined =
            plan.confined.clone().map(|confined| Confined { user: self.number, ..confined });
        let entrant = Entrant::Program(Program {
            command: submission.command.clone(),
            folder: submission.folder.clone(),
            confined,
            watchdog: plan.watchdog,
        });
        let student = identity(&submission.student, &self.id);
        let Results { items, infra, not_started } =
            run_assignment(assignment, &entrant, student, plan, progress);
        let outcome = match not_started {
            None => Outcome::graded(),
            Some(why) => Outcome::not_graded(
                OutcomeKind::NotStarted,
                Text::new(
                    format!("the program could not be started: {why}"),
                    format!("no se pudo iniciar el programa: {why}"),
                ),
                Text::new(
                    "try the command in the submission's folder; `seedbed doctor` says what this \
                        machine lacks",
                    "prueba la orden en la carpeta de la entrega; `seedbed doctor` dice qué le \
                        falta a esta máquina",
                ),
            ),
        };
        let info = SubmissionInfo {
            id: self.id.clone(),
            language: Some(submission.language),
            digest: submission.digest.clone(),
            command: submission.command.clone(),
        };
        let mut graded = empty(assignment, plan, info, submission.student.clone(), outcome);
        graded.notes.extend(submission.notes.iter().cloned());
        graded.score = items.iter().filter_map(|item| item.earned).sum();
        let is_open = |state: &ItemState| matches!(state, ItemState::NotGraded { .. });
        graded.ungraded =
            items.iter().filter(|item| is_open(&item.state)).map(|item| item.points).sum();
        graded.items = items;
        graded.infra = infra;
        graded
    }

    /// A submission that cannot be run: no points if it is to blame, otherwise no grade.
    fn unusable(&self, unusable: &Unusable, assignment: &Assignment, plan: &Plan) -> Graded {
        let info = SubmissionInfo {
            id: self.id.clone(),
            language: unusable.language,
            digest: unusable.digest.clone(),
            command: vec![],
        };
        let outcome = unusable.outcome.clone();
        let blamed = outcome.kind.costs_points();
        let why = outcome.message.clone();
        let mut graded = empty(assignment, plan, info, unusable.student.clone(), outcome);
        if !blamed {
            graded.infra.push(why.en.clone());
            graded.ungraded = graded.max;
        }
        graded.items = assignment.items.iter().map(|item| item_result(assignment, item)).collect();
        for item in graded.items.iter_mut().filter(|_| !blamed) {
            item.earned = None;
            item.state = ItemState::NotGraded { why: why.clone() };
        }
        graded
    }
}

/// The identity from which a student's own hidden seeds are derived: it stays the same from one
/// attempt to the next.
fn identity<'a>(student: &'a Student, id: &'a str) -> &'a str {
    let known = [&student.idnumber, &student.username, &student.email, &student.name];
    known.into_iter().find(|text| !text.is_empty()).map_or(id, String::as_str)
}

fn internal_error(why: &str) -> Outcome {
    Outcome::not_graded(
        OutcomeKind::InternalError,
        Text::new(
            format!("the testbed failed: {why}"),
            format!("el banco de pruebas falló: {why}"),
        ),
        Text::new(
            "this is a bug in seedbed, not in the submission: grade it again, and report the bug \
            if it persists",
            "es un error de seedbed, no de la entrega: evalúala de nuevo y, si persiste, \
            comunícalo",
        ),
    )
}

fn empty(
    assignment: &Assignment,
    plan: &Plan,
    submission: SubmissionInfo,
    student: Student,
    outcome: Outcome,
) -> Graded {
    Graded {
        format: FORMAT,
        seedbed: VERSION.to_owned(),
        assignment: assignment.info(),
        submission,
        student,
        hidden: plan.hidden(assignment),
        sandbox: plan.measures.clone(),
        outcome,
        items: vec![],
        score: Points::ZERO,
        max: assignment.points(),
        ungraded: Points::ZERO,
        provisional: plan.provisional(assignment),
        notes: vec![],
        infra: vec![],
    }
}

/// Whether a folder has results that were graded with a course secret: results without one must not
/// replace them.
pub fn graded_with_secret(out: &Path, ids: &[&str]) -> bool {
    let with_secret = |id: &&str| {
        stored(out, id).is_some_and(|graded| matches!(graded.hidden, HiddenSeeds::Run { .. }))
    };
    ids.iter().any(with_secret)
}

/// The word for a language in tables.
pub fn language_word(language: Option<Language>) -> &'static str {
    language.map_or("", Language::word)
}
