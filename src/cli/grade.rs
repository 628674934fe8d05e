//! `grade`: turn submissions into points, or measure what an assignment catches.

use std::path::{Path, PathBuf};
use std::thread;

use indicatif::{ProgressBar, ProgressStyle};

use super::args::GradeArgs;
use super::{Console, Refused};
use crate::error::{EXIT_INVALID, EXIT_UNKNOWN, EXIT_VALID, Error, excerpt, name_hint};
use crate::grade::assignment::{Assignment, find, read_file};
use crate::grade::batch::{Opened, graded_with_secret, stored};
use crate::grade::defects::{Row, table};
use crate::grade::explain::node_commands;
use crate::grade::model::{
    Graded, HiddenSeeds, ItemState, Lang, Measure, OutcomeKind, Points, Seed,
};
use crate::grade::output::{Options, has_key, probe_worksheet, reason, write_class, write_one};
use crate::grade::run::Plan;
use crate::grade::seeds::Secret;
use crate::grade::submission::gather;
use crate::program::sandbox::{Confined, MEASURES, measures};
use crate::report::{OTHER_FOLDER, Repeat, probe_folder, replace_file, say_when_interrupted};
use crate::shipped;

/// At most this many missed items are named per submission; its page has all of them.
const MISSED_SHOWN_MAX: usize = 4;

pub(super) fn grade(args: &GradeArgs, console: &mut Console) -> Result<u8, Refused> {
    let assignment = read_file(&find(&args.assignment))?;
    let plan = plan(args, &assignment)?;
    if args.show_seeds {
        return show_seeds(&assignment, &plan, console);
    }
    let out = out_folder(args, &assignment, &plan);
    probe_folder(&out)?;
    if args.defects {
        return defects(&assignment, &plan, &out, console);
    }
    let (handed, taken) = gather(&args.submissions)?;
    if let Some(worksheet) = &args.worksheet {
        probe_worksheet(worksheet, assignment.points())?;
    }
    let ids: Vec<&str> = handed.iter().map(|handed| handed.id.as_str()).collect();
    if plan.hidden(&assignment) == HiddenSeeds::NotRun && graded_with_secret(&out, &ids) {
        let message = format!(
            "`{}` has results with hidden seeds, but no course secret was given now",
            out.display()
        );
        return Err(Error::new(
            message,
            "give the secret with `--secret-file`, or name another folder with `--out`",
        )
        .into());
    }
    for measure in plan.measures.iter().filter(|measure| !measure.in_force) {
        console.line(format_args!(
            "note: nothing keeps programs from {}: {}",
            keeps_from(&measure.name),
            measure.detail
        ));
    }
    for how in taken {
        console.line(format_args!("note: {how}"));
    }
    for reason in plan.provisional(&assignment) {
        console.line(format_args!("note: {}", reason.en));
    }
    let lang = if args.lang == "es" { Lang::Es } else { Lang::En };
    let runs = plan.runs(&assignment) as u64;
    let bar = progress(runs * handed.len() as u64);
    let mut graded: Vec<Graded> = vec![];
    for (position, handed) in handed.iter().enumerate() {
        bar.set_message(excerpt(&handed.id));
        say_when_interrupted(Some(format!(
            "interrupted after {position} of {count} submissions: their results are kept, and the \
            same command continues",
            count = ids.len()
        )));
        let opened = Opened::new(handed, position as u32, &assignment, &plan);
        let known = stored(&out, &handed.id)
            .filter(|stored| !args.again && opened.holds(stored, &assignment, &plan));
        let is_known = known.is_some();
        let result = known
            .unwrap_or_else(|| opened.grade(&assignment, &plan, &|count| bar.inc(count as u64)));
        // Written immediately, so that an interrupt loses nothing. Known results too: the language
        // may have changed.
        write_one(&result, &out, lang)?;
        // Closed gates and known results save runs.
        bar.set_position(runs * (position as u64 + 1));
        bar.suspend(|| {
            console.line(line(&result, is_known));
            console.flush();
        });
        graded.push(result);
    }
    say_when_interrupted(None);
    bar.finish_and_clear();
    let options = Options {
        lang,
        semicolons: args.semicolons,
        points_possible: args.points_possible,
        worksheet: args.worksheet.clone(),
    };
    for problem in write_class(&graded, &out, &options)? {
        console.line(format_args!("worksheet: {problem}"));
    }
    summary(&graded, &out, console);
    Ok(if graded.iter().all(Graded::is_complete) { EXIT_VALID } else { EXIT_UNKNOWN })
}

