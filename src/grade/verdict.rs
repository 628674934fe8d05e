//! Turns what happened in a run into the verdict on a seed.
//!
//! Only the trace and the checks decide, and through them virtual time and counted steps. A
//! program's own failure outranks its consequences: a node that has crashed makes no progress
//! either. A violation of safety that came earlier outranks the failure.

use super::last_words::last_words;
use super::model::SeedVerdict;
use crate::checkers::{Checker, Verdict, Violation};
use crate::run::{Judgement, Run};
use crate::systems::find_check as find;
use crate::trace::{Digest, Event, NodeId};

/// The findings of a run without its trace: one run may be judged for several items.
#[derive(Clone, Debug)]
pub struct Facts {
    /// Equal for two runs exactly when the same happened.
    pub digest: Digest,
    /// What all checks of the scenario found.
    pub judgements: Vec<Judgement>,
    /// The first failure of a node that the submission plays.
    pub failure: Option<ProgramFailure>,
    /// Why the run was given up, if it was.
    pub given_up: Option<GivenUp>,
}

/// A node that failed by itself, not because of a fault in the scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProgramFailure {
    /// The node.
    pub node: NodeId,
    /// Its name.
    pub name: String,
    /// When, virtual µs.
    pub time_us: u64,
    /// `crash`, `protocol_error` or `busy_loop`.
    pub verdict: SeedVerdict,
    /// The details: `KeyError: 'k'` with the traceback; may have many lines.
    pub message: String,
}

/// Why a run was given up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GivenUp {
    /// The program could not be started.
    NotStarted(String),
    /// The program gave no answer in real time.
    Stalled {
        /// Node, process and turn, in words.
        place: String,
        /// What the watchdog measured.
        why: String,
    },
    /// A limit of counted steps was reached.
    Steps(String),
    /// The scenario or the testbed is to blame.
    Testbed(String),
}

/// The reasons of crashes that the scenario causes.
const OF_SCENARIO: [&str; 3] = ["kill", "stop", "disk"];

impl Facts {
    /// The findings of a run on the nodes at these positions.
    pub fn of(run: &Run, nodes: &[usize]) -> Facts {
        let crashes = run
            .trace
            .events
            .iter()
            .filter(|event| event.name == "crash" && nodes.contains(&event.node.index()));
        let reason = |event: &Event| event.fields.text("reason").unwrap_or_default().to_owned();
        let failure = crashes.clone().find_map(|event| {
            let verdict = match reason(event).as_str() {
                of_scenario if OF_SCENARIO.contains(&of_scenario) => return None,
                "protocol" => SeedVerdict::ProtocolError,
                "busy_loop" => SeedVerdict::BusyLoop,
                "not_started" | "silent" | "busy" | "slow" => return None,
                _ => SeedVerdict::Crash,
            };
            let mut message = event.fields.text("message").unwrap_or_default().to_owned();
            // The output is not part of the trace and may vary: it explains the verdict but never
            // decides it.
            if let Some(words) = run
                .last_words
                .iter()
                .find(|words| words.node == event.node && words.time_us == event.time_us)
            {
                message.push_str(&last_words(&words.text));
            }
            let name = run.trace.name(event.node).to_owned();
            Some(ProgramFailure {
                node: event.node,
                name,
                time_us: event.time_us,
                verdict,
                message,
            })
        });
        let given_up = run.aborted.as_ref().map(|why| given_up(run, why));
        Facts { digest: run.digest, judgements: run.judgements.clone(), failure, given_up }
    }

    /// Where the program stalled, if it did.
    pub fn stall(&self) -> Option<&str> {
        match &self.given_up {
            Some(GivenUp::Stalled { place, .. }) => Some(place),
            _ => None,
        }
    }
}

fn given_up(run: &Run, why: &str) -> GivenUp {
    if let Some(stall) = &run.stall {
        let place = format!(
            "{}: no answer to turn {} of its process {}",
            stall.node, stall.turn, stall.incarnation
        );
        return GivenUp::Stalled { place, why: why.to_owned() };
    }
    let last = run.trace.events.iter().rev().find(|event| event.name == "crash");
    match last.and_then(|event| event.fields.text("reason")) {
        Some("not_started") => GivenUp::NotStarted(why.to_owned()),
        // Nemesis entries that trigger each other forever.
        _ if why.contains("nemesis") => GivenUp::Testbed(why.to_owned()),
        _ => GivenUp::Steps(why.to_owned()),
    }
}

/// The verdict on a seed for one item.
#[derive(Clone, Debug)]
pub struct Judged {
    /// The verdict.
    pub verdict: SeedVerdict,
    /// Why, in one line; empty for `ok`.
    pub message: String,
    /// What costs the points, if anything does.
    pub cause: Option<Cause>,
}

/// What costs the points of a seed.
#[derive(Clone, Debug)]
pub struct Cause {
    /// The check; `None` for a crash and the like.
    pub check: Option<&'static Checker>,
    /// What was found; may have many lines.
    pub finding: String,
    /// Further findings of the item's checks.
    pub also: Vec<String>,
    /// The first moment, virtual µs.
    pub time_us: Option<u64>,
    /// The nodes concerned.
    pub nodes: Vec<NodeId>,
}

