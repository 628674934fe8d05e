//! `run`: simulate, judge, report.

use std::thread;

use super::args::RunArgs;
use super::scenarios::{RequestedScenario, read_all};
use super::{Console, Refused};
use crate::checkers::Overall;
use crate::error::{EXIT_INVALID, EXIT_TESTBED, Error, excerpt, name_hint};
use crate::report::{Difference, first_difference, seconds, summary, write_report};
use crate::run::{Run, run_with, system_of};
use crate::scenario::Scenario;
use crate::sim::{LogLine, RunOptions};
use crate::trace::{NEMESIS, Trace};

pub(super) fn run(args: &RunArgs, console: &mut Console) -> Result<u8, Refused> {
    let asked = read_all(&args.scenarios)?;
    // Check before anything runs: the last of many scenarios may be the one without such a node.
    asked.iter().try_for_each(|one| known_nodes(&args.nodes, &one.scenario))?;
    let mut worst = Overall::Valid;
    let mut undetermined = None;
    for one in &asked {
        let seed = args.seed.unwrap_or(one.scenario.seed);
        let options = RunOptions { seed, log: args.log.is_some(), ..RunOptions::default() };
        let run = run_with(&one.scenario, &options);
        if let Some(kinds) = &args.log {
            print_log(&run.log, kinds, &args.nodes, console);
        }
        if args.check_determinism {
            let again = || {
                (system_of(&one.scenario).run)(
                    &one.scenario,
                    &RunOptions { seed, ..RunOptions::default() },
                )
                .trace
            };
            if let Some(difference) = repeat_elsewhere(&run.trace, again) {
                // The built-in nodes draw from the seed alone, so a difference is a bug in the
                // testbed; a program may draw from anywhere.
                let exit_code =
                    if programs(&one.scenario).is_empty() { EXIT_TESTBED } else { EXIT_INVALID };
                undetermined = undetermined.max(Some(exit_code));
                console.line(format_args!(
                    "{} seed {seed}: not deterministic: {difference}",
                    one.scenario.name
                ));
                console.line(repeat_line(one, seed, " --check-determinism"));
                continue;
            }
        }
        worst = worst.max(run.verdict());
        finish(one, &run, args, console)?;
    }
    Ok(undetermined.unwrap_or(worst.exit_code()))
}

/// The positions of the nodes that are programs.
fn programs(scenario: &Scenario) -> Vec<usize> {
    let nodes = scenario.nodes.nodes.iter().enumerate();
    nodes.filter(|(_, node)| node.program.is_some()).map(|(position, _)| position).collect()
}

/// Say which program exited. No check may care, but its author does.
#[cfg(feature = "grading")]
fn print_exit(one: &RequestedScenario, run: &Run, console: &mut Console) {
    let facts = crate::grade::verdict::Facts::of(run, &programs(&one.scenario));
    if let Some(failure) = facts.failure {
        let last = failure.message.trim().lines().next_back().unwrap_or_default();
        console.line(format_args!(
            "  {} exited at {}: {last}",
            failure.name,
            seconds(failure.time_us)
        ));
    }
}

/// Print the result of a run and write its report.
fn finish(
    one: &RequestedScenario,
    run: &Run,
    args: &RunArgs,
    console: &mut Console,
) -> Result<(), Refused> {
    let folder = if args.no_files {
        None
    } else {
        Some(write_report(run, &one.scenario, &one.repeat, &args.out)?)
    };
    console.line(summary(run));
    #[cfg(feature = "grading")]
    print_exit(one, run, console);
    if run.verdict() != Overall::Valid {
        if let Some(folder) = folder {
            console.line(format_args!("  report: {}", folder.display()));
        }
        console.line(repeat_line(one, run.trace.seed, ""));
    }
    console.flush();
    Ok(())
}

fn repeat_line(one: &RequestedScenario, seed: u64, flags: &str) -> String {
    format!("  repeat: {}{flags}", one.repeat.command(seed))
}

/// Run twice more, concurrently, and compare. Every run gets a fresh thread anyway; two concurrent
/// ones also disturb each other's allocator and scheduling, on which no result may depend.
fn repeat_elsewhere(first: &Trace, again: impl Fn() -> Trace + Sync) -> Option<Difference> {
    let others = thread::scope(|scope| {
        let other = scope.spawn(&again);
        let here = again();
        [here, other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))]
    });
    others.iter().find_map(|other| first_difference(first, other))
}

/// `--node` with an unknown name would print nothing, and look like a quiet node.
fn known_nodes(wanted: &[String], scenario: &Scenario) -> Result<(), Error> {
    let clients: Vec<String> =
        (1..=scenario.workload.clients).map(|number| format!("c{number}")).collect();
    let nodes = scenario.nodes.nodes.iter().map(|node| node.name.as_str());
    let known: Vec<&str> =
        nodes.chain(clients.iter().map(String::as_str)).chain([NEMESIS]).collect();
    match wanted.iter().find(|name| !known.contains(&name.as_str())) {
        None => Ok(()),
        Some(name) => {
            let message = format!("no node of `{}` is named `{}`", scenario.name, excerpt(name));
            Err(Error::new(message, name_hint(name, "nodes", known.iter().copied())))
        }
    }
}

fn print_log(lines: &[LogLine], kinds: &[String], nodes: &[String], console: &mut Console) {
    let shown =
        lines.iter().filter(|line| kinds.is_empty() || kinds.iter().any(|kind| kind == line.kind));
    for line in
        shown.filter(|line| nodes.is_empty() || nodes.iter().any(|node| concerns(line, node)))
    {
        console.line(format_args!(
            "{:>13}  {:<8} {:<8} {}",
            seconds(line.time_us),
            line.node,
            line.kind,
            line.text
        ));
    }
}

/// Whether a line concerns a node: its own line, a message from it or to it, or a line of the
/// nemesis that names it.
fn concerns(line: &LogLine, node: &str) -> bool {
    let peer = || {
        line.text
            .strip_prefix("<- ")
            .or(line.text.strip_prefix("-> "))
            .and_then(|rest| rest.split(':').next())
    };
    let in_a_name = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let names_it = || line.text.split(|c: char| !in_a_name(c)).any(|word| word == node);
    match line.kind {
        "message" => line.node == node || peer() == Some(node),
        "nemesis" => line.node == node || names_it(),
        _ => line.node == node,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::tests::{Habit, scenario, simulate};

    /// Iterating over a map with a randomly seeded hasher is an easy mistake, and no single run
    /// shows it.
    #[test]
    fn a_planted_nondeterminism_is_found_and_its_first_event_named() {
        let scenario = scenario(3, 1);
        let run = || simulate(&scenario, 1, Habit::Nondeterministic).trace;
        // Two random orders may start alike by chance, but not again and again.
        let found = (0..50).find_map(|_| repeat_elsewhere(&run(), run)).expect("the orders differ");
        assert_eq!((found.list, found.time_us), ("events.csv", 100_000));
        let differs_in_the_map = |line: &Option<String>| {
            line.as_deref().is_some_and(|line| line.contains(",order,first="))
        };
        assert!(
            differs_in_the_map(&found.first)
                && differs_in_the_map(&found.second)
                && found.first != found.second,
            "{found}"
        );
    }

    /// The same nodes without the map agree.
    #[test]
    fn deterministic_nodes_agree() {
        let scenario = scenario(3, 1);
        let run = || simulate(&scenario, 1, Habit::PingPong).trace;
        assert_eq!(repeat_elsewhere(&run(), run), None);
    }
}
