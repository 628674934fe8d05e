//! `sweep`: run scenarios with many seeds.

use std::collections::BTreeMap;
use std::thread;

use indicatif::{ProgressBar, ProgressStyle};
use xxhash_rust::xxh3::Xxh3;

use super::args::SweepArgs;
use super::scenarios::read_all;
use super::{Console, Refused};
use crate::checkers::Overall;
use crate::error::{EXIT_INVALID, EXIT_TESTBED, EXIT_UNKNOWN, EXIT_VALID};
use crate::report::{OTHER_FOLDER, Repeat, probe_folder, replace_file, seconds};
use crate::run::sweep_run;
use crate::sweep::{Row, RowVerdict, Table, sweep as run_all};

/// At most this many failures of a scenario are printed; the table has all of them.
const FAILURES_SHOWN_MAX: u64 = 20;

pub(super) fn sweep(args: &SweepArgs, console: &mut Console) -> Result<u8, Refused> {
    let asked = read_all(&args.scenarios)?;
    let repeats: BTreeMap<String, Repeat> =
        asked.iter().map(|one| (one.scenario.name.clone(), one.repeat.clone())).collect();
    let scenarios: Vec<_> = asked.into_iter().map(|one| one.scenario).collect();
    let jobs = args
        .jobs
        .map_or_else(|| thread::available_parallelism().map_or(1, usize::from), usize::from);
    let seeds = args.seeds.0.clone();
    probe_folder(&args.out)?;

    let bar = progress((seeds.end - seeds.start) * scenarios.len() as u64);
    let mut table = Table::default();
    let mut tallies: Vec<Tally> =
        scenarios.iter().map(|scenario| Tally::new(&scenario.name)).collect();
    let mut current = 0;
    run_all(&scenarios, seeds, jobs, &sweep_run, |scenario, row| {
        table.push(&row);
        while tallies[current].scenario != scenario.name {
            current += 1;
        }
        let tally = &mut tallies[current];
        tally.add(&row);
        if row.verdict != RowVerdict::Judged(Overall::Valid) {
            // The rows arrive in order, so the failures are printed in order too.
            bar.suspend(|| print_failure(tally, &row, &repeats[&row.scenario], console));
        }
        bar.inc(1);
    });
    bar.finish_and_clear();
    replace_file(&args.out.join("sweep.csv"), &table.into_bytes(), OTHER_FOLDER)?;
    for tally in &tallies {
        console.line(tally.line());
    }
    Ok(tallies
        .iter()
        .map(Tally::exit_code)
        .max_by_key(|code| severity(*code))
        .unwrap_or(EXIT_VALID))
}

/// A progress bar on stderr if that is a terminal, otherwise nothing.
fn progress(runs: u64) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{bar:40} {pos}/{len} runs, {per_sec}, {eta} left {msg}")
            .expect("the template is well formed");
    ProgressBar::new(runs).with_style(style)
}

fn print_failure(tally: &Tally, row: &Row, repeat: &Repeat, console: &mut Console) {
    if tally.failures() > FAILURES_SHOWN_MAX {
        if tally.failures() == FAILURES_SHOWN_MAX + 1 {
            console.line(format_args!("{}: further failures are in sweep.csv only", row.scenario));
        }
        return;
    }
    let place = row.time_us.map_or_else(String::new, |time| format!(" at {}", seconds(time)));
    let check =
        if row.check.is_empty() { String::new() } else { format!(", {}{place}", row.check) };
    // A panic's message may have several lines; the table has all of them.
    let message = row.message.lines().next().unwrap_or_default();
    console.line(format_args!(
        "{} seed {}: {}{check}: {message}",
        row.scenario,
        row.seed,
        row.verdict.word()
    ));
    console.line(format_args!("  repeat: {}", repeat.command(row.seed)));
    console.flush();
}

/// The totals of one scenario, printed at the end of a sweep.
struct Tally {
    scenario: String,
    valid: u64,
    invalid: u64,
    unknown: u64,
    error: u64,
    /// A digest over the digests of all runs in order: one value by which to compare two sweeps.
    digests: Xxh3,
}

impl Tally {
    fn new(scenario: &str) -> Tally {
        Tally {
            scenario: scenario.to_owned(),
            valid: 0,
            invalid: 0,
            unknown: 0,
            error: 0,
            digests: Xxh3::new(),
        }
    }

    fn add(&mut self, row: &Row) {
        match row.verdict {
            RowVerdict::Judged(Overall::Valid) => self.valid += 1,
            RowVerdict::Judged(Overall::Unknown) => self.unknown += 1,
            RowVerdict::Judged(Overall::Invalid) => self.invalid += 1,
            RowVerdict::Error => self.error += 1,
        }
        self.digests.update(row.digest.as_bytes());
    }

    fn failures(&self) -> u64 {
        self.invalid + self.unknown + self.error
    }

    fn line(&self) -> String {
        let runs = self.valid + self.failures();
        let error = if self.error == 0 { String::new() } else { format!(", {} error", self.error) };
        let (valid, invalid, unknown) = (self.valid, self.invalid, self.unknown);
        format!(
            "{}: {runs} runs, {valid} valid, {invalid} invalid, {unknown} unknown{error}, digest \
                {:032x}",
            self.scenario,
            self.digests.digest128()
        )
    }

    fn exit_code(&self) -> u8 {
        match self {
            Tally { error: 1.., .. } => EXIT_TESTBED,
            Tally { invalid: 1.., .. } => EXIT_INVALID,
            Tally { unknown: 1.., .. } => EXIT_UNKNOWN,
            _ => EXIT_VALID,
        }
    }
}

/// The more severe an outcome, the higher: a bug in the testbed, a violation, an undecided check.
fn severity(code: u8) -> u8 {
    match code {
        EXIT_TESTBED => 3,
        EXIT_INVALID => 2,
        EXIT_UNKNOWN => 1,
        _ => 0,
    }
}