/// At most this many further findings are reported.
const ALSO_MAX: usize = 5;

/// Judge a run by some checks. `stalled_again` means that a second run of the seed stalled in the
/// same place.
pub fn judge(facts: &Facts, checks: &[String], stalled_again: bool) -> Judged {
    let decide = |judgement: &&Judgement| checks.iter().any(|check| check == judgement.check);
    let judged = || facts.judgements.iter().filter(decide);
    let violations = |liveness: bool| {
        let invalid =
            judged().filter_map(|judgement| match (&judgement.verdict, find(judgement.check)) {
                (Verdict::Invalid(violations), Some(checker)) if checker.liveness == liveness => {
                    Some((checker, violations))
                }
                _ => None,
            });
        let all = invalid.flat_map(|(checker, violations)| {
            violations.iter().map(move |violation| (checker, violation))
        });
        let mut all: Vec<(&'static Checker, &Violation)> = all.collect();
        all.sort_by_key(|(_, violation)| violation.time_us);
        all
    };
    let (unsafe_, stuck) = (violations(false), violations(true));
    let failure = facts.failure.as_ref().filter(|failure| {
        unsafe_.first().is_none_or(|(_, first)| failure.time_us <= first.time_us)
    });
    if let Some(failure) = failure {
        let others: Vec<_> = unsafe_.iter().chain(&stuck).copied().collect();
        return lost(
            failure.verdict,
            None,
            &failure.message,
            Some(failure.time_us),
            vec![failure.node],
            &others,
        )
        .with_message(format!("{}: {}", failure.name, last_line(&failure.message)));
    }
    if let Some((checker, first)) = unsafe_.first().copied() {
        let others: Vec<_> = unsafe_[1..].iter().chain(&stuck).copied().collect();
        return lost(
            SeedVerdict::Wrong,
            Some(checker),
            &first.message,
            Some(first.time_us),
            first.nodes.clone(),
            &others,
        );
    }
    match &facts.given_up {
        // The watchdog's measurement differs from run to run; the place does not.
        Some(GivenUp::Stalled { place, .. }) if stalled_again => {
            return lost(
                SeedVerdict::BusyLoop,
                None,
                &format!("{place}, in two runs"),
                None,
                vec![],
                &[],
            );
        }
        Some(GivenUp::Steps(why)) => {
            return lost(SeedVerdict::BusyLoop, None, why, None, vec![], &[]);
        }
        Some(GivenUp::NotStarted(why) | GivenUp::Stalled { why, .. } | GivenUp::Testbed(why)) => {
            return open(SeedVerdict::InfraError, why);
        }
        None => {}
    }
    if let Some((checker, first)) = stuck.first().copied() {
        return lost(
            SeedVerdict::NoProgress,
            Some(checker),
            &first.message,
            Some(first.time_us),
            first.nodes.clone(),
            &stuck[1..],
        );
    }
    let unknown = judged().find_map(|judgement| match &judgement.verdict {
        Verdict::Unknown(why) => Some(format!("{} cannot decide: {why}", judgement.check)),
        // Every violation is in one of the two lists above.
        Verdict::Invalid(_) => {
            Some(format!("{} reported a violation without details", judgement.check))
        }
        Verdict::Valid => None,
    });
    match unknown {
        Some(why) => open(SeedVerdict::Unknown, &why),
        None => Judged { verdict: SeedVerdict::Ok, message: String::new(), cause: None },
    }
}

/// A run that neither wins nor loses points.
pub fn open(verdict: SeedVerdict, why: &str) -> Judged {
    Judged { verdict, message: why.to_owned(), cause: None }
}

/// Two runs of the same seed that differ. What they did is random, so no details are given.
pub fn nondeterministic() -> Judged {
    lost(SeedVerdict::Nondeterministic, None, "two runs of the same seed differ", None, vec![], &[])
}

fn lost(
    verdict: SeedVerdict,
    check: Option<&'static Checker>,
    finding: &str,
    time_us: Option<u64>,
    nodes: Vec<NodeId>,
    others: &[(&'static Checker, &Violation)],
) -> Judged {
    let mut also: Vec<String> = vec![];
    for (checker, violation) in others {
        let line = format!("{}: {}", checker.name, violation.message);
        if also.len() < ALSO_MAX && violation.message != finding && !also.contains(&line) {
            also.push(line);
        }
    }
    let message = check.map_or_else(
        || last_line(finding).to_owned(),
        |checker| format!("{}: {finding}", checker.name),
    );
    Judged {
        verdict,
        message,
        cause: Some(Cause { check, finding: finding.to_owned(), also, time_us, nodes }),
    }
}

impl Judged {
    fn with_message(self, message: String) -> Judged {
        Judged { message, ..self }
    }
}

/// The line of a traceback that names the exception.
fn last_line(text: &str) -> &str {
    text.lines().map(str::trim).rfind(|line| !line.is_empty()).unwrap_or("it exited")
}
