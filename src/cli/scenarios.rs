//! From the words of the command line to scenarios: files, and folders of files.

use std::fs;
use std::path::{Path, PathBuf};

use super::Refused;
use super::args::ScenarioArgs;
use crate::error::Error;
use crate::report::Repeat;
use crate::scenario::{Scenario, read_file};
use crate::shipped;

/// Folders are followed so deep: a link to a parent must not make the search endless.
const DEPTH_MAX: usize = 16;
/// More files than these are no folder of scenarios.
const FILES_MAX: usize = 10_000;

/// A scenario, and how it was asked for.
#[derive(Debug)]
pub struct Asked {
    pub scenario: Scenario,
    pub repeat: Repeat,
}

/// Read all scenarios. One mistake in any of them, and none is returned, but the mistakes of all
/// are.
pub fn read_all(args: &ScenarioArgs) -> Result<Vec<Asked>, Refused> {
    let overrides = [args.overrides.as_slice(), args.node_commands.as_slice()].concat();
    let (mut asked, mut errors): (Vec<Asked>, Vec<Error>) = (Vec::new(), Vec::new());
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
                    asked.push(Asked { scenario, repeat });
                }
                Err(error) => errors.push(error),
            }
        }
    }
    // The same file may be asked for twice, as when a folder and a file of it are named; one run of
    // it is enough.
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
                "`{earlier}` and `{}` are both named `{}`; their reports would have the same place",
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

/// An interpreter whose program is not there would end at once, and be judged as if the program had
/// failed.
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
        "`{}` is to start `{script}`, and there is none in `{}`",
        file.display(),
        folder.display()
    );
    Err(Error::new(message, "run this in the folder of the program, or give the program's path"))
}

/// The files that a word of the command line means.
fn expand(named: &Path) -> Result<Vec<PathBuf>, Error> {
    let named = &shipped::locate(named);
    if named.is_dir() {
        let mut files = Vec::new();
        collect(named, 0, &mut files)?;
        files.sort();
        if files.is_empty() {
            let message =
                format!("no scenario lies below `{}`: it has no .toml file", named.display());
            return Err(Error::new(
                message,
                "name another folder or a file; `seedbed new scenario FILE` writes one to begin \
                    with",
            ));
        }
        return Ok(files);
    }
    // A name, as reports and `seedbed list scenarios` show it, does for a file below `scenarios`.
    let below = shipped::locate(&Path::new("scenarios").join(format!("{}.toml", named.display())));
    if !named.exists() && below.is_file() {
        return Ok(vec![below]);
    }
    // What is missing is refused by the reader, with a hint.
    Ok(vec![named.to_owned()])
}

fn collect(folder: &Path, depth: usize, files: &mut Vec<PathBuf>) -> Result<(), Error> {
    let failed = |cause: std::io::Error| {
        Error::io(
            "read the folder",
            folder,
            &cause,
            "give yourself the right to read it, or name single files",
        )
    };
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        if path.is_dir() {
            // Assignments are lists of scenarios, and not scenarios.
            if depth < DEPTH_MAX && path.file_name().is_some_and(|name| name != "assignments") {
                collect(&path, depth + 1, files)?;
            }
        } else if path.extension().is_some_and(|extension| extension == "toml") {
            files.push(path);
        }
        if files.len() > FILES_MAX {
            let message =
                format!("more than {FILES_MAX} .toml files lie below `{}`", folder.display());
            return Err(Error::new(message, "name the folder of the scenarios, or single files"));
        }
    }
    Ok(())
}
