//! Dialogues: the nodes of a system, driven step by step by a script, and what each of them did.
//!
//! A run of the simulator is realistic and hard to follow; a dialogue is the opposite. There is no
//! network, no drift and no chance: a message is delivered when the script says so, a timer runs
//! out when the script says so, and everything that a node does in that step is written below the
//! line that caused it. Such a text explains a protocol, and it is a test: played again, it must
//! come out the same.
//!
//! ````text
//! What the dialogue shows, in a paragraph or two.
//!
//! ```toml
//! system = "raft"            # the scenario: its nodes and settings
//! ```
//!
//! # A remark between the steps.
//! > timeout n1 Election
//! n1 timer Election
//!    term term=1
//!    save state, 24 bytes
//!    -> n2 RequestVote term=1 last_index=0 last_term=0
//! ````
//!
//! The script is the lines that begin with `>`; [`play`] writes all others anew, except remarks.
//!
//! | line | what happens |
//! |---|---|
//! | `start NODE…` | the nodes boot, for the first time or again after a crash |
//! | `crash NODE…` | the nodes lose all but what is durable on their disks |
//! | `deliver [first\|last] FROM DEST [TYPE]` | what is in flight now arrives, in order |
//! | `drop [first\|last] FROM DEST [TYPE]` | it is lost |
//! | `double [first\|last] FROM DEST [TYPE]` | a copy of it is put in flight, as the last |
//! | `settle` | everything is delivered, also what is sent meanwhile |
//! | `timeout NODE TIMER` | time goes on until this timer runs out, and it does |
//! | `wait DURATION` | time goes on; no timer runs out and nothing arrives |
//! | `run DURATION` | time goes on, timers run out when they are due, messages arrive immediately |
//! | `cut FROM DEST`, `heal` | what is sent from one to the other is lost; nothing is |
//! | `say FROM NODE TEXT` | a client speaks: the message arrives immediately |
//! | `command NODE TEXT` | an operator asks for something |
//! | `set_clock NODE DURATION` | the wall clock of the node is this much ahead (`-5s`: behind) |
//! | `stop NODE` | the node is asked to stop, and does |
//! | `break NODE DEST` | all streams between the two time out at both ends |
//! | `show NODE…` | the metrics of the nodes |
//! | `flying` | what is in flight |
//!
//! `*` stands for every node. `quietly` before a command leaves its output out. A timer is named as
//! its type prints it; a part of that name is enough if it fits one timer only. A node that only
//! puts a timer off when it runs out is followed to the end of that timer.

mod stage;
mod streams;

use std::time::Duration;

use self::stage::Stage;
use super::Cluster;
use crate::node::Node;
use crate::scenario::Scenario;
use crate::trace::NodeId;

/// Makes a message from the words of `say`, given the names of all participants. `None`: the words
/// mean nothing.
pub type Say<'a, M> = &'a mut dyn FnMut(&str, &[String]) -> Option<M>;

/// For systems whose messages are said in their JSON form.
pub fn only_json<M>(_: &str, _: &[String]) -> Option<M> {
    None
}

/// The most steps that one command may cause: two nodes that answer each other for ever end here.
pub(crate) const STEPS_MAX: usize = 100_000;

/// Play a dialogue and write it anew.
///
/// `make` gives the system's nodes for the scenario of the dialogue, and `say` the messages of its
/// clients; a text in braces that `say` does not know is read as the JSON form of a message.
///
/// # Errors
///
/// What is wrong with the text, with the number of the line and what happened before it.
pub fn play<C: Cluster>(
    text: &str,
    make: impl FnOnce(&str) -> Result<(Scenario, C), String>,
    say: Say<'_, <C::Node as Node>::Msg>,
) -> Result<String, String> {
    let lines: Vec<&str> = text.lines().collect();
    let find = |fence: &str, from: usize| {
        let found = lines[from..].iter().position(|line| *line == fence);
        found.map(|at| at + from).ok_or(format!("a dialogue has a line {fence:?} for its scenario"))
    };
    let begin = find("```toml", 0)?;
    let end = find("```", begin)?;
    let (scenario, cluster) = make(&lines[begin + 1..end].join("\n"))?;
    let mut stage = Stage::new(cluster, &scenario);
    let mut played: String = lines[..=end].iter().flat_map(|line| [line, "\n"]).collect();
    for (i, line) in lines.iter().enumerate().skip(end + 1) {
        let is_script = line.starts_with("> ");
        if !is_script && !line.starts_with('#') {
            continue;
        }
        if lines[i - 1].is_empty() {
            played.push('\n');
        }
        played.push_str(line);
        played.push('\n');
        if is_script {
            let output = perform(&mut stage, &line[2..], say)
                .map_err(|error| format!("line {}: {error}: {line:?}\n\n{played}", i + 1))?;
            played.push_str(&output);
        }
    }
    Ok(played)
}

