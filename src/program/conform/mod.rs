//! Whether a program speaks the protocol: a script of turns for a *conformance node*, which
//! `sdk/PROTOCOL.md` describes, and rules for its answers.
//!
//! Written for the author of an SDK, in any language, who wants to know which line was wrong and
//! why.

mod rules;

use serde_json::{Value, json};

use super::protocol::{Answer, LINE_BYTES_MAX, OPS_MAX};
use super::talk::Talk;

/// Of a line so many characters are shown.
const SHOWN_MAX: usize = 240;

/// A rule and what came of it.
#[derive(Debug)]
pub struct Judged {
    /// Its name.
    pub name: &'static str,
    /// What it demands.
    pub summary: &'static str,
    /// What is wrong, or nothing.
    pub failure: Option<String>,
    /// The lines, as sent (`>`) and received (`<`), shortened.
    pub lines: Vec<String>,
}

/// Judge a program by all rules, in order, and tell whether all hold. `done` is called after each.
/// A program that does not answer its first turn is asked nothing else. `Err`: the program cannot
/// be started.
pub fn judge(command: &[String], done: &mut dyn FnMut(&Judged)) -> Result<bool, String> {
    Talk::start(command)?;
    let mut is_good = true;
    for rule in rules::RULES {
        let mut stage = Stage { command, talk: None, lines: vec![], now: 0 };
        let failure = (rule.judge)(&mut stage).err();
        is_good &= failure.is_none();
        done(&Judged { name: rule.name, summary: rule.summary, failure, lines: stage.lines });
        if !is_good && rule.name == rules::RULES[0].name {
            break;
        }
    }
    Ok(is_good)
}

/// One rule.
struct Rule {
    name: &'static str,
    summary: &'static str,
    judge: fn(&mut Stage<'_>) -> Result<(), String>,
}

/// Where a rule is judged: at most one process at a time, and what was said.
struct Stage<'a> {
    command: &'a [String],
    talk: Option<Talk>,
    lines: Vec<String>,
    now: u64,
}

/// The node under test, its peers and the client.
const NODE: &str = "n1";
const PEER: &str = "n2";
const CLIENT: &str = "c1";

/// 2026-01-01 in ns.
const EPOCH: u64 = 1_767_225_600_000_000_000;

impl Stage<'_> {
    /// Start a process anew.
    fn start(&mut self) -> Result<(), String> {
        self.lines.push("-- a process is started".to_owned());
        self.now = 0;
        self.talk = Some(Talk::start(self.command)?);
        Ok(())
    }

    /// Start a process and tell it `init`.
    fn init(&mut self) -> Result<Reply, String> {
        self.init_with("00000000000000ff")
    }

    fn init_with(&mut self, seed: &str) -> Result<Reply, String> {
        self.start()?;
        self.turn(vec![start("init", seed)])
    }

    /// Tell a turn of these events, 1 ms after the last one.
    fn turn(&mut self, events: Vec<Value>) -> Result<Reply, String> {
        self.now += 1_000_000;
        self.tell(&json!({"now": self.now, "wall": EPOCH + self.now, "ev": events}))
    }

    /// Tell a line.
    fn tell(&mut self, turn: &Value) -> Result<Reply, String> {
        let line = turn.to_string();
        self.lines.push(format!("> {}", shortened(&line)));
        let talk = self.talk.as_mut().ok_or("no process")?;
        let answer = talk.converse(&line)?;
        self.lines.push(format!("< {}", shortened(&answer)));
        Reply::read(answer)
    }

    /// A message from the client.
    fn message(&mut self, body: Value) -> Result<Reply, String> {
        self.turn(vec![message(CLIENT, body)])
    }
}

/// An answer that is one.
struct Reply {
    line: String,
    ops: Vec<Value>,
    exit: Option<i32>,
    error: Option<String>,
}

impl Reply {
    fn read(line: String) -> Result<Reply, String> {
        if line.len() >= LINE_BYTES_MAX {
            return Err(format!(
                "the answer has {} bytes, and at most {LINE_BYTES_MAX} can be, with its end",
                line.len()
            ));
        }
        let value: Value = serde_json::from_str(&line)
            .map_err(|error| format!("the answer is no JSON: {error}"))?;
        let answer: Answer = serde_json::from_str(&line)
            .map_err(|error| format!("the answer is none of this protocol: {error}"))?;
        if answer.ops.len() > OPS_MAX {
            return Err(format!(
                "the answer has {} operations, and at most {OPS_MAX} can be",
                answer.ops.len()
            ));
        }
        let ops = value["ops"].as_array().cloned().unwrap_or_default();
        Ok(Reply { line, ops, exit: answer.exit, error: answer.error })
    }

    /// The operations of a kind.
    fn ops(&self, kind: &str) -> Vec<&Value> {
        self.ops.iter().filter(|op| op["op"] == kind).collect()
    }

    /// The messages that it sends must be these, in this order.
    fn sends(&self, expected: &[(&str, Value)]) -> Result<(), String> {
        let expected: Vec<Value> = expected
            .iter()
            .map(|(dest, body)| json!({"op": "send", "dest": dest, "body": body}))
            .collect();
        self.asks("send", &expected)
    }

    /// The operations of a kind must be these, in this order; others do not matter.
    fn asks(&self, kind: &str, expected: &[Value]) -> Result<(), String> {
        let found = self.ops(kind);
        if found.len() == expected.len()
            && found.iter().zip(expected).all(|(found, expected)| *found == expected)
        {
            return Ok(());
        }
        let list = |ops: &[&Value]| match ops {
            [] => format!("no `{kind}`"),
            ops => ops
                .iter()
                .map(|op| shortened(&op.to_string()))
                .collect::<Vec<_>>()
                .join("\n           "),
        };
        Err(format!(
            "expected {}\n     found {}",
            list(&expected.iter().collect::<Vec<_>>()),
            list(&found)
        ))
    }

    /// It must go on.
    fn goes_on(&self) -> Result<(), String> {
        match (&self.error, self.exit) {
            (None, None) => Ok(()),
            (Some(error), _) => Err(format!("it has crashed: {error}")),
            (None, Some(status)) => Err(format!("it has ended itself with status {status}")),
        }
    }
}

fn start(kind: &str, seed: &str) -> Value {
    json!({"type": kind, "protocol": 1, "node": NODE, "role": "server", "peers": [PEER, "n3"], "nodes": [NODE, PEER, "n3", CLIENT], "seed": seed})
}

fn message(src: &str, body: Value) -> Value {
    json!({"type": "message", "src": src, "body": body})
}

fn shortened(line: &str) -> String {
    match line.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}… ({} bytes)", &line[..end], line.len()),
        None => line.to_owned(),
    }
}
