//! `list`, `explain` and `new`: what exists and how to start. Nothing is simulated.

use std::io::{self, Write};
use std::path::Path;

use super::args::{ExplainArgs, ListArgs, NewArgs, NewWhat};
use super::{Console, Refused, explain as explaining, list as listing, new as beginning};
use crate::error::{EXIT_VALID, Error, excerpt, name_hint};
use crate::systems::{self, System};

pub(super) fn list(args: &ListArgs, console: &mut Console) -> Result<u8, Refused> {
    console.line(
        listing::list(args.what.as_deref(), systems::all(), Path::new("scenarios"))?.trim_end(),
    );
    Ok(EXIT_VALID)
}

pub(super) fn explain(args: &ExplainArgs, console: &mut Console) -> Result<u8, Refused> {
    let text = explaining::explain(&args.name, systems::all());
    let text = text.or_else(|unknown| {
        explaining::scenario(&args.name, Path::new("scenarios")).ok_or(unknown)
    })?;
    console.line(text.trim_end());
    Ok(EXIT_VALID)
}

pub(super) fn new(args: &NewArgs, console: &mut Console) -> Result<u8, Refused> {
    let (path, system) = match &args.what {
        NewWhat::Scenario { path, system } => (path, system),
        #[cfg(feature = "grading")]
        NewWhat::Submission { assignment, lang, out } => {
            let folder = super::submission::write(assignment, *lang, out.as_deref())?;
            console.line(format_args!("wrote {}; start with its README.md", folder.display()));
            return Ok(EXIT_VALID);
        }
    };
    let text = beginning::scenario(named(system)?);
    match path {
        None => console.line(text.trim_end()),
        Some(path) => {
            write_new(path, &text)?;
            console.line(format_args!("wrote {}; run it with `seedbed run {0}`", path.display()));
        }
    }
    Ok(EXIT_VALID)
}

fn named(name: &str) -> Result<&'static System, Error> {
    let known: Vec<&str> = systems::all().iter().map(|system| system.name).collect();
    systems::all().iter().find(|system| system.name == name).copied().ok_or_else(|| {
        Error::new(
            format!("there is no system `{}`", excerpt(name)),
            name_hint(name, "systems", known.iter().copied()),
        )
    })
}

/// Write a file that must not exist yet. It appears whole or not at all.
fn write_new(path: &Path, text: &str) -> Result<(), Error> {
    let failed = |cause: &io::Error| match cause.kind() {
        io::ErrorKind::AlreadyExists => Error::new(
            format!("`{}` already exists and is not overwritten", path.display()),
            "name another file, or move the existing one first",
        ),
        _ => Error::io(
            "write",
            path,
            cause,
            "name a file in an existing folder that you may write to",
        ),
    };
    let parent =
        path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut builder = tempfile::Builder::new();
    builder.prefix(".seedbed-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(parent).map_err(|cause| failed(&cause))?;
    file.write_all(text.as_bytes()).map_err(|cause| failed(&cause))?;
    file.persist_noclobber(path).map_err(|cause| failed(&cause.error))?;
    Ok(())
}
