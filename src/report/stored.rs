//! A report read back from its folder, whole and unchanged, or not at all.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::results::{FORMAT, FORMAT_OLDEST, Results, digest_of_scenario};
use crate::error::{Error, excerpt};
use crate::scenario::{SCENARIO_BYTES_MAX, Scenario};
use crate::systems::read_file;
use crate::trace::{self, Digest, Trace, read_csv};

/// Larger files are not read: `results.json` has at most a few violations of each check.
const RESULTS_BYTES_MAX: u64 = 16 << 20;

const A_REPORT: &str = "a report is a folder written by `seedbed run`: reports/SCENARIO/SEED";
/// The hint for reports that are damaged, from another version, or not written by seedbed.
const WRITE_AGAIN: &str =
    "write the report again with this version: `seedbed run SCENARIO --seed N`";

/// A stored report.
#[derive(Debug)]
pub struct Stored {
    /// Its folder.
    pub folder: PathBuf,
    /// Its `results.json`.
    pub results: Results,
    /// Its `scenario.toml`, under the name it had when it ran.
    pub scenario: Scenario,
}

/// The hint for reports written by a newer version.
const NEWER_PROGRAM: &str = "use the seedbed that wrote it, or a newer one; or write the report \
    again with this one: `seedbed run SCENARIO --seed N`";

/// The part that tells whether the rest can be read.
#[derive(serde::Deserialize)]
struct Preamble {
    format: Option<u32>,
    trace_format: Option<u32>,
    version: Option<String>,
}

impl Stored {
    /// Read the results and the scenario of a report.
    pub fn open(folder: &Path) -> Result<Stored, Error> {
        let results = read_results(folder)?;
        let path = folder.join("scenario.toml");
        let text = bounded(&path, SCENARIO_BYTES_MAX)
            .map_err(|cause| Error::io("read", &path, &cause, WRITE_AGAIN))?;
        // Checks and plots take their parameters from this file: with a changed one they would
        // judge a different run.
        if digest_of_scenario(&String::from_utf8_lossy(&text)) != results.scenario_digest {
            return Err(Error::new(
                format!("`{}` was changed after the run", path.display()),
                WRITE_AGAIN,
            ));
        }
        let mut scenario = read_file(&path, &[], &[])?;
        if scenario.seed != results.seed {
            let (ours, theirs) = (scenario.seed, results.seed);
            let message = format!(
                "`{}`: scenario.toml has the seed {ours}, but results.json has {theirs}",
                folder.display()
            );
            return Err(Error::new(message, WRITE_AGAIN));
        }
        if scenario.system != results.system {
            let (ours, theirs) = (&scenario.system, &results.system);
            let message = format!(
                "`{}`: scenario.toml is for the system `{ours}`, but results.json is for \
                `{theirs}`; they belong to different reports",
                folder.display()
            );
            return Err(Error::new(message, WRITE_AGAIN));
        }
        scenario.name.clone_from(&results.scenario);
        Ok(Stored { folder: folder.to_owned(), results, scenario })
    }

    /// Read the CSV files, and verify that they are unchanged.
    pub fn trace(&self) -> Result<Trace, Error> {
        let trace = read_csv(self.results.header(), &self.folder)
            .map_err(|error| Error::new(error.to_string(), WRITE_AGAIN))?;
        let digest = Digest::of(&trace);
        if digest.to_string() == self.results.digest {
            return Ok(trace);
        }
        let message = format!(
            "`{}`: the CSV files were changed after the run or belong to another one: their digest \
            is {digest}, but results.json says {}",
            self.folder.display(),
            excerpt(&self.results.digest)
        );
        Err(Error::new(message, WRITE_AGAIN))
    }
}

