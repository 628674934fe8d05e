//! `seedbed doctor`: which sandboxing features this machine has, and what each missing one means.

use std::path::PathBuf;

use serde::Serialize;

use super::args::DoctorArgs;
use super::list::table;
use super::{Console, Refused};
use crate::error::{EXIT_INVALID, EXIT_VALID, Error};
use crate::program::fix_addresses;
use crate::program::sandbox::{
    Confined, MEASURES, Measure, interpreter_version, lacking, measures,
};

/// Executables to look for in the path, and what each is used for.
const TOOLS: &[(&str, &str)] = &[
    ("python3", "submissions in Python"),
    ("python3.8", "the oldest Python that the SDK supports"),
    ("python3.9", ""),
    ("python3.10", ""),
    ("python3.11", ""),
    ("python3.12", ""),
    ("python3.13", ""),
    ("python3.14", ""),
    ("cargo", "submissions in Rust"),
    ("cc", "submissions in C"),
    ("bwrap", "not used yet; could add a process namespace"),
];

/// Everything that was found.
#[derive(Debug, Serialize)]
pub struct Findings {
    /// Whether untrusted programs can be run: all required measures are in force.
    pub is_safe: bool,
    /// The names of required measures that are not in force.
    pub lacking: Vec<&'static str>,
    /// Operating system and release.
    pub system: String,
    /// Usable processors: the default number of parallel runs.
    pub cores: usize,
    /// Whether programs are loaded at the same addresses on every start.
    pub fixed_addresses: bool,
    /// The measures, in the order in which they are applied.
    pub measures: Vec<Measure>,
    /// Executables looked for in the path.
    pub tools: Vec<Tool>,
}

/// An executable to look for in the path.
#[derive(Debug, Serialize)]
pub struct Tool {
    /// Its name.
    pub name: &'static str,
    /// What it is used for.
    pub used_for: &'static str,
    /// Where it is.
    pub path: Option<PathBuf>,
    /// The first line of its version.
    pub version: Option<String>,
}

pub(super) fn doctor(args: &DoctorArgs, console: &mut Console) -> Result<u8, Refused> {
    let confined = Confined::new().map_err(|error| {
        Error::new(
            format!("cannot find the path of `seedbed` itself: {error}"),
            "start it by its full path, or mount `/proc`",
        )
    })?;
    let findings = findings(measures(&confined));
    match args.format.as_str() {
        "json" => {
            let text = serde_json::to_string_pretty(&findings).map_err(|error| {
                Error::new(
                    format!("cannot write the findings as JSON: {error}"),
                    "leave out --format, and report this as a bug in seedbed",
                )
            })?;
            console.line(text);
        }
        _ => console.line(text(&findings).trim_end()),
    }
    Ok(if findings.is_safe { EXIT_VALID } else { EXIT_INVALID })
}

fn findings(measures: Vec<Measure>) -> Findings {
    let tool = |(name, used_for): &(&'static str, &'static str)| {
        let (path, version) = interpreter_version(name).unzip();
        Tool { name, used_for, path, version }
    };
    let lacking = lacking(&measures);
    Findings {
        is_safe: lacking.is_empty(),
        lacking,
        system: system(),
        cores: std::thread::available_parallelism().map_or(1, usize::from),
        fixed_addresses: fix_addresses(),
        measures,
        tools: TOOLS.iter().map(tool).collect(),
    }
}

#[cfg(unix)]
fn system() -> String {
    let name = rustix::system::uname();
    [name.sysname(), name.release(), name.machine()]
        .map(|part| part.to_string_lossy().into_owned())
        .join(" ")
}

#[cfg(not(unix))]
fn system() -> String {
    std::env::consts::OS.to_owned()
}

/// The findings as text.
pub fn text(findings: &Findings) -> String {
    let measures: Vec<Vec<String>> = MEASURES
        .iter()
        .map(|info| {
            let measure = findings.measures.iter().find(|measure| measure.name == info.name);
            let state = match (measure.is_some_and(|measure| measure.in_force), info.is_needed) {
                (true, _) => "yes",
                (false, true) => "NO",
                (false, false) => "no",
            };
            let why = measure.map_or_else(String::new, |measure| measure.why.clone());
            vec![info.name.to_owned(), state.to_owned(), info.keeps_from.to_owned(), why]
        })
        .collect();
    let tools: Vec<Vec<String>> = findings
        .tools
        .iter()
        .map(|tool| {
            let found = tool.version.clone().unwrap_or_else(|| "not found".to_owned());
            vec![tool.name.to_owned(), found, tool.used_for.to_owned()]
        })
        .collect();
    let verdict = match findings.is_safe {
        true => "Untrusted programs can be run here.".to_owned(),
        false => format!(
            "Untrusted programs should not be run here: not in force: {}. `seedbed run` and \
            trusted programs need none of it.",
            findings.lacking.join(", ")
        ),
    };
    let addresses = match findings.fixed_addresses {
        true => "programs are loaded at the same addresses on every start",
        false => {
            "programs are loaded at different addresses on every start: one that prints addresses, \
            or the order of a set of plain objects, is not reproducible"
        }
    };
    format!(
        "system  {}\ncores   {}\nmemory  {addresses}\n\n{}\n\n{}\n\n{verdict}\n",
        findings.system,
        findings.cores,
        table(&["measure", "here", "keeps a program from", "why"], &measures).trim_end(),
        table(&["tool", "found", "for"], &tools).trim_end()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A machine that has everything, and one whose kernel has no Landlock: what the second lacks
    /// stands out, with the consequence.
    #[test]
    fn what_is_missing_stands_out() {
        let measures = |lacks: &[&str]| -> Vec<Measure> {
            let measure = |name: &str| {
                let in_force = !lacks.contains(&name);
                let why =
                    if in_force { "it holds" } else { "the kernel has no Landlock (Linux 5.13)" };
                Measure { name: name.to_owned(), in_force, why: why.to_owned() }
            };
            MEASURES.iter().map(|info| measure(info.name)).collect()
        };
        let machine = |lacks: &[&str]| {
            let measures = measures(lacks);
            let lacking = lacking(&measures);
            let python = Some("Python 3.11.7".to_owned());
            let tools = vec![
                Tool {
                    name: "python3",
                    used_for: "submissions in Python",
                    path: Some("/usr/bin/python3".into()),
                    version: python,
                },
                Tool { name: "bwrap", used_for: "nothing yet", path: None, version: None },
            ];
            let system = "Linux 6.18 x86_64".to_owned();
            text(&Findings {
                is_safe: lacking.is_empty(),
                fixed_addresses: lacking.is_empty(),
                lacking,
                system,
                cores: 2,
                measures,
                tools,
            })
        };
        let (good, bad) = (machine(&[]), machine(&["user", "files", "ports", "signals"]));
        insta::assert_snapshot!(format!("--- all\n{good}\n--- no Landlock, not root\n{bad}"));
    }
}
