//! Commands and flags. Nothing here does any IO: it only parses the command line.

use std::ops::Range;
use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Args, Parser, Subcommand};

use super::list::LISTS;
#[cfg(feature = "grading")]
use super::submission::Lang;

const AFTER_HELP: &str = "Exit codes: 0 valid, 1 invalid, 2 error in the command line, a \
    scenario or a file, 3 unknown, 101 internal error of the testbed.";

/// A deterministic simulation testbed for distributed systems.
///
/// A scenario and a seed determine everything that happens: the same pair gives the same bytes on
/// every machine.
#[derive(Debug, Parser)]
#[command(name = "seedbed", version, after_help = AFTER_HELP)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Simulate scenarios, judge them and write a report for each.
    Run(RunArgs),
    /// Rerun the scenario of a report and compare the results.
    Replay(ReplayArgs),
    /// Run scenarios with many seeds and write sweep.csv.
    Sweep(SweepArgs),
    /// Judge the stored trace of a report again, with this version's checks.
    Check(CheckArgs),
    /// Draw the stored trace of a report again.
    Plot(PlotArgs),
    /// List what there is: systems, faults, checks, plots, defects, ….
    List(ListArgs),
    /// Explain a system, fault, check, plot, defect, metric, event, message, scenario, or scenario
    /// key.
    Explain(ExplainArgs),
    /// Create a scenario or a submission.
    New(NewArgs),
    /// Test whether a program speaks the child protocol (sdk/PROTOCOL.md), message by message: for
    /// SDK authors.
    Conform(ConformArgs),
    /// Grade submissions for an assignment.
    #[cfg(feature = "grading")]
    Grade(GradeArgs),
    /// Report which sandboxing features this machine has, and what each missing one means.
    Doctor(DoctorArgs),
    /// Enter the sandbox and run a program there. Used by the testbed itself.
    #[command(hide = true)]
    EnterSandbox(EnterSandboxArgs),
}

/// Which scenarios to run, and what to change in them.
#[derive(Debug, Args)]
pub struct ScenarioArgs {
    /// Scenario files, or folders to search for .toml files.
    #[arg(required = true, value_name = "SCENARIO")]
    pub scenarios: Vec<PathBuf>,
    /// Plant a defect in the system (`seedbed list defects`); may be given several times.
    #[arg(long = "defect", value_name = "NAME")]
    pub defects: Vec<String>,
    /// Override a value of the scenario, e.g. `raft.heartbeat_interval=20ms`; may be given several
    /// times.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = parse_override)]
    pub overrides: Vec<(String, String)>,
    /// Run a program instead of the built-in nodes, started in the current folder:
    /// `"python3 node.py"` for all nodes, `"n1=./node"` for a node, a role or a group; may be given
    /// several times.
    #[arg(long = "node-command", value_name = "[WHO=]COMMAND", value_parser = parse_node_command)]
    pub node_commands: Vec<(String, String)>,
}

/// `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    #[command(flatten)]
    pub scenarios: ScenarioArgs,
    /// The seed, instead of the scenario's.
    #[arg(long, value_name = "N", value_parser = parse_seed, allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// Where to write reports: DIR/SCENARIO/SEED.
    #[arg(long, value_name = "DIR", default_value = "reports")]
    pub out: PathBuf,
    /// Do not write a report.
    #[arg(long, conflicts_with = "out")]
    pub no_files: bool,
    /// Run again, on other threads too, and compare record by record.
    #[arg(long)]
    pub check_determinism: bool,
    /// Print what happens, with virtual time: everything, or only these kinds
    /// (`--log=message,disk`).
    #[arg(long, value_name = "KIND,…", num_args = 0.., require_equals = true, value_delimiter = ',')]
    #[arg(value_parser = LOG_KINDS)]
    pub log: Option<Vec<String>>,
    /// With --log: print only what concerns this node; may be given several times.
    #[arg(long = "node", value_name = "NAME", requires = "log")]
    pub nodes: Vec<String>,
}

/// The kinds of log lines.
pub const LOG_KINDS: [&str; 8] =
    ["message", "stream", "timer", "disk", "clock", "process", "nemesis", "node"];

/// `replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The folder of a report: reports/SCENARIO/SEED.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

/// `sweep`.
#[derive(Debug, Args)]
pub struct SweepArgs {
    #[command(flatten)]
    pub scenarios: ScenarioArgs,
    /// The seeds: A..B (without B), A..=B (with B), or a single seed.
    #[arg(long, value_name = "A..B", value_parser = parse_seeds, allow_hyphen_values = true)]
    pub seeds: Seeds,
    /// How many runs to execute in parallel; by default one per core. The result does not depend on
    /// it.
    #[arg(long, value_name = "N", value_parser = parse_jobs, allow_negative_numbers = true)]
    pub jobs: Option<u16>,
    /// Where to write sweep.csv.
    #[arg(long, value_name = "DIR", default_value = "reports")]
    pub out: PathBuf,
}

