//! Verbs and flags. Nothing here reads or writes anything but the command line.

use std::ops::Range;
use std::path::PathBuf;

use clap::builder::{PossibleValue, PossibleValuesParser};
use clap::{Args, Parser, Subcommand};

use super::list::LISTS;
use super::submission::Lang;

const AFTER_HELP: &str = "Exit codes: 0 valid, 1 invalid, 2 mistake in the command line, a \
    scenario or a file, 3 unknown, 101 fault of the testbed.";

/// A deterministic simulation testbed for distributed systems.
///
/// One scenario and one seed decide everything that happens; the same pair gives the same bytes on
/// every machine.
#[derive(Debug, Parser)]
#[command(name = "seedbed", version, after_help = AFTER_HELP)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub verb: Verb,
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Simulate scenarios, judge them and write a report of each.
    Run(RunArgs),
    /// Run again what a report holds, and compare.
    Replay(ReplayArgs),
    /// Run scenarios under many seeds and write sweep.csv.
    Sweep(SweepArgs),
    /// Judge the stored trace of a report again, with the checks of this program.
    Check(CheckArgs),
    /// Draw the stored trace of a report again.
    Plot(PlotArgs),
    /// Show what can be named: systems, faults, checks, plots, defects, ….
    List(ListArgs),
    /// Explain a name: a system, fault, check, plot, defect, metric, event, message, scenario, or
    /// key of a scenario.
    Explain(ExplainArgs),
    /// Begin something of one's own.
    New(NewArgs),
    /// Find out whether a program speaks the child protocol (sdk/PROTOCOL.md), message by message:
    /// for authors of SDKs.
    Conform(ConformArgs),
    /// Grade submissions by an assignment.
    Grade(GradeArgs),
    /// Say what this machine offers for running programs of strangers, and what is lost without.
    Doctor(DoctorArgs),
    /// Become a confined program. For the testbed itself.
    #[command(hide = true)]
    EnterSandbox(EnterSandboxArgs),
}

/// Which scenarios, and what is changed in them.
#[derive(Debug, Args)]
pub struct ScenarioArgs {
    /// Scenario files, or folders: all .toml files below them.
    #[arg(required = true, value_name = "SCENARIO")]
    pub scenarios: Vec<PathBuf>,
    /// Switch a defect of the system on (`seedbed list defects`); may be given several times.
    #[arg(long = "defect", value_name = "NAME")]
    pub defects: Vec<String>,
    /// Override a value of the scenario, as `raft.heartbeat_interval=20ms`; may be given several
    /// times.
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = parse_override)]
    pub overrides: Vec<(String, String)>,
    /// A program in place of nodes, started here: `"python3 node.py"` for all of them,
    /// `"n1=./node"` for a node, a role or a group; may be given several times.
    #[arg(long = "node-command", value_name = "[WHO=]COMMAND", value_parser = parse_node_command)]
    pub node_commands: Vec<(String, String)>,
}

/// `run`.
#[derive(Debug, Args)]
pub struct RunArgs {
    #[command(flatten)]
    pub scenarios: ScenarioArgs,
    /// The seed, in place of the scenario's.
    #[arg(long, value_name = "N", value_parser = parse_seed, allow_negative_numbers = true)]
    pub seed: Option<u64>,
    /// Where reports go: DIR/SCENARIO/SEED.
    #[arg(long, value_name = "DIR", default_value = "reports")]
    pub out: PathBuf,
    /// Write no report.
    #[arg(long, conflicts_with = "out")]
    pub no_files: bool,
    /// Run again, also on other threads, and compare record by record.
    #[arg(long)]
    pub check_determinism: bool,
    /// Show what happens, with virtual time: everything, or only these kinds
    /// (`--log=message,disk`).
    #[arg(long, value_name = "KIND,…", num_args = 0.., require_equals = true, value_delimiter = ',')]
    #[arg(value_parser = LOG_KINDS)]
    pub log: Option<Vec<String>>,
    /// With --log: only what concerns this node; may be given several times.
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
    /// The seeds: A..B without B, A..=B with it, or one.
    #[arg(long, value_name = "A..B", value_parser = parse_seeds, allow_hyphen_values = true)]
    pub seeds: Seeds,
    /// How many runs at the same time; as many as there are cores by default. The result is the
    /// same.
    #[arg(long, value_name = "N", value_parser = parse_jobs, allow_negative_numbers = true)]
    pub jobs: Option<u16>,
    /// Where sweep.csv goes.
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
    /// Plots (`seedbed list plots`); all of the system's by default.
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
}

/// `list`.
#[derive(Debug, Args)]
pub struct ListArgs {
    /// Which list; without it, what lists there are.
    #[arg(value_parser = PossibleValuesParser::new(LISTS.iter().map(|(name, summary)| PossibleValue::new(*name).help(*summary))))]
    pub what: Option<String>,
}

/// `explain`.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The name; `scenario` explains the whole language of scenarios.
    #[arg(value_name = "NAME")]
    pub name: String,
}

/// `conform`.
#[derive(Debug, Args)]
pub struct ConformArgs {
    /// Only the verdict on each rule.
    #[arg(long)]
    pub quiet: bool,
    /// Show the lines of rules that do not hold only.
    #[arg(long, conflicts_with = "quiet")]
    pub failures: bool,
    /// The command of a conformance node, after `--`.
    #[arg(required = true, last = true, value_name = "CMD")]
    pub command: Vec<String>,
}

/// `new`.
#[derive(Debug, Args)]
pub struct NewArgs {
    /// What to begin.
    #[command(subcommand)]
    pub what: NewWhat,
}

