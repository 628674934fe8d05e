//! `sweep.csv`: a row for each run.

use csv::Writer;

use crate::checkers::{Overall, Verdict};
use crate::report::{count_operations, elections};
use crate::run::Run;
use crate::scenario::Scenario;

/// The columns of `sweep.csv`.
pub const COLUMNS: [&str; 14] = [
    "scenario",
    "seed",
    "verdict",
    "check",
    "time_us",
    "operations",
    "ok",
    "fail",
    "info",
    "open",
    "elections",
    "messages",
    "digest",
    "message",
];

/// How a run of a sweep ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RowVerdict {
    /// The run was judged.
    Judged(Overall),
    /// The testbed itself failed.
    Error,
}

impl RowVerdict {
    /// `valid`, `unknown`, `invalid` or `error`.
    pub fn word(self) -> &'static str {
        match self {
            RowVerdict::Judged(overall) => overall.word(),
            RowVerdict::Error => "error",
        }
    }
}

/// The summary of a run that a sweep keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// The scenario's name.
    pub scenario: String,
    /// The seed.
    pub seed: u64,
    /// How it ended.
    pub verdict: RowVerdict,
    /// The check with the earliest violation, or the first one that could not decide.
    pub check: &'static str,
    /// The time of the first violation, µs.
    pub time_us: Option<u64>,
    /// Why it is not valid.
    pub message: String,
    /// `operations`, `ok`, `fail`, `info`, `open`, `elections`, `messages`.
    pub counts: [u64; 7],
    /// The digest; empty if the testbed failed.
    pub digest: String,
}

impl Row {
    /// The row of a run.
    pub fn of(run: &Run, scenario: &Scenario, seed: u64) -> Row {
        let operations = count_operations(&run.trace);
        let (check, time_us, message) =
            match run.first_violation().filter(|_| run.aborted.is_none()) {
                Some(first) => (first.check, Some(first.time_us), first.message.clone()),
                None => undecided(run),
            };
        Row {
            scenario: scenario.name.clone(),
            seed,
            verdict: RowVerdict::Judged(run.verdict()),
            check,
            time_us,
            message,
            counts: [
                operations.invoked,
                operations.ok,
                operations.fail,
                operations.info,
                operations.open,
                elections(&run.trace),
                run.trace.message_count(),
            ],
            digest: run.digest.to_string(),
        }
    }

    /// The row of a run in which the testbed failed.
    pub fn error(scenario: &Scenario, seed: u64, message: &str) -> Row {
        Row {
            scenario: scenario.name.clone(),
            seed,
            verdict: RowVerdict::Error,
            check: "",
            time_us: None,
            message: message.to_owned(),
            counts: [0; 7],
            digest: String::new(),
        }
    }
}

/// The first check that is neither valid nor has a violation.
fn undecided(run: &Run) -> (&'static str, Option<u64>, String) {
    if let Some(reason) = &run.aborted {
        return ("", None, format!("the run was aborted: {reason}"));
    }
    let reason = run.judgements.iter().find_map(|judgement| match &judgement.verdict {
        Verdict::Valid => None,
        Verdict::Unknown(reason) => Some((judgement.check, None, reason.clone())),
        Verdict::Invalid(_) => Some((judgement.check, None, String::new())),
    });
    reason.unwrap_or_default()
}

/// The text of `sweep.csv` under construction. It stays in memory until the sweep has ended, so
/// that an interrupt leaves no partial file.
pub struct Table(Writer<Vec<u8>>);

impl Default for Table {
    fn default() -> Self {
        let mut writer = Writer::from_writer(Vec::new());
        writer.write_record(COLUMNS).expect("a Vec takes every byte");
        Table(writer)
    }
}

impl Table {
    /// Add a row.
    pub fn push(&mut self, row: &Row) {
        let number = |number: u64| number.to_string();
        let mut record = vec![
            row.scenario.clone(),
            number(row.seed),
            row.verdict.word().to_owned(),
            row.check.to_owned(),
        ];
        record.push(row.time_us.map(number).unwrap_or_default());
        record.extend(row.counts.map(number));
        record.extend([row.digest.clone(), row.message.clone()]);
        self.0
            .write_record(&record)
            .expect("a Vec takes every byte, and every row has all columns");
    }

    /// The finished text.
    pub fn into_bytes(self) -> Vec<u8> {
        self.0.into_inner().expect("a Vec takes every byte")
    }
}