/// `check`.
#[derive(Debug, Args)]
pub struct CheckArgs {
    /// The folder of a report: reports/SCENARIO/SEED.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
}

/// `plot`.
#[derive(Debug, Args)]
pub struct PlotArgs {
    /// The folder of a report: reports/SCENARIO/SEED.
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Plots to draw (`seedbed list plots`); by default all plots of the system.
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
}

/// `list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Which list to print; without it, the available lists.
    #[arg(value_parser = PossibleValuesParser::new(LISTS.iter().map(|(name, summary)| PossibleValue::new(*name).help(*summary))))]
    pub what: Option<String>,
}

/// `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The name; `scenario` explains the whole scenario language.
    #[arg(value_name = "NAME")]
    pub name: String,
}

/// `conform`.
#[derive(Debug, Args)]
pub struct ConformArgs {
    /// Print only the verdict on each rule.
    #[arg(long)]
    pub quiet: bool,
    /// Print the conversation only for rules that do not hold.
    #[arg(long, conflicts_with = "quiet")]
    pub failures: bool,
    /// The command of a conformance node, after `--`.
    #[arg(required = true, last = true, value_name = "CMD")]
    pub command: Vec<String>,
}

/// `new`.
#[derive(Debug, Args)]
pub struct NewArgs {
    /// What to create.
    #[command(subcommand)]
    pub what: NewWhat,
}

/// What `new` can create.
#[derive(Debug, Subcommand)]
pub enum NewWhat {
    /// A scenario with a comment on everything you may want to change.
    Scenario {
        /// Where to write it; by default it is printed. An existing file is never overwritten.
        #[arg(value_name = "PATH")]
        path: Option<PathBuf>,
        /// The system to simulate (`seedbed list systems`).
        #[arg(long, value_name = "NAME", default_value = "raft")]
        system: String,
    },
    /// A folder for a student to start from: the assignment's starting point, the SDK, the
    /// instructions and the commands.
    #[cfg(feature = "grading")]
    Submission {
        /// The assignment: a TOML file, or the name of an assignment in scenarios/assignments.
        #[arg(value_name = "ASSIGNMENT")]
        assignment: PathBuf,
        /// The programming language.
        #[arg(long, value_name = "LANGUAGE", default_value = "python")]
        lang: Lang,
        /// Where to write it; by default a folder with the assignment's name in the current folder.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
}

/// `grade`.
#[cfg(feature = "grading")]
#[derive(Debug, Args)]
#[command(after_help = GRADE_AFTER_HELP)]
pub struct GradeArgs {
    /// The assignment: a TOML file, or the name of an assignment in scenarios/assignments.
    #[arg(value_name = "ASSIGNMENT")]
    pub assignment: PathBuf,
    /// Submissions: folders, archives, Python files; or a folder that contains nothing but
    /// submissions.
    #[arg(value_name = "SUBMISSION", required_unless_present_any = ["defects", "show_seeds"])]
    pub submissions: Vec<PathBuf>,
    /// Instead of grading submissions, run the built-in nodes with each defect and show which items
    /// catch it.
    #[arg(long, conflicts_with_all = ["submissions", "again", "worksheet"])]
    pub defects: bool,
    /// Instead of grading, print the hidden seeds derived from the secret, each with the command
    /// that runs it (for instructors).
    #[arg(long, conflicts_with_all = ["submissions", "defects"])]
    pub show_seeds: bool,
    /// Where to write results; by default grades/ASSIGNMENT.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// How many runs to execute in parallel; by default one per core. The result does not depend on
    /// it.
    #[arg(long, value_name = "N", value_parser = parse_jobs, allow_negative_numbers = true)]
    pub jobs: Option<u16>,
    /// Run only this item; may be given several times.
    #[arg(long = "only", value_name = "ITEM")]
    pub only: Vec<String>,
    /// Run only the first N public seeds of each item, for a quick look.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub seeds: Option<u16>,
    /// The language of pages and messages for students.
    #[arg(long, value_name = "LANG", default_value = "en", value_parser = ["en", "es"])]
    pub lang: String,
    /// The file with the course secret, from which hidden seeds are derived; by default the
    /// environment variable SEEDBED_SECRET is used.
    #[arg(long, value_name = "FILE")]
    pub secret_file: Option<PathBuf>,
    /// Grade everything again, even submissions that an earlier batch has graded and that have not
    /// changed since.
    #[arg(long)]
    pub again: bool,
    /// Run every seed twice, instead of only the first seed of each item.
    #[arg(long)]
    pub check_determinism: bool,
    /// A grading worksheet downloaded from Moodle, of which a copy is filled in.
    #[arg(long, value_name = "FILE")]
    pub worksheet: Option<PathBuf>,
    /// Write Moodle's file with `;` as separator and decimal commas.
    #[arg(long)]
    pub semicolons: bool,
    /// Write Canvas' file with a row of possible points.
    #[arg(long)]
    pub points_possible: bool,
}

#[cfg(feature = "grading")]
const GRADE_AFTER_HELP: &str = "Exit codes: 0 everything was graded, 1 with --defects: the \
    assignment is refused, 2 error in the command line, the assignment or a file, 3 something \
    could not be graded and needs a look, 101 internal error of the testbed. docs/grading.md \
    explains the rest.";

/// `doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// The output format.
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "json"])]
    pub format: String,
}

