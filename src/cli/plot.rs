//! `plot`: draw a stored trace again.

use super::args::PlotArgs;
use super::{Console, Refused};
use crate::error::{EXIT_VALID, Error, excerpt, name_hint};
use crate::plots::Plot;
use crate::report::{Stored, draw, replace_file};
use crate::run::system_of;

pub(super) fn plot(args: &PlotArgs, console: &mut Console) -> Result<u8, Refused> {
    let stored = Stored::open(&args.folder)?;
    let all = system_of(&stored.scenario).plots;
    let plots = if args.names.is_empty() { all.to_vec() } else { named(&args.names, all)? };
    let trace = stored.trace()?;
    for (plot, files) in plots.iter().map(|plot| (plot, draw(&trace, &[plot]))) {
        if files.is_empty() {
            console.line(format_args!("{}: the trace has nothing to show", plot.name));
        }
        for (file, bytes) in files {
            let path = stored.folder.join("plots").join(file);
            replace_file(
                &path,
                &bytes,
                "make the report's folder writable, or copy the report elsewhere",
            )?;
            console.line(path.display());
        }
    }
    Ok(EXIT_VALID)
}

fn named(names: &[String], all: &'static [&'static Plot]) -> Result<Vec<&'static Plot>, Error> {
    let find = |name: &String| {
        all.iter().copied().find(|plot| plot.name == name).ok_or_else(|| {
            let known: Vec<&str> = all.iter().map(|plot| plot.name).collect();
            let message = format!("there is no plot `{}` for this system", excerpt(name));
            Error::new(message, name_hint(name, "plots", known.iter().copied()))
        })
    };
    names.iter().map(find).collect()
}
