//! Writes the results of a run to disk and reads them back. `reports/README.md` explains every file
//! and column.
//!
//! Architecture invariants: a report exists whole or not at all ([`folder`]); nothing in it depends
//! on the machine, the wall clock or the folder it is in, so the reports of two equal runs are
//! equal byte for byte.

mod difference;
mod folder;
mod results;
mod statistics;
mod stored;
mod summary;

use std::fs;
use std::path::{Component, Path, PathBuf};

pub use difference::{Difference, first_difference};
use folder::OTHER_FOLDER_OR_NONE;
pub use folder::{
    OTHER_FOLDER, Staged, Temporary, probe_folder, remove_unfinished, replace_file,
    say_when_interrupted, words_of_interrupted,
};
pub(crate) use results::quoted;
pub use results::{CheckResult, FORMAT, FORMAT_OLDEST, NodeEntry, Repeat, Results, ViolationEntry};
pub use statistics::{
    LatencyStatistics, MessageStatistics, OperationCounts, Statistics, count_operations, elections,
};
pub use stored::Stored;
pub use summary::{seconds, summary, summary_of};

use crate::error::Error;
use crate::plots::Plot;
use crate::run::{Run, system_of};
use crate::scenario::{INPUTS_FOLDER, Scenario};
use crate::trace::{Trace, write_csv};

/// The folder of a run's report. It is always below `out`, whatever the name of the scenario.
pub fn report_folder(out: &Path, scenario: &str, seed: u64) -> PathBuf {
    let parts =
        Path::new(scenario).components().filter(|part| matches!(part, Component::Normal(_)));
    out.join(parts.collect::<PathBuf>()).join(seed.to_string())
}

/// Write the report of a run to `out`, replacing an earlier one of the same scenario and seed.
/// Returns its folder.
pub fn write_report(
    run: &Run,
    scenario: &Scenario,
    repeat: &Repeat,
    out: &Path,
) -> Result<PathBuf, Error> {
    let target = report_folder(out, &run.trace.scenario, run.trace.seed);
    let staged = Staged::new(&target)?;
    let folder = staged.path();
    // The message names the file in its final place, not in the temporary folder.
    let failed = |file: &str, cause: std::io::Error| {
        Error::io("write", &target.join(file), &cause, OTHER_FOLDER_OR_NONE)
    };

    write_csv(&run.trace, folder).map_err(|cause| {
        Error::io("write the CSV files of", &target, &cause, OTHER_FOLDER_OR_NONE)
    })?;
    let results = Results::of(run, scenario, repeat).to_json();
    fs::write(folder.join("results.json"), results)
        .map_err(|cause| failed("results.json", cause))?;
    fs::write(folder.join("scenario.toml"), scenario.resolved_with_seed(run.trace.seed))
        .map_err(|cause| failed("scenario.toml", cause))?;
    write_inputs(scenario, folder).map_err(|cause| failed(INPUTS_FOLDER, cause))?;
    fs::create_dir(folder.join("plots")).map_err(|cause| failed("plots", cause))?;
    for (file, bytes) in draw(&run.trace, system_of(scenario).plots) {
        fs::write(folder.join("plots").join(&file), bytes)
            .map_err(|cause| failed(&format!("plots/{file}"), cause))?;
    }
    let artifacts = (system_of(scenario).artifacts)(scenario, &run.trace);
    if !artifacts.is_empty() {
        fs::create_dir(folder.join("files")).map_err(|cause| failed("files", cause))?;
    }
    for (file, bytes) in artifacts {
        fs::write(folder.join("files").join(&file), bytes)
            .map_err(|cause| failed(&format!("files/{file}"), cause))?;
    }

    staged.commit()?;
    Ok(target)
}

/// Copy the files that a scenario names into the report, where its resolved text refers to them.
pub fn write_inputs(scenario: &Scenario, folder: &Path) -> std::io::Result<()> {
    for input in &scenario.inputs {
        let path = folder.join(&input.path);
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        fs::write(path, &input.bytes)?;
    }
    Ok(())
}

/// The files of some plots: names and contents. A plot with nothing to show has none.
pub fn draw(trace: &Trace, plots: &[&Plot]) -> Vec<(String, Vec<u8>)> {
    let mut files = Vec::new();
    for plot in plots {
        if let Some(drawing) = (plot.draw)(trace) {
            files.push((format!("{}.svg", plot.name), drawing.svg.into_bytes()));
            files.push((format!("{}.png", plot.name), drawing.png));
        }
    }
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A scenario can be named `scenarios/../../x.toml`; its report must not replace a folder
    /// outside `out`.
    #[test]
    fn a_report_lies_below_out_whatever_the_name() {
        assert_eq!(
            report_folder(Path::new("out"), "raft/leader-isolated", 42),
            Path::new("out/raft/leader-isolated/42")
        );
        for name in ["../../etc", "/etc", "a/../../etc", "./etc"] {
            assert!(report_folder(Path::new("out"), name, 1).ends_with("etc/1"), "{name}");
            assert!(
                report_folder(Path::new("out"), name, 1).iter().all(|part| part != ".."),
                "{name}"
            );
            assert!(report_folder(Path::new("out"), name, 1).starts_with("out"), "{name}");
        }
    }
}