/// What `deliver`, `drop` and `double` are about.
pub(crate) struct Selection<'a> {
    pub(crate) from: Option<NodeId>,
    pub(crate) dest: Option<NodeId>,
    pub(crate) kind: Option<&'a str>,
    pub(crate) only: Only,
}

/// Which of the selected messages.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Only {
    All,
    First,
    Last,
}

fn perform<C: Cluster>(
    stage: &mut Stage<C>,
    line: &str,
    say: Say<'_, <C::Node as Node>::Msg>,
) -> Result<String, String> {
    let (line, quiet) = match line.strip_prefix("quietly ") {
        Some(rest) => (rest, true),
        None => (line, false),
    };
    let words: Vec<&str> = line.split_whitespace().collect();
    let rest = |skipped: usize| {
        let mut rest = line.trim_start();
        for _ in 0..skipped {
            rest = rest.split_once(char::is_whitespace).map_or("", |(_, rest)| rest.trim_start());
        }
        rest.trim_end()
    };
    match words.as_slice() {
        ["start", nodes @ ..] => {
            for node in stage.nodes(nodes)? {
                stage.start(node)?;
            }
        }
        ["crash", nodes @ ..] => stage.nodes(nodes)?.into_iter().for_each(|node| stage.crash(node)),
        ["deliver", which @ ..] => stage.deliver(&selection(stage, which)?)?,
        ["drop", which @ ..] => stage.lose(&selection(stage, which)?)?,
        ["double", which @ ..] => stage.double(&selection(stage, which)?)?,
        ["settle"] => stage.settle()?,
        ["timeout", node, timer] => stage.time_out(stage.node(node)?, timer)?,
        ["wait", duration] => stage.wait(time(duration)?),
        ["run", duration] => stage.run(time(duration)?)?,
        ["cut", from, dest] => stage.cut(stage.any(from)?, stage.any(dest)?),
        ["heal"] => stage.heal(),
        ["say", from, node, ..] => {
            let message = stage.message(rest(3), say)?;
            stage.hear(stage.node(from)?, stage.node(node)?, message)?;
        }
        ["command", node, ..] => stage.command(stage.node(node)?, rest(2))?,
        ["set_clock", node, by] => {
            let (sign, by) = by.strip_prefix('-').map_or((1, *by), |by| (-1, by));
            stage.set_clock(stage.node(node)?, sign * time(by)?.as_nanos() as i64);
        }
        ["stop", node] => stage.stop(stage.node(node)?)?,
        ["break", node, dest] => stage.break_streams(stage.node(node)?, stage.node(dest)?)?,
        ["show", nodes @ ..] => stage.nodes(nodes)?.into_iter().for_each(|node| stage.show(node)),
        ["flying"] => stage.show_flying(),
        _ => return Err("not a command of a dialogue".to_owned()),
    }
    let output = stage.take_output();
    Ok(if quiet { String::new() } else { output })
}

fn selection<'a, C: Cluster>(stage: &Stage<C>, words: &[&'a str]) -> Result<Selection<'a>, String> {
    let (only, words) = match words {
        ["first", rest @ ..] => (Only::First, rest),
        ["last", rest @ ..] => (Only::Last, rest),
        all => (Only::All, all),
    };
    match words {
        [from, dest, kind @ ..] if kind.len() <= 1 => Ok(Selection {
            from: stage.any(from)?,
            dest: stage.any(dest)?,
            kind: kind.first().copied(),
            only,
        }),
        _ => Err("it takes [first|last] FROM DEST [TYPE]".to_owned()),
    }
}

/// `150ms`, `2s`, `40us`.
fn time(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().map_err(|_| format!("{text:?} is not a duration"))?;
    match &text[digits.len()..] {
        "us" => Ok(Duration::from_micros(number)),
        "ms" => Ok(Duration::from_millis(number)),
        "s" => Ok(Duration::from_secs(number)),
        _ => Err(format!("{text:?} is not a duration: write 40us, 150ms or 2s")),
    }
}
