//! The explanation of a lost point: the rule, the moment, the messages around it, a picture, and
//! the command that repeats it.

use super::assignment::{Assignment, Played};
use super::entrant::Entrant;
use super::model::{Loss, MessageRow, SeedVerdict, Text};
use super::rules;
use super::verdict::Cause;
use crate::plots::space_time_around;
use crate::report::Repeat;
use crate::run::Run;
use crate::trace::{Message, NodeId, Trace};

/// Messages shown around a moment.
const MESSAGES_MAX: usize = 60;

/// Lines shown of a program's output.
const PRINTED_MAX: usize = 40;

/// Without a picture to set the window, messages from this long before the moment are shown, µs,
/// and a third of that after it.
const BEFORE_US: u64 = 150_000;

/// A loss to be explained by a run that keeps everything.
#[derive(Clone, Debug)]
pub(super) struct Wanted {
    /// The position of the item.
    pub(super) item: usize,
    pub(super) verdict: SeedVerdict,
    pub(super) cause: Cause,
    /// The seed must not be shown.
    pub(super) is_hidden: bool,
}

/// Explain losses from the run in which they happened.
pub(super) fn explain(run: &mut Run, wanted: &[Wanted]) -> Vec<(usize, Loss)> {
    // The picture names the seed, and no digit of a hidden seed may be shown.
    let seed = run.trace.seed;
    let explained = wanted.iter().map(|want| {
        run.trace.seed = if want.is_hidden { 0 } else { seed };
        (want.item, explained(run, want))
    });
    explained.collect()
}

fn explained(run: &Run, want: &Wanted) -> Loss {
    let trace = &run.trace;
    let mut loss = Loss::plain(want.verdict, &want.cause);
    loss.node = want.cause.nodes.first().map(|node| trace.name(*node).to_owned());
    let Some(time_us) = want.cause.time_us else { return loss };
    let drawn = space_time_around(trace, time_us, &want.cause.nodes);
    let window = drawn.as_ref().map_or(
        (time_us.saturating_sub(BEFORE_US), time_us.saturating_add(BEFORE_US / 3)),
        |(_, window)| *window,
    );
    loss.picture =
        drawn.map(
            |(svg, _)| {
                if want.is_hidden { svg.replace(", seed 0<", ", hidden seed<") } else { svg }
            },
        );
    loss.messages = slice(trace, window, time_us);
    if let Some(node) = &loss.node {
        let own = run
            .log
            .iter()
            .filter(|line| line.kind == "node" && line.node == *node && line.time_us <= time_us);
        let mut lines: Vec<&str> = own.map(|line| line.text.as_str()).collect();
        lines.drain(..lines.len().saturating_sub(PRINTED_MAX));
        let printed = lines.join("\n");
        // A traceback comes last, as it would on a terminal.
        loss.printed = [printed.as_str(), loss.printed.as_str()]
            .iter()
            .filter(|part| !part.is_empty())
            .copied()
            .collect::<Vec<_>>()
            .join("\n");
    }
    loss
}

/// The messages sent in a window; if there are too many, those nearest to the moment, more of them
/// before it than after it.
fn slice(trace: &Trace, window: (u64, u64), moment_us: u64) -> Vec<MessageRow> {
    let inside = |message: &&Message| (window.0..=window.1).contains(&message.sent_us);
    let sent: Vec<&Message> = trace.messages.iter().filter(inside).collect();
    let before = sent.partition_point(|message| message.sent_us <= moment_us);
    let first =
        before.saturating_sub(2 * MESSAGES_MAX / 3).min(sent.len().saturating_sub(MESSAGES_MAX));
    sent.into_iter().skip(first).take(MESSAGES_MAX).map(|message| row(trace, message)).collect()
}

fn row(trace: &Trace, message: &Message) -> MessageRow {
    let name = |node: NodeId| trace.name(node).to_owned();
    MessageRow {
        time_ns: message.sent_us * 1_000,
        arrived_ns: message.recv_us.map(|time| time * 1_000),
        from: name(message.src),
        to: name(message.dest),
        kind: message.kind.clone().into_owned(),
        detail: message.detail.to_string(),
        fate: message.outcome.word().to_owned(),
    }
}