fn read_results(folder: &Path) -> Result<Results, Error> {
    let path = folder.join("results.json");
    let metadata = fs::metadata(folder)
        .map_err(|cause| Error::io("read the report", folder, &cause, A_REPORT))?;
    if !metadata.is_dir() {
        let scenario = folder.extension().is_some_and(|extension| extension == "toml");
        let hint = match scenario {
            true => format!(
                "if it is a scenario, `seedbed run {}` writes a report: name that folder",
                folder.display()
            ),
            false => A_REPORT.into(),
        };
        return Err(Error::new(format!("`{}` is not a folder", folder.display()), hint));
    }
    let no_report = |what: &str| {
        let hint = a_report_below(folder).map_or_else(
            || A_REPORT.into(),
            |below| format!("there is one in `{}`", below.display()),
        );
        Error::new(format!("`{}` is not a report: {what}", folder.display()), hint)
    };
    let bytes = bounded(&path, RESULTS_BYTES_MAX).map_err(|cause| match cause.kind() {
        io::ErrorKind::NotFound => no_report("it has no results.json"),
        _ => Error::io("read", &path, &cause, WRITE_AGAIN),
    })?;
    parse_results(&String::from_utf8_lossy(&bytes))
        .map_err(|(message, hint)| Error::new(format!("`{}` {message}", path.display()), hint))
}

/// The results, or what is wrong with the file and what to do about it.
fn parse_results(text: &str) -> Result<Results, (String, &'static str)> {
    let not_json = |error: serde_json::Error| {
        (
            format!(
                "is damaged or was not written by seedbed: \
            {error}"
            ),
            WRITE_AGAIN,
        )
    };
    let preamble: Preamble = serde_json::from_str(text).map_err(not_json)?;
    let writer = preamble.version.as_deref().map_or_else(
        || "another version".to_owned(),
        |version| format!("seedbed {}", excerpt(version)),
    );
    let newer = |what: &str, found: u32, newest: u32| {
        let message = format!(
            "was written by {writer}, {what} format {found}; this program reads up to format \
                {newest}"
        );
        Err((message, NEWER_PROGRAM))
    };
    match (preamble.format, preamble.trace_format.unwrap_or(1)) {
        (None, _) => {
            Err(("was not written by seedbed: it has no `format`".to_owned(), WRITE_AGAIN))
        }
        (Some(format), _) if format > FORMAT => newer("in", format, FORMAT),
        (Some(FORMAT_OLDEST..=FORMAT), 1..=trace::FORMAT) => {
            serde_json::from_str(text).map_err(not_json)
        }
        (Some(FORMAT_OLDEST..=FORMAT), found) if found > trace::FORMAT => {
            newer("with CSV files in", found, trace::FORMAT)
        }
        _ => Err(("names a format that never existed".to_owned(), WRITE_AGAIN)),
    }
}

/// The content of a regular file, if it is not larger than any run writes. A pipe or a device could
/// be read forever.
fn bounded(path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut bytes = vec![];
    File::open(path)?.take(bytes_max + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > bytes_max {
        return Err(io::Error::other(format!(
            "it has more than {bytes_max} bytes, more than any run writes"
        )));
    }
    Ok(bytes)
}

/// The first report below a folder, for a hint to a user who named the folder of a scenario or of
/// all reports.
fn a_report_below(folder: &Path) -> Option<PathBuf> {
    const FOLDERS_MAX: usize = 200;
    let mut folders = vec![folder.to_owned()];
    let mut looked_at = 0;
    while let (Some(folder), true) = (folders.pop(), looked_at < FOLDERS_MAX) {
        if folder.join("results.json").is_file() {
            return Some(folder);
        }
        looked_at += 1;
        let entries = fs::read_dir(&folder).into_iter().flatten().take(FOLDERS_MAX).flatten();
        let below = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
        let mut below: Vec<PathBuf> = below.map(|entry| entry.path()).collect();
        below.sort_by(|a, b| b.cmp(a));
        folders.append(&mut below);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files that may be found instead of a valid results.json.
    #[test]
    fn what_is_no_results_file_is_refused_with_its_reason() {
        let texts = [
            "",
            "{}",
            "[1, 2]",
            r#"{"format": 9, "version": "7.0"}"#,
            r#"{"format": 2, "trace_format": 9}"#,
            r#"{"format": 0}"#,
            r#"{"format": 1}"#,
            "{\"format\": 1,\n \"version\": }",
        ];
        let messages: Vec<String> =
            texts.iter().map(|text| parse_results(text).expect_err(text).0).collect();
        insta::assert_snapshot!(messages.join("\n"));
    }
}