fn plan(args: &GradeArgs, assignment: &Assignment) -> Result<Plan, Refused> {
    let known: Vec<&str> = assignment.items.iter().map(|item| item.name.as_str()).collect();
    if let Some(unknown) = args.only.iter().find(|name| !known.contains(&name.as_str())) {
        let message = format!("`{}` has no item `{}`", assignment.name, excerpt(unknown));
        return Err(Error::new(message, name_hint(unknown, "items", known.iter().copied())).into());
    }
    let confined = if args.defects { None } else { Confined::new().ok() };
    let measures = confined.as_ref().map_or_else(Vec::new, measures);
    Ok(Plan {
        jobs: args
            .jobs
            .map_or_else(|| thread::available_parallelism().map_or(1, usize::from), usize::from),
        only: args.only.clone(),
        first_seeds: args.seeds.map(usize::from),
        check_determinism: args.check_determinism,
        secret: Secret::find(args.secret_file.as_deref())?,
        confined,
        measures: measures
            .into_iter()
            .map(|measure| Measure {
                name: measure.name,
                in_force: measure.in_force,
                detail: measure.why,
            })
            .collect(),
        ..Plan::default()
    })
}

/// Show instructors the hidden seeds, so that they can run a lost one like any other.
fn show_seeds(assignment: &Assignment, plan: &Plan, console: &mut Console) -> Result<u8, Refused> {
    let Some(secret) = &plan.secret else {
        return Err(Error::new(
            "there is no course secret, so there are no hidden seeds",
            "give it with `--secret-file`",
        )
        .into());
    };
    if assignment.per_student {
        let message =
            format!("in `{}` each student has hidden seeds of their own", assignment.name);
        return Err(
            Error::new(message, "to repeat a student's run, grade that submission alone").into()
        );
    }
    for item in &assignment.items {
        for k in 0..item.hidden_seeds {
            let seed = secret.seed(&assignment.name, &item.name, None, k);
            let played = &assignment.scenarios[item.scenario];
            let path = shipped::as_written(&played.file).display().to_string();
            let command = Repeat { path, overrides: vec![], defects: vec![] }.command(seed);
            // To be run in the submission's folder; a submission in another language needs another
            // command.
            let program = node_commands(played, &["python3".to_owned(), "node.py".to_owned()]);
            console.line(format_args!("{} {}: {command}{program}", item.name, Seed::Hidden(k)));
        }
    }
    Ok(EXIT_VALID)
}

fn keeps_from(measure: &str) -> &'static str {
    MEASURES
        .iter()
        .find(|info| info.name == measure)
        .map_or("something unknown", |info| info.keeps_from)
}

/// A quick look must not replace results that count.
fn out_folder(args: &GradeArgs, assignment: &Assignment, plan: &Plan) -> PathBuf {
    let quick = !plan.only.is_empty() || plan.first_seeds.is_some();
    let name = if quick { format!("{}-partly", assignment.name) } else { assignment.name.clone() };
    args.out.clone().unwrap_or_else(|| Path::new("grades").join(name))
}

/// A progress bar on stderr if that is a terminal, otherwise nothing.
fn progress(runs: u64) -> ProgressBar {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} runs, {eta} left, {msg}")
        .expect("the template is well formed");
    ProgressBar::new(runs).with_style(style)
}