impl Loss {
    /// The part of the explanation that does not need the run.
    pub(super) fn plain(verdict: SeedVerdict, cause: &Cause) -> Loss {
        let (rule, source) = match cause.check {
            Some(checker) => (rules::rule(checker), checker.source.to_owned()),
            None => rule_of(verdict),
        };
        // The last line of a traceback names the exception; all of it is the program's output.
        let is_traceback = cause.check.is_none() && cause.finding.trim().contains('\n');
        let last = cause.finding.trim().lines().next_back().unwrap_or_default().trim();
        Loss {
            check: cause.check.map(|checker| checker.name.to_owned()),
            rule,
            source,
            finding: if is_traceback { last.to_owned() } else { cause.finding.trim().to_owned() },
            also: cause.also.clone(),
            time_ns: cause.time_us.map(|time| time * 1_000),
            node: None,
            messages: vec![],
            printed: if is_traceback { cause.finding.trim().to_owned() } else { String::new() },
            picture: None,
            command: None,
        }
    }
}

/// The rules that apply to every program, with their source.
fn rule_of(verdict: SeedVerdict) -> (Text, String) {
    let protocol = "sdk/PROTOCOL.md".to_owned();
    let rule = match verdict {
        SeedVerdict::ProtocolError => Text::new(
            "A program answers every turn exactly once, with operations of the protocol.",
            "Un programa responde a cada turno exactamente una vez, con operaciones del protocolo.",
        ),
        SeedVerdict::BusyLoop => Text::new(
            "A program answers every turn: it waits with timers, never in a loop and never by \
            sleeping.",
            "Un programa responde a cada turno: espera con temporizadores, nunca en un bucle ni \
                durmiendo.",
        ),
        SeedVerdict::Nondeterministic => Text::new(
            "The same seed gives the same run: time and randomness come from the node's context, \
            never from the machine.",
            "La misma semilla da la misma ejecución: el tiempo y el azar vienen del contexto del \
            nodo, nunca de la máquina.",
        ),
        _ => Text::new(
            "A program runs until it is stopped: it neither raises an exception nor exits.",
            "Un programa se ejecuta hasta que se le detiene: ni lanza excepciones ni termina por \
            su cuenta.",
        ),
    };
    (rule, protocol)
}

/// The command that repeats a run at home.
pub(super) fn repeat_command(
    assignment: &Assignment,
    played: &Played,
    entrant: &Entrant,
    seed: u64,
) -> String {
    // The path relative to the folder of all scenarios, or else to the assignment's folder: never a
    // path of this machine.
    let parts: Vec<String> =
        assignment.folder.iter().map(|part| part.to_string_lossy().into_owned()).collect();
    let from = parts.iter().rposition(|part| part == "scenarios").unwrap_or(parts.len());
    let path = parts[from..]
        .iter()
        .map(String::as_str)
        .chain([played.written.as_str()])
        .collect::<Vec<_>>()
        .join("/");
    let command = Repeat { path, overrides: vec![], defects: vec![] }.command(seed);
    let programs = entrant.command().map(|program| node_commands(played, program));
    format!("{command}{}", programs.unwrap_or_default())
}

/// The options that make a program play the nodes that the assignment leaves to submissions.
pub fn node_commands(played: &Played, program: &[String]) -> String {
    let program: Vec<String> = program.iter().map(|word| crate::report::quoted(word)).collect();
    let program = program.join(" ");
    let nodes = &played.scenario.nodes.nodes;
    if played.nodes.len() == nodes.len() {
        return format!(" --node-command {}", crate::report::quoted(&program));
    }
    // Named as briefly as possible: by role if the program plays all of its nodes, otherwise node
    // by node.
    let role = played.nodes.first().map(|first| nodes[*first].role.as_str()).unwrap_or_default();
    let of_role: Vec<usize> =
        (0..nodes.len()).filter(|position| nodes[*position].role == role).collect();
    let names: Vec<&str> = if of_role == played.nodes {
        vec![role]
    } else {
        played.nodes.iter().map(|position| nodes[*position].name.as_str()).collect()
    };
    names
        .iter()
        .map(|name| {
            format!(" --node-command {}", crate::report::quoted(&format!("{name}={program}")))
        })
        .collect()
}
