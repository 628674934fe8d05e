//! Tests whether a program speaks the protocol: a script of turns for a *conformance node*,
//! described in `sdk/PROTOCOL.md`, and rules for its answers.
//!
//! It is meant for authors of SDKs in any language, who want to know which line was wrong and why.

mod rules;

use serde_json::{Value, json};

use super::protocol::{Answer, LINE_BYTES_MAX, OPS_MAX};
use super::talk::Talk;

/// Characters shown of a line.
const SHOWN_MAX: usize = 240;

/// A rule and its result.
#[derive(Debug)]
pub struct Judged {
    /// Its name.
    pub name: &'static str,
    /// What it requires.
    pub summary: &'static str,
    /// What is wrong, if anything.
    pub failure: Option<String>,
    /// The lines, as sent (`>`) and received (`<`), shortened.
    pub lines: Vec<String>,
}

/// Test a program against all rules, in order, and return whether all hold. `done` is called after
/// each. If a program does not answer its first turn, no other rule is tested. Fails if the program
/// cannot be started.
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

/// The state while a rule is tested: at most one process at a time, and the conversation.
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
    /// Start a new process.
    fn start(&mut self) -> Result<(), String> {
        self.lines.push("-- a process is started".to_owned());
        self.now = 0;
        self.talk = Some(Talk::start(self.command)?);
        Ok(())
    }

    /// Start a process and send it `init`.
    fn init(&mut self) -> Result<Reply, String> {
        self.init_with("00000000000000ff")
    }

    fn init_with(&mut self, seed: &str) -> Result<Reply, String> {
        self.start()?;
        self.turn(vec![start("init", seed)])
    }

    /// Send a turn with these events, 1 ms after the last one.
    fn turn(&mut self, events: Vec<Value>) -> Result<Reply, String> {
        self.now += 1_000_000;
        self.tell(&json!({"now": self.now, "wall": EPOCH + self.now, "ev": events}))
    }

    /// Send a line.
    fn tell(&mut self, turn: &Value) -> Result<Reply, String> {
        let line = turn.to_string();
        self.lines.push(format!("> {}", shortened(&line)));
        let talk = self.talk.as_mut().ok_or("no process")?;
        let answer = talk.converse(&line)?;
        self.lines.push(format!("< {}", shortened(&answer)));
        Reply::read(answer)
    }

    /// Send a message from the client.
    fn message(&mut self, body: Value) -> Result<Reply, String> {
        self.turn(vec![message(CLIENT, body)])
    }
}

/// A valid answer.
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
                "the answer has {} bytes; the maximum is {LINE_BYTES_MAX}, including the newline",
                line.len()
            ));
        }
        let value: Value = serde_json::from_str(&line)
            .map_err(|error| format!("the answer is not JSON: {error}"))?;
        let answer: Answer = serde_json::from_str(&line)
            .map_err(|error| format!("the answer does not follow the protocol: {error}"))?;
        if answer.ops.len() > OPS_MAX {
            return Err(format!(
                "the answer has {} operations; the maximum is {OPS_MAX}",
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

    /// It must send exactly these messages, in this order.
    fn sends(&self, expected: &[(&str, Value)]) -> Result<(), String> {
        let expected: Vec<Value> = expected
            .iter()
            .map(|(dest, body)| json!({"op": "send", "dest": dest, "body": body}))
            .collect();
        self.asks("send", &expected)
    }

    /// Its operations of this kind must be exactly these, in this order; others do not matter.
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

    /// It must keep running.
    fn goes_on(&self) -> Result<(), String> {
        match (&self.error, self.exit) {
            (None, None) => Ok(()),
            (Some(error), _) => Err(format!("it crashed: {error}")),
            (None, Some(status)) => Err(format!("it exited with status {status}")),
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
