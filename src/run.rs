//! Runs from Rust: simulate a scenario with a seed, and judge what happened.
//!
//! The command line does nothing else before it prints and writes, so a program that calls
//! [`run_scenario`] sees what `seedbed run` sees.

use crate::checkers::{Checker, Overall, Params, Verdict, Violation, judge, overall};
use crate::error::{EXIT_INVALID, EXIT_UNKNOWN, EXIT_VALID};
use crate::program::Stall;
use crate::scenario::Scenario;
use crate::sim::{Acted, LastWords, LogLine, RunOptions};
use crate::systems::{self, System};
use crate::trace::{Digest, Trace};

impl Overall {
    /// `valid`, `unknown` or `invalid`.
    pub fn word(self) -> &'static str {
        match self {
            Overall::Valid => "valid",
            Overall::Unknown => "unknown",
            Overall::Invalid => "invalid",
        }
    }

    /// The exit code for this verdict.
    pub fn exit_code(self) -> u8 {
        match self {
            Overall::Valid => EXIT_VALID,
            Overall::Unknown => EXIT_UNKNOWN,
            Overall::Invalid => EXIT_INVALID,
        }
    }
}

/// The verdict of one check on a trace.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// The check's name.
    pub check: &'static str,
    /// The parameters it was given.
    pub params: Params,
    /// Its verdict.
    pub verdict: Verdict,
}

/// A finished run.
#[derive(Clone, Debug)]
pub struct Run {
    /// Everything that happened.
    pub trace: Trace,
    /// Equal for two runs exactly if the same happened in both.
    pub digest: Digest,
    /// The verdicts of the checks, in the order of the scenario or of the system.
    pub judgements: Vec<Judgement>,
    /// Why the simulation was aborted, if it was.
    pub aborted: Option<String>,
    /// The program that did not answer, if that is why the run was aborted.
    pub stall: Option<Stall>,
    /// The lines of `--log`, if requested.
    pub log: Vec<LogLine>,
    /// When planted defects acted: no part of the trace or the digest, and no check can see it.
    pub acted: Vec<Acted>,
    /// The output of programs that exited without an answer; not part of the digest.
    pub last_words: Vec<LastWords>,
}

impl Run {
    /// The worst of the verdicts; `Unknown` for an aborted run, because the checks expect complete
    /// ones.
    pub fn verdict(&self) -> Overall {
        verdict_over(&self.judgements, self.aborted.as_deref())
    }

    /// The earliest violation; of two at the same time, that of the earlier check.
    pub fn first_violation(&self) -> Option<&Violation> {
        let all = self.judgements.iter().filter_map(|judgement| match &judgement.verdict {
            Verdict::Invalid(violations) => Some(violations),
            _ => None,
        });
        all.flatten().min_by_key(|violation| violation.time_us)
    }
}

/// Simulate a scenario with a seed, and judge it. Nothing is written.
///
/// ```no_run
/// # fn main() -> Result<(), seedbed::error::Error> {
/// let scenario = seedbed::systems::read_file("scenarios/raft/leader-isolated.toml".as_ref(), &[], &[])?;
/// let run = seedbed::run_scenario(&scenario, 42);
/// println!("{} with digest {}", run.verdict().word(), run.digest);
/// # Ok(())
/// # }
/// ```
pub fn run_scenario(scenario: &Scenario, seed: u64) -> Run {
    run_with(scenario, &RunOptions { seed, ..RunOptions::default() })
}

/// [`run_scenario`] for sweeps: messages are counted and included in the digest, but not kept.
pub fn sweep_run(scenario: &Scenario, seed: u64) -> Run {
    run_with(scenario, &RunOptions { seed, fold_messages: true, ..RunOptions::default() })
}

/// [`run_scenario`] with all options.
pub fn run_with(scenario: &Scenario, options: &RunOptions) -> Run {
    let output = (system_of(scenario).run)(scenario, options);
    let digest = Digest::of(&output.trace);
    let judgements = judge_trace(scenario, &output.trace, output.aborted.as_deref());
    Run {
        trace: output.trace,
        digest,
        judgements,
        aborted: output.aborted,
        stall: output.stall,
        log: output.log,
        acted: output.acted,
        last_words: output.last_words,
    }
}

/// Withdraw the verdicts about the end of an aborted run: what had not happened by its last record
/// might have happened later.
fn forget_the_end(judgements: &mut [Judgement], trace: &Trace) {
    let events = trace.events.iter().map(|event| event.time_us);
    let last_us = events.chain(trace.history.iter().map(|op| op.time_us)).max().unwrap_or(0);
    for judgement in judgements {
        if let Verdict::Invalid(violations) = &mut judgement.verdict {
            violations.retain(|violation| violation.time_us <= last_us);
            if violations.is_empty() {
                judgement.verdict = Verdict::Unknown("the run was aborted".to_owned());
            }
        }
    }
}

/// The verdict over all checks of a run, which may have been aborted.
pub fn verdict_over(judgements: &[Judgement], aborted: Option<&str>) -> Overall {
    match aborted {
        Some(_) => Overall::Unknown,
        None => overall(judgements.iter().map(|judgement| &judgement.verdict)),
    }
}

/// Judge a trace with the checks of a scenario: those it names, or all of its system's if it names
/// none.
///
/// `aborted` says why the run was aborted, if it was; nothing after that point is judged.
pub fn judge_trace(scenario: &Scenario, trace: &Trace, aborted: Option<&str>) -> Vec<Judgement> {
    let checks = checks_of(scenario);
    let verdicts = judge(trace, &checks);
    let judged = checks.into_iter().zip(verdicts);
    let mut judgements: Vec<Judgement> = judged
        .map(|((_, params), (check, verdict))| Judgement { check, params, verdict })
        .collect();
    if aborted.is_some() {
        forget_the_end(&mut judgements, trace);
    }
    judgements
}

/// The system of a scenario.
pub fn system_of(scenario: &Scenario) -> &'static System {
    systems::all()
        .iter()
        .copied()
        .find(|system| system.name == scenario.system)
        .expect("the reader refuses a scenario without a known system")
}

/// The checks of a scenario with all their parameters, without those that its settings rule out.
pub(crate) fn checks_of(scenario: &Scenario) -> Vec<(&'static Checker, Params)> {
    let voided = (system_of(scenario).voided_checks)(scenario);
    let of_system = system_of(scenario).checks;
    let counts = |checker: &Checker| !voided.contains(&checker.name);
    let defaults = |checker: &Checker| -> Params {
        checker.params.iter().map(|param| (param.name.to_owned(), param.default)).collect()
    };
    if scenario.checks.is_empty() {
        return of_system
            .iter()
            .filter(|checker| counts(checker))
            .map(|checker| (*checker, defaults(checker)))
            .collect();
    }
    let named = scenario.checks.iter().map(|spec| {
        let known = of_system.iter().find(|checker| checker.name == spec.name);
        let checker = *known.expect("the reader refuses a check that the system does not have");
        let mut params = defaults(checker);
        params.extend(spec.params.clone());
        (checker, params)
    });
    named.filter(|(checker, _)| counts(checker)).collect()
}
