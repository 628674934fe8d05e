//! Resolves the command line's arguments to scenarios: files, and folders of files.

use std::fs;
use std::path::{Path, PathBuf};

use super::Refused;
use super::args::ScenarioArgs;
use crate::error::Error;
use crate::report::Repeat;
use crate::scenario::Scenario;
use crate::shipped;
use crate::systems::read_file;

/// How deep folders are searched: a link to a parent must not make the search endless.
const DEPTH_MAX: usize = 16;
/// A folder with more files than this is not a folder of scenarios.
const FILES_MAX: usize = 10_000;

/// A scenario, and how the command line named it.
#[derive(Debug)]
pub struct RequestedScenario {
    pub scenario: Scenario,
    pub repeat: Repeat,
}

/// Read all scenarios. If any of them has an error, none is returned, but the errors of all are.
pub fn read_all(args: &ScenarioArgs) -> Result<Vec<RequestedScenario>, Refused> {
    let overrides = [args.overrides.as_slice(), args.node_commands.as_slice()].concat();
    let (mut asked, mut errors): (Vec<RequestedScenario>, Vec<Error>) = (Vec::new(), Vec::new());
    for named in &args.scenarios {
        let files = match expand(named) {
            Ok(files) => files,
            Err(error) => {
                errors.push(error);
                continue;
            }
        };
        for file in files {
            match read_file(&file, &overrides, &args.defects)
                .and_then(|scenario| with_its_programs(scenario, &file))
            {
                Ok(scenario) => {
                    let written = if named.exists() { file } else { shipped::as_written(&file) };
                    let repeat = Repeat {
                        path: written.display().to_string(),
                        overrides: overrides.clone(),
                        defects: args.defects.clone(),
                    };
                    asked.push(RequestedScenario { scenario, repeat });
                }
                Err(error) => errors.push(error),
            }
        }
    }
    // The same file may be named twice, for example by a folder and by its own path; one run is
    // enough.
    let mut seen = std::collections::BTreeMap::new();
    asked.retain(|one| match seen.get(&one.scenario.name) {
        None => {
            seen.insert(one.scenario.name.clone(), one.repeat.path.clone());
            true
        }
        Some(earlier)
            if fs::canonicalize(earlier).ok() == fs::canonicalize(&one.repeat.path).ok() =>
        {
            false
        }
        Some(earlier) => {
            let message = format!(
                "`{earlier}` and `{}` are both named `{}`; their reports would overwrite each \
                other",
                one.repeat.path, one.scenario.name
            );
            errors.push(Error::new(
                message,
                "run them one after the other, with different folders for `--out`",
            ));
            false
        }
    });
    if errors.is_empty() { Ok(asked) } else { Err(Refused(errors)) }
}

/// An interpreter whose program is missing would exit immediately and be judged as if the program
/// had failed.
fn with_its_programs(scenario: Scenario, file: &Path) -> Result<Scenario, Error> {
    let missing =
        scenario.nodes.nodes.iter().filter_map(|node| node.program.as_ref()).find_map(|program| {
            let is_python = program
                .command
                .first()
                .is_some_and(|word| !word.contains('/') && word.starts_with("python"));
            let script = program.command.iter().skip(1).find(|word| !word.starts_with('-'))?;
            (is_python && script.ends_with(".py") && !program.folder.join(script).exists())
                .then(|| (script.clone(), program.folder.clone()))
        });
    let Some((script, folder)) = missing else { return Ok(scenario) };
    let message = format!(
        "`{}` is to run `{script}`, which does not exist in `{}`",
        file.display(),
        folder.display()
    );
    Err(Error::new(message, "run this in the program's folder, or give the program's path"))
}

/// The files that an argument of the command line stands for.
fn expand(named: &Path) -> Result<Vec<PathBuf>, Error> {
    let named = &shipped::locate(named);
    if named.is_dir() {
        let mut files = Vec::new();
        collect(named, 0, &mut files)?;
        files.sort();
        if files.is_empty() {
            let message =
                format!("there is no scenario in `{}`: it contains no .toml file", named.display());
            return Err(Error::new(
                message,
                "name another folder or a file; `seedbed new scenario FILE` writes one to start \
                from",
            ));
        }
        return Ok(files);
    }
    // A name, as reports and `seedbed list scenarios` show it, stands for a file below `scenarios`.
    let below = shipped::locate(&Path::new("scenarios").join(format!("{}.toml", named.display())));
    if !named.exists() && below.is_file() {
        return Ok(vec![below]);
    }
    // The reader refuses a missing file, with a hint.
    Ok(vec![named.to_owned()])
}

fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let failed = |cause: std::io::Error| {
        Error::io("read the folder", folder, &cause, "make it readable, or name single files")
    };
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            // Assignments are lists of scenarios, not scenarios.
            if depth < DEPTH_MAX && path.file_name().is_some_and(|name| name != "assignments") {
                collect(&path, depth + 1, files)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
        if files.len() > FILES_MAX {
            let message =
                format!("there are more than {FILES_MAX} .toml files in `{}`", folder.display());
            return Err(Error::new(message, "name the folder of the scenarios, or single files"));
        }
    }
    Ok(())
}