/// What `new` can begin.
#[derive(Debug, Subcommand)]
pub enum NewWhat {
    /// A scenario with a comment on everything that one may want to change.
    Scenario {
        /// Where to write it; without it, it is printed. A file that is there is never overwritten.
        #[arg(value_name = "PATH")]
        path: Option<PathBuf>,
        /// For which system (`seedbed list systems`).
        #[arg(long, value_name = "NAME", default_value = "raft")]
        system: String,
    },
    /// A folder in which a student can begin: the assignment's starting point, the SDK, the
    /// instructions and the commands.
    Submission {
        /// The assignment: its file, or the name of one in scenarios/assignments.
        #[arg(value_name = "ASSIGNMENT")]
        assignment: PathBuf,
        /// In which language.
        #[arg(long, value_name = "LANGUAGE", default_value = "python")]
        lang: Lang,
        /// Where to write it; without it, a folder here with the assignment's name.
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
}

/// `grade`.
#[derive(Debug, Args)]
#[command(after_help = GRADE_AFTER_HELP)]
pub struct GradeArgs {
    /// The assignment: a TOML file, or the name of one below scenarios/assignments.
    #[arg(value_name = "ASSIGNMENT")]
    pub assignment: PathBuf,
    /// Submissions: folders, archives, Python files; or a folder that holds nothing else than them.
    #[arg(value_name = "SUBMISSION", required_unless_present_any = ["defects", "show_seeds"])]
    pub submissions: Vec<PathBuf>,
    /// In place of submissions, run the systems' own nodes with each defect: which items catch
    /// which.
    #[arg(long, conflicts_with_all = ["submissions", "again", "worksheet"])]
    pub defects: bool,
    /// In place of grading, show the hidden seeds that come from the secret, for instructors: each
    /// with the command that runs it.
    #[arg(long, conflicts_with_all = ["submissions", "defects"])]
    pub show_seeds: bool,
    /// Where results go; grades/ASSIGNMENT by default.
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// How many runs at the same time; as many as there are cores by default. The result is the
    /// same.
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
    /// The file with the course secret, from which hidden seeds come; or else the variable
    /// SEEDBED_SECRET.
    #[arg(long, value_name = "FILE")]
    pub secret_file: Option<PathBuf>,
    /// Grade all again, also what an earlier batch has graded and what has not changed since.
    #[arg(long)]
    pub again: bool,
    /// Run every seed twice, in place of the first one of each item.
    #[arg(long)]
    pub check_determinism: bool,
    /// A grading worksheet that was downloaded from Moodle: a copy of it is filled in.
    #[arg(long, value_name = "FILE")]
    pub worksheet: Option<PathBuf>,
    /// Write Moodle's file with `;` between cells and commas in numbers.
    #[arg(long)]
    pub semicolons: bool,
    /// Write Canvas' file with a row of the possible points.
    #[arg(long)]
    pub points_possible: bool,
}

const GRADE_AFTER_HELP: &str = "Exit codes: 0 everything was graded, 1 with --defects: the \
    assignment is refused, 2 mistake in the command line, \
the assignment or a file, 3 something could not be graded and has to be looked at, 101 fault of \
the testbed. docs/grading.md explains the rest.";

/// `doctor`.
#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// How to say it.
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "json"])]
    pub format: String,
}

/// `enter-sandbox`.
#[derive(Debug, Args)]
pub struct EnterSandboxArgs {
    /// What the program is kept from, as JSON.
    pub entry: String,
    /// The program and its arguments.
    #[arg(last = true)]
    pub command: Vec<String>,
}

/// Seeds from `start` to before `end`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seeds(pub Range<u64>);

/// More seeds than this are a slip of the keyboard: at a millisecond each, they would take a day.
const SEEDS_MAX: u64 = 100_000_000;

fn parse_seed(text: &str) -> Result<u64, String> {
    // The greatest integer of TOML, so that the scenario of a report can name every seed.
    let seed = text.parse().ok().filter(|seed| *seed <= i64::MAX as u64);
    seed.ok_or_else(|| format!("`{text}` is no seed: seeds are whole numbers from 0 to 2^63 - 1"))
}

fn parse_seeds(text: &str) -> Result<Seeds, String> {
    let number = |number: &str| {
        let no_seeds = || {
            format!(
                "`{text}` are no seeds: write A..B, as in 0..100, or one whole number from 0 to \
                    2^63 - 1"
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
            Err(format!("`{text}` holds no seed; write the smaller number first: 0..100"))
        }
        Some(count) if count > SEEDS_MAX => {
            Err(format!("`{text}` are {count} seeds; a sweep takes at most {SEEDS_MAX}"))
        }
        Some(_) => Ok(Seeds(start..end)),
    }
}

/// More runs at the same time than any machine has cores for.
const JOBS_MAX: u16 = 1_024;

fn parse_jobs(text: &str) -> Result<u16, String> {
    let jobs = text.parse().ok().filter(|jobs| (1..=JOBS_MAX).contains(jobs));
    jobs.ok_or_else(|| format!("runs at the same time are a whole number from 1 to {JOBS_MAX}"))
}

fn parse_override(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.trim().is_empty() => {
            Ok((key.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("an override is KEY=VALUE, as in `raft.heartbeat_interval=20ms`".to_owned()),
    }
}

/// A program in place of nodes, as an override of the scenario.
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
        .map_err(|error| format!("the current folder is not known: {error}"))?;
    let here = here.to_str().ok_or(
        "the current folder has a name that is no UTF-8: start the program from another one",
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

    /// clap finds contradictory flags only when asked.
    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    /// Both ranges of Rust are understood, and a single seed.
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