/// A submission's result in one line.
fn line(graded: &Graded, is_known: bool) -> String {
    let id = &graded.submission.id;
    let mut line = format!("{id}: {} of {}", graded.score, graded.max);
    if graded.outcome.kind != OutcomeKind::Graded {
        line.push_str(&format!(", {}: {}", graded.outcome.kind.word(), graded.outcome.message.en));
    }
    if graded.ungraded > Points::ZERO {
        line.push_str(&format!(", {} not graded", graded.ungraded));
    }
    let missed = |state: &ItemState| matches!(state, ItemState::Graded | ItemState::GateClosed);
    let missed: Vec<&str> = graded
        .items
        .iter()
        .filter(|item| missed(&item.state) && !item.is_full())
        .map(|item| item.name.as_str())
        .collect();
    if !missed.is_empty() {
        let more = missed.len().saturating_sub(MISSED_SHOWN_MAX);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        line.push_str(&format!(
            "; misses {}{more}",
            missed[..missed.len().min(MISSED_SHOWN_MAX)].join(", ")
        ));
        let reason = reason(graded, Lang::En);
        if !reason.is_empty() && graded.outcome.kind == OutcomeKind::Graded {
            line.push_str(&format!(" ({})", excerpt(&reason)));
        }
    }
    if is_known {
        line.push_str(" (unchanged)");
    }
    line
}

fn summary(graded: &[Graded], out: &Path, console: &mut Console) {
    let full = graded.iter().filter(|result| result.score == result.max).count();
    let open: Vec<&Graded> = graded.iter().filter(|result| !result.is_complete()).collect();
    let submissions = if graded.len() == 1 { "submission" } else { "submissions" };
    console.line(format_args!(
        "{} {submissions}, {full} with full points; results are in {}",
        graded.len(),
        out.display()
    ));
    let keyless = graded.iter().filter(|result| !has_key(result)).count();
    if keyless > 0 {
        let are = if keyless == 1 { "is" } else { "are" };
        console.line(format_args!(
            "note: {keyless} of them {are} not in moodle.csv, because they have no user name, \
            e-mail address or number; fill in Moodle's worksheet with `--worksheet`"
        ));
    }
    if !open.is_empty() {
        let ids: Vec<&str> = open.iter().map(|result| result.submission.id.as_str()).collect();
        console.line(format_args!("not fully graded, needs a look: {}", ids.join(", ")));
        for why in open.iter().flat_map(|result| &result.infra).take(5) {
            console.line(format_args!("  {}", why.lines().next().unwrap_or_default()));
        }
    }
}

fn defects(
    assignment: &Assignment,
    plan: &Plan,
    out: &Path,
    console: &mut Console,
) -> Result<u8, Refused> {
    let table = table(assignment, plan, |row| {
        console.line(row_line(assignment, row));
        console.flush();
    })?;
    replace_file(&out.join("defects.csv"), &table.to_csv(), OTHER_FOLDER)?;
    replace_file(
        &out.join("defects.md"),
        table.to_markdown(&assignment.title.en).as_bytes(),
        OTHER_FOLDER,
    )?;
    let (caught, all) = table.caught();
    console.line(format_args!(
        "{caught} of {all} defects are caught; see {}",
        out.join("defects.md").display()
    ));
    for item in table.blind_items() {
        console.line(format_args!(
            "warning: the item `{item}` catches no defect, so its points prove nothing"
        ));
    }
    if table.correct_loses() {
        console.line(
            "refused: the correct nodes lose points, so the checks or the scenarios are \
                wrong",
        );
    } else if caught == 0 {
        console.line(
            "refused: no item catches any defect, so a submission that gets nothing right could \
            get all points",
        );
    } else {
        return Ok(EXIT_VALID);
    }
    Ok(EXIT_INVALID)
}

fn row_line(assignment: &Assignment, row: &Row) -> String {
    let found = assignment.items.iter().zip(&row.cells).filter_map(|(item, cell)| {
        let cell = cell.as_ref().filter(|cell| cell.lost > 0)?;
        Some(format!("{} {}/{} ({})", item.name, cell.lost, cell.seeds, cell.by))
    });
    let found: Vec<String> = found.collect();
    let name = if row.defect.is_empty() { "no defect" } else { row.defect };
    if found.is_empty() {
        return format!("{name}: not caught");
    }
    format!("{name}: -{}; {}", row.lost, found.join(", "))
}