/// `enter-sandbox`.
#[derive(Debug, Args)]
pub struct EnterSandboxArgs {
    /// The restrictions for the program, as JSON.
    pub entry: String,
    /// The program and its arguments.
    #[arg(last = true)]
    pub command: Vec<String>,
}

/// Seeds from `start` (inclusive) to `end` (exclusive).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seeds(pub Range<u64>);

/// More seeds than this are a typo: at a millisecond each, they would take a day.
const SEEDS_MAX: u64 = 100_000_000;

fn parse_seed(text: &str) -> Result<u64, String> {
    // TOML's largest integer, so that the scenario of a report can name every seed.
    let seed = text.parse().ok().filter(|seed| *seed <= i64::MAX as u64);
    seed.ok_or_else(|| {
        format!(
            "`{text}` is not a seed: seeds are whole numbers from 0 to 2^63 - \
        1"
        )
    })
}

fn parse_seeds(text: &str) -> Result<Seeds, String> {
    let number = |number: &str| {
        let no_seeds = || {
            format!(
                "`{text}` is not a range of seeds: write A..B, as in 0..100, or one whole number \
                from 0 to 2^63 - 1"
            )
        };
        parse_seed(number).map_err(|_| no_seeds())
    };
    let (start, end) = match text.split_once("..") {
        Some((start, end)) => match end.strip_prefix('=') {
            Some(last) => (number(start)?, number(last)? + 1),
            None => (number(start)?, number(end)?),
        },
        None => (number(text)?, number(text)? + 1),
    };
    match end.checked_sub(start) {
        None | Some(0) => {
            Err(format!("`{text}` contains no seed; write the smaller number first: 0..100"))
        }
        Some(count) if count > SEEDS_MAX => {
            Err(format!("`{text}` is {count} seeds; a sweep takes at most {SEEDS_MAX}"))
        }
        Some(_) => Ok(Seeds(start..end)),
    }
}

/// More parallel runs than any machine has cores for.
const JOBS_MAX: u16 = 1_024;

fn parse_jobs(text: &str) -> Result<u16, String> {
    let jobs = text.parse().ok().filter(|jobs| (1..=JOBS_MAX).contains(jobs));
    jobs.ok_or_else(|| format!("the number of jobs is a whole number from 1 to {JOBS_MAX}"))
}

fn parse_override(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("an override is KEY=VALUE, as in `raft.heartbeat_interval=20ms`".to_owned()),
    }
}

/// A program instead of the built-in nodes, as an override of the scenario.
fn parse_node_command(text: &str) -> Result<(String, String), String> {
    let example = "as in `python3 node.py`, or `n1=python3 node.py` for one node, role or group";
    let is_name = |who: &str| {
        !who.is_empty() && who.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
    };
    let (who, command) =
        text.split_once('=').filter(|(who, _)| is_name(who)).unwrap_or(("all", text));
    let words = shell_words::split(command)
        .map_err(|error| format!("{error}: write a command, {example}"))?;
    if words.is_empty() {
        return Err(format!("the command is empty: write one, {example}"));
    }
    let here = std::env::current_dir()
        .map_err(|error| format!("cannot determine the current folder: {error}"))?;
    let here = here.to_str().ok_or(
        "the name of the current folder is not UTF-8: start the program from another folder",
    )?;
    let words: Vec<String> = words.iter().map(|word| toml_string(word)).collect();
    Ok((
        format!("nodes.programs.{who}"),
        format!("{{ command = [{}], folder = {} }}", words.join(", "), toml_string(here)),
    ))
}

fn toml_string(text: &str) -> String {
    toml::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    /// clap looks for contradictory flags only when asked.
    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// Both of Rust's range forms are understood, and a single seed.
    #[test]
    fn seeds_are_ranges_as_rust_writes_them() {
        assert_eq!(parse_seeds("0..3"), Ok(Seeds(0..3)));
        assert_eq!(parse_seeds("5..=7"), Ok(Seeds(5..8)));
        assert_eq!(parse_seeds("42"), Ok(Seeds(42..43)));
        for wrong in [
            "",
            "..",
            "3..3",
            "4..3",
            "a..b",
            "-1..4",
            "1..",
            "0..=18446744073709551615",
            "0..1e6",
            "0..9223372036854775807",
        ] {
            assert!(parse_seeds(wrong).is_err(), "{wrong}");
        }
    }
}
